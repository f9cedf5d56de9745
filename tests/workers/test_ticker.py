"""The ticker asks for whatever is due, and for nothing else."""

from datetime import timedelta

from fablab import db, leases
from fablab.db import utcnow
from fablab.jobs import dispatch
from fablab.jobs import queries as jobs
from fablab.jobs import services as job_services
from fablab.jobs.models import Job
from fablab.machines.models import Machine, Operation
from tests.people import order_cube, queued_order, small_place
from workers import ticker


def tick(recorder, at):
    recorder.asked.clear()
    with db.transaction() as session:
        ticker.tick(session, at)
    return recorder.asked


def test_a_lost_message_is_asked_again(place, recorder):
    with db.transaction() as session:
        cast = small_place(session)
        job = jobs.of_order(session, order_cube(session, cast.alice).id)[0]
    assert ("slice", (job.id,)) in tick(recorder, utcnow())


def test_a_slot_is_taken_once(place, recorder):
    with db.transaction() as session:
        small_place(session)
    now = utcnow()
    assert tick(recorder, now)
    assert tick(recorder, now) == []


def test_printers_are_looked_at_as_often_as_it_matters(place, recorder):
    now = utcnow()
    with db.transaction() as session:
        ada = small_place(session).ada

    def is_asked(operation, seconds):
        with db.transaction() as session:
            machine = session.get(Machine, ada.id)
            machine.operation, machine.looked_at = operation, now
        nonlocal_tick[0] += timedelta(minutes=1)
        with db.transaction() as session:
            session.get(Machine, ada.id).looked_at = nonlocal_tick[0] - timedelta(seconds=seconds)
        return ("watch", (ada.id,)) in tick(recorder, nonlocal_tick[0])

    nonlocal_tick = [now]
    assert not is_asked(Operation.READY, 3)
    assert is_asked(Operation.READY, 6)
    assert is_asked(Operation.BUSY, 3)
    assert not is_asked(Operation.OFFLINE, 10)
    assert is_asked(Operation.OFFLINE, 16)


def test_a_claim_that_nobody_dispatched_is_asked_again(place, recorder):
    with db.transaction() as session:
        cast = small_place(session)
        queued_order(session, cast.alice)
        (attempt,) = dispatch.schedule(session, utcnow())
    assert ("dispatch", (attempt.id,)) not in tick(recorder, utcnow())
    assert ("dispatch", (attempt.id,)) in tick(recorder, utcnow() + timedelta(seconds=30))


def test_a_slicer_that_is_not_heard_of_again_loses_its_job(place, recorder):
    with db.transaction() as session:
        cast = small_place(session)
        job = jobs.of_order(session, order_cube(session, cast.alice).id)[0]
        job_services.take_for_slicing(session, job.id, utcnow())
        token = session.get(Job, job.id).token
    later = utcnow() + leases.LEASE / 2
    with db.transaction() as session:
        assert job_services.renew_slicing(session, later, job.id, token)
        assert not job_services.renew_slicing(session, later, job.id, token - 1)
    assert ("slice", (job.id,)) not in tick(recorder, later + leases.LEASE / 2)
    later += leases.LEASE + timedelta(seconds=11)
    assert ("slice", (job.id,)) in tick(recorder, later)
    with db.reading() as session:
        assert session.get(Job, job.id).state == "to_slice"
