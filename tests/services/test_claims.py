"""Claims, leases, ticks and wallets raced by several processes, on both databases: every time one winner."""

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
import sqlalchemy as sa

from fablab import db, leases, ticks
from fablab.billing import ledger
from fablab.db import utcnow
from fablab.errors import Conflict, Problem
from fablab.jobs import dispatch
from fablab.jobs import services as jobs
from fablab.jobs.models import Attempt
from fablab.machines import services as machines
from fablab.machines.models import HouseRules, Machine, Plate
from fablab.words import say
from tests.conftest import Recorder, forget_everything
from tests.people import add_machine, add_spool, queued_order, small_place

PROCESSES = 4
context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.people", "tests.conftest"])


def race(work, *arguments):
    """Run `work` in several processes that start at the same moment, and return what each found."""
    barrier, results = context.Barrier(PROCESSES), context.Queue()
    environment = {name: value for name, value in os.environ.items() if name.startswith("FABLAB_")}
    racers = [
        context.Process(target=_run, args=(work, barrier, results, environment, arguments)) for _ in range(PROCESSES)
    ]
    for racer in racers:
        racer.start()
    found = [results.get(timeout=60) for _ in racers]
    for racer in racers:
        racer.join(20)
    return found


def _run(work, barrier, results, environment, arguments):
    from fablab import bus

    for name in [name for name in os.environ if name.startswith("FABLAB_")]:
        del os.environ[name]  # the server that forks was started by a test on another database
    os.environ.update(environment)
    forget_everything()
    with bus.using(Recorder()):
        with db.reading() as session:
            session.execute(sa.text("select 1"))
        barrier.wait(30)
        results.put(work(*arguments))


def claim():
    with db.transaction() as session:
        return [(attempt.job_id, attempt.machine_id) for attempt in dispatch.schedule(session, utcnow())]


def test_four_schedulers_give_each_job_and_each_machine_once(any_place):
    with db.transaction() as session:
        cast = small_place(session, cents=20_000)
        for number in range(2):
            add_spool(session, add_machine(session, f"Printer {number}"))
        for _ in range(6):
            queued_order(session, cast.alice)
    claims = [claimed for found in race(claim) for claimed in found]
    assert len(claims) == 3
    assert len({job for job, _ in claims}) == len({machine for _, machine in claims}) == 3
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Attempt.id))) == 3


def test_four_schedulers_together_let_no_more_heat_than_the_rules_say(any_place):
    with db.transaction() as session:
        cast = small_place(session, cents=20_000)
        for number in range(3):
            add_spool(session, add_machine(session, f"Printer {number}"))
        for _ in range(4):
            queued_order(session, cast.alice)
        rules = HouseRules(opening_hours="", quiet_hours="", heating_at_once=2, heating_minutes=5)
        machines.set_rules(session, rules, cast.bob.id)
    assert sum(len(found) for found in race(claim)) == 2


def clear(machine_id, person_id):
    with db.transaction() as session:
        jobs.clear_plate(session, machine_id, person_id)


def test_a_plate_is_not_cleared_under_the_print_that_is_just_being_claimed(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        queued_order(session, cast.alice)
    with ThreadPoolExecutor(1) as somebody:
        with db.transaction() as session:
            assert dispatch.schedule(session, utcnow())
            clearing = somebody.submit(clear, cast.ada.id, cast.bob.id)
            assert wait([clearing], timeout=0.5).not_done, "it waits for the claim"
        with pytest.raises(Conflict, match="checked first"):
            clearing.result(30)
    with db.reading() as session:
        assert session.get(Machine, cast.ada.id).plate == Plate.HELD


def test_the_database_refuses_a_second_live_attempt_on_a_printer(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        queued_order(session, cast.alice)
        (attempt,) = dispatch.schedule(session, utcnow())
    with pytest.raises(sa.exc.IntegrityError), db.transaction() as session:
        values = {"job_id": attempt.job_id, "machine_id": attempt.machine_id, "spool_id": attempt.spool_id}
        session.add(Attempt(**values, slice_id=attempt.slice_id, copies=1, file_name="second.gcode"))


def take_lease(machine_id):
    with db.transaction() as session:
        held = machines.lease(session, machine_id, utcnow())
    return held.token if held else None


def test_a_printer_is_leased_to_one_worker(any_place):
    with db.transaction() as session:
        ada = small_place(session).ada
    assert sorted(race(take_lease, ada.id), key=str) == [1, None, None, None]


def test_a_lease_that_was_taken_over_is_worth_nothing(any_place):
    with db.transaction() as session:
        ada = small_place(session).ada
        first = machines.lease(session, ada.id, utcnow())
        second = machines.lease(session, ada.id, utcnow() + 2 * leases.LEASE)
    with db.transaction() as session:
        machines.release(session, first)
        assert not machines.lease_holds(session, first, utcnow())
        assert machines.lease_holds(session, second, utcnow())
        assert not machines.renew(session, utcnow(), first)


def test_a_lease_is_renewed_while_it_is_held_and_never_after_it_was_over(place):
    with db.transaction() as session:
        ada = small_place(session).ada
        held, now = machines.lease(session, ada.id, utcnow()), utcnow()
        assert machines.renew(session, now + leases.LEASE / 2, held)
        assert machines.lease_holds(session, held, now + leases.LEASE)
        assert not machines.renew(session, now + 2 * leases.LEASE, held)


def test_a_lease_written_by_a_clock_that_was_ahead_is_over_when_the_clock_is_right_again(place):
    with db.transaction() as session:
        ada = small_place(session).ada
        ahead = machines.lease(session, ada.id, utcnow() + timedelta(hours=1))
        assert not machines.lease_holds(session, ahead, utcnow())
        assert machines.lease(session, ada.id, utcnow()) is not None


def take_tick(now):
    with db.transaction() as session:
        return ticks.take(session, "look", timedelta(seconds=5), now)


def test_a_slot_of_the_clock_goes_to_one_ticker(any_place):
    now = utcnow()
    assert take_tick(now)
    assert sum(race(take_tick, now + timedelta(seconds=6))) == 1


def test_a_clock_that_was_set_back_goes_on_ticking(any_place):
    now = utcnow()
    assert take_tick(now)
    earlier = now - timedelta(days=1)
    assert not take_tick(earlier)
    assert take_tick(earlier + timedelta(seconds=1)) or take_tick(earlier + timedelta(seconds=6))


def spend(person_id, order_id):
    try:
        with db.transaction() as session:
            ledger.reserve(session, person_id, order_id, 1500, f"spend-{os.getpid()}", say("Test"))
    except Problem:
        return False
    return True


def test_the_same_money_is_reserved_once(any_place):
    from tests.services.test_ledger import order_for

    with db.transaction() as session:
        cast = small_place(session)
        order = order_for(session, cast.alice)
    assert sum(race(spend, cast.alice.id, order.id)) == 1
    with db.reading() as session:
        assert ledger.balance_cents(session, cast.alice.id) == 500
