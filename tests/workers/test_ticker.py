"""The ticker asks for whatever is due, and for nothing else."""

from datetime import timedelta

import pytest

from fablab import db, leases, ticks
from fablab.db import utcnow
from fablab.jobs import dispatch
from fablab.jobs import queries as jobs
from fablab.jobs import services as job_services
from fablab.jobs.models import Job, Wish
from fablab.jobs.states import AttemptState
from fablab.machines.models import Machine, Operation
from tests.people import order_cube, queued_order, small_place
from workers import ticker
from workers.lease import WATCHER, WATCHER_LEASE


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


def asked_after(recorder, machine_id, seconds, operation, *, watched):
    """Tell whether a machine in `operation` is asked for so long after its last look."""
    now = utcnow()
    with db.transaction() as session:
        session.query(ticks.Tick).delete()
        if watched:
            ticks.hold(session, WATCHER, WATCHER_LEASE, now, None)
        machine = session.get(Machine, machine_id)
        machine.operation, machine.looked_at = operation, now - timedelta(seconds=seconds)
    return ("watch", (machine_id,)) in tick(recorder, now)


def test_while_a_watcher_runs_only_what_it_may_miss_is_asked_for(place, recorder):
    with db.transaction() as session:
        ada = small_place(session).ada
    for operation, alone_s, watched_s in (
        (Operation.READY, 5, 60),
        (Operation.BUSY, 2, 60),
        (Operation.OFFLINE, 15, 300),
    ):
        assert asked_after(recorder, ada.id, alone_s + 1, operation, watched=False)
        assert not asked_after(recorder, ada.id, watched_s - 1, operation, watched=True)
        assert asked_after(recorder, ada.id, watched_s + 1, operation, watched=True)


@pytest.mark.parametrize(
    ("state", "wish", "operation", "pause_s"),
    [
        (AttemptState.PRINTING, None, Operation.BUSY, 60),
        (AttemptState.PAUSED, None, Operation.PAUSED, 60),
        (AttemptState.FINISHED_UNVERIFIED, None, Operation.READY, 60),
        (AttemptState.STARTING, None, Operation.READY, 2),
        (AttemptState.UNKNOWN, None, Operation.READY, 2),
        (AttemptState.PRINTING, None, Operation.READY, 2),
        (AttemptState.PRINTING, None, Operation.ERROR, 2),
        (AttemptState.PRINTING, Wish.PAUSE, Operation.BUSY, 2),
    ],
)
def test_what_only_another_look_can_settle_does_not_wait_for_a_watcher(
    place, recorder, state, wish, operation, pause_s
):
    with db.transaction() as session:
        cast = small_place(session)
        queued_order(session, cast.alice)
        (attempt,) = dispatch.schedule(session, utcnow())
        attempt.state, attempt.wish = state, wish
    assert not asked_after(recorder, cast.ada.id, pause_s - 1, operation, watched=True)
    assert asked_after(recorder, cast.ada.id, pause_s + 1, operation, watched=True)


def test_a_watcher_that_died_is_waited_for_only_as_long_as_its_lease(any_place, recorder):
    now = utcnow()
    with db.transaction() as session:
        small_place(session)
        mine = ticks.hold(session, WATCHER, WATCHER_LEASE, now, None)
        assert mine == now + WATCHER_LEASE
        assert ticks.hold(session, WATCHER, WATCHER_LEASE, now, None) is None, "another one has to wait"
        longer = ticks.hold(session, WATCHER, WATCHER_LEASE, now + timedelta(seconds=5), mine)
        assert ticks.is_held(session, WATCHER, WATCHER_LEASE, now + timedelta(seconds=19))
        assert not ticks.is_held(session, WATCHER, WATCHER_LEASE, now + timedelta(seconds=21))
        assert not ticks.is_held(session, WATCHER, WATCHER_LEASE, now - timedelta(days=1)), "the clock was set back"
        taken = ticks.hold(session, WATCHER, WATCHER_LEASE, now + timedelta(seconds=21), None)
        assert taken is not None
        assert ticks.hold(session, WATCHER, WATCHER_LEASE, now + timedelta(seconds=22), longer) is None
        ticks.let_go(session, WATCHER, longer, now)
        assert ticks.is_held(session, WATCHER, WATCHER_LEASE, now + timedelta(seconds=22)), "it is not theirs any more"
        ticks.let_go(session, WATCHER, taken, now + timedelta(seconds=22))
        assert not ticks.is_held(session, WATCHER, WATCHER_LEASE, now + timedelta(seconds=23))


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


def test_a_worker_is_asked_to_close_days_so_that_no_tick_waits_for_the_books(place, recorder):
    assert ("close_days", ()) in tick(recorder, utcnow())
    assert ("close_days", ()) not in tick(recorder, utcnow() + timedelta(minutes=9))
    assert ("close_days", ()) in tick(recorder, utcnow() + timedelta(minutes=11))
