"""The order of the queue and the choice of a machine, by two volunteers at once and by chance."""

from fablab import db
from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.jobs import dispatch, ordering
from fablab.jobs import queries as jobs
from fablab.jobs.models import Job
from fablab.machines import hand_over
from fablab.machines.models import Machine
from tests.people import add_machine, add_spool, queued_order, small_place
from tests.services.test_claims import race


def take_or_choose(job_id, machine_id, person_id):
    """Even processes claim, odd ones choose the other machine for the same plate."""
    import os

    if os.getpid() % 2:
        with db.transaction() as session:
            return [(attempt.job_id, attempt.machine_id) for attempt in dispatch.schedule(session, utcnow())]
    try:
        with db.transaction() as session:
            job, machine = session.get_one(Job, job_id), session.get_one(Machine, machine_id)
            ordering.choose_machine(session, job, machine, person_id)
    except Conflict:
        return "too late"
    return "chosen"


def test_a_plate_never_starts_on_another_machine_than_was_chosen_for_it(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        grace = add_machine(session, "Grace", ready=False)
        _, job = queued_order(session, cast.alice)
    found = race(take_or_choose, job.id, grace.id, cast.bob.id)
    claims = [claim for each in found if isinstance(each, list) for claim in each]
    with db.reading() as session:
        only_on = session.get_one(Job, job.id).only_on_id
    assert len(claims) <= 1
    assert (only_on is None) == ("chosen" not in found)
    assert not (claims and only_on == grace.id), "claimed by Ada although Grace was chosen before"


def move(job_ids, person_id):
    import os

    mine = job_ids[os.getpid() % len(job_ids)]
    with db.transaction() as session:
        ordering.to_front(session, session.get_one(Job, mine), person_id)
    return mine


def test_plates_that_several_people_move_to_the_front_at_once_are_all_before_the_others(any_place):
    with db.transaction() as session:
        cast = small_place(session, cents=20_000)
        ids = [queued_order(session, cast.alice)[1].id for _ in range(6)]
    moved = set(race(move, ids[2:], cast.bob.id))
    with db.reading() as session:
        order = [job.id for job in jobs.open_jobs(session)]
    assert sorted(order) == sorted(ids)
    assert set(order[: len(moved)]) == moved


def test_a_plate_waits_for_its_machine_and_starts_there(session):
    cast = small_place(session)
    grace = add_machine(session, "Grace")
    add_spool(session, grace)
    _, job = queued_order(session, cast.alice)
    ordering.choose_machine(session, job, grace, cast.bob.id)
    (attempt,) = dispatch.schedule(session, utcnow())
    assert attempt.machine_id == grace.id


def leave(text, person_id):
    from fablab.errors import Invalid

    try:
        with db.transaction() as session:
            hand_over.leave(session, text, 0, person_id)
    except Invalid:
        return False
    return True


def test_of_several_first_notes_one_is_kept_and_the_others_are_asked_to_read_it(any_place):
    with db.transaction() as session:
        cast = small_place(session)
    assert sorted(race(leave, "Good evening", cast.bob.id)) == [False, False, False, True]
    with db.reading() as session:
        assert len(hand_over.history(session)) == 1
