"""Each check of the chaos fires when its promise is broken: zeros at the end of a run mean something."""

from datetime import timedelta

import pytest

from fablab import db
from fablab.billing import ledger
from fablab.billing import services as billing
from fablab.db import utcnow
from fablab.invoicing import from_orders
from fablab.jobs import dispatch
from fablab.jobs.judging import Judgement
from fablab.jobs.models import Attempt, Job
from fablab.jobs.signoff import Reason, Verdict
from fablab.jobs.states import AttemptState, JobState
from fablab.machines.models import Machine, Operation
from fablab.orders.models import Order, OrderState
from fablab.printers.simulated import TAKEN_OFF
from tests.books import business, command, made_company_order
from tests.chaos import checks
from tests.chaos.benches import BY_HAND, Happened
from tests.people import draft_cube, queued_order, small_place


def record(*happened):
    return [Happened(float(at), what, name) for at, (what, name) in enumerate(happened)]


START_A, START_B, FINISH_A, EMPTIED = ("start", "a"), ("start", "b"), ("finish", "a"), (TAKEN_OFF, None)


def test_a_file_started_twice_is_named_on_one_printer_and_on_two():
    assert checks.double_starts({1: record(START_A, FINISH_A, EMPTIED, START_B)}) == []
    assert checks.double_starts({1: record(START_A, EMPTIED, START_A)}) == ["a was started 2 times"]
    assert checks.double_starts({1: record(START_A), 2: record(START_A)}) == ["a was started 2 times"]


def test_a_start_on_top_of_parts_is_named_whoever_made_them():
    assert checks.dirty_starts({1: record(START_A, FINISH_A, EMPTIED, START_B)}) == []
    assert checks.dirty_starts({1: record(START_A, FINISH_A, START_B)}) == ["b was started on top of a"]
    assert checks.dirty_starts({1: record((BY_HAND, "x"), START_B)}) == ["b was started on top of x"]
    assert checks.dirty_starts({1: record(START_A), 2: record(START_B)}) == []


@pytest.fixture
def printed(place):
    """An order whose one plate is finished and waits for a verdict."""
    with db.transaction() as session:
        cast = small_place(session)
        order, job = queued_order(session, cast.alice, quantity=2)
        attempt = dispatch.schedule(session, utcnow())[0]
        dispatch.sending(session, attempt)
        dispatch.about_to_start(session, attempt, utcnow())
        dispatch.record(session, attempt, Judgement.FINISHED, {}, utcnow())
    return cast, order, job, attempt


def test_a_start_after_it_was_given_up_is_named(printed):
    cast, _, _, attempt = printed
    with db.transaction() as session:
        billing.sign_off(session, session.get(Attempt, attempt.id), Verdict(0, Reason.NOT_STARTED), cast.bob)
    with db.reading() as session:
        assert checks.late_starts(session, {1: []}) == []
        assert checks.late_starts(session, {1: record(("start", attempt.file_name))}) != []


def test_a_start_that_no_attempt_knows_is_named(printed):
    attempt = printed[3]
    with db.reading() as session:
        assert checks.unknown_starts(session, {1: record(("start", attempt.file_name))}) == []
        assert checks.unknown_starts(session, {1: record(START_A)}) == ["a was started and no attempt knows it"]


def test_an_order_that_nobody_confirmed_is_named_and_a_draft_is_not(printed):
    cast, order = printed[:2]
    with db.transaction() as session:
        draft_cube(session, cast.alice)
        assert checks.unwanted(session, [order.id]) == []
        assert checks.unwanted(session, []) == [f"order {order.id} was never confirmed"]


def test_an_order_without_a_plate_is_lost(printed):
    _, order, job, _ = printed
    with db.transaction() as session:
        assert checks.lost(session, [order.id]) == []
        session.get(Job, job.id).state = JobState.DONE
        session.flush()
        assert checks.lost(session, [order.id]) == [f"order {order.id}: []"]


def test_an_order_that_waits_for_nothing_is_stuck(printed):
    order = printed[1]
    with db.transaction() as session:
        assert checks.stuck(session, [order.id]) != []
        session.get(Order, order.id).state = OrderState.READY
        session.flush()
        assert checks.stuck(session, [order.id]) == []


def test_money_and_filament_that_do_not_add_up_are_named(printed):
    cast, order, _, attempt = printed
    with db.transaction() as session:
        billing.sign_off(session, session.get(Attempt, attempt.id), Verdict(2), cast.bob)
    with db.transaction() as session:
        assert checks.unbalanced(session) == []
        session.get(Order, order.id).price_cents += 100
        session.flush()
        assert len(checks.unbalanced(session)) == 1
        session.get(Order, order.id).price_cents -= 100
        session.get(Attempt, attempt.id).state = AttemptState.UNKNOWN
        session.flush()
        assert checks.unbalanced(session) == [f"attempt {attempt.id}: 1 movements"]


def test_money_that_is_still_reserved_for_an_order_that_ended_is_named(printed):
    cast, order, _, attempt = printed
    with db.transaction() as session:
        billing.sign_off(session, session.get(Attempt, attempt.id), Verdict(2), cast.bob)
        ledger.reserve(session, cast.alice.id, order.id, 50, "again", None)
        assert "50 cents still reserved" in checks.unbalanced(session)[0]


def test_what_was_made_for_a_company_and_never_invoiced_is_named(place):
    with db.transaction() as session:
        cast, acme = business(session)
        order = made_company_order(session, cast, acme, 2)
        assert f"order {order.id}: 0 cents still reserved, 0 charged" in checks.unbalanced(session)[0]
        from_orders.invoice_company(session, acme, "", command("invoice"))
        assert checks.unbalanced(session) == []


def test_what_somebody_was_told_and_is_not_in_the_books_is_named(place):
    with db.transaction() as session:
        cast = small_place(session)
        ledger.top_up(session, cast.alice, 100, cast.bob.id, "top-up-1-abc")
        assert checks.untold(session, {"top-up": ["abc"], "payment": []}) == []
        assert checks.untold(session, {"top-up": ["xyz"]}) == ["top-up xyz is 0 times in the books"]
        ledger.top_up(session, cast.alice, 100, cast.bob.id, "top-up-2-abc")
        assert checks.untold(session, {"top-up": ["abc"]}) == ["top-up abc is 2 times in the books"]


def test_a_run_without_money_is_named(place):
    with db.transaction() as session:
        business(session)
        counted = checks.money(session)
    assert checks.without_money(counted) == [f"there are no {each}" for each in counted]
    assert {"documents", "payments", "credit_notes"} <= set(counted)
    assert checks.without_money(dict.fromkeys(counted, 1)) == []


def test_a_printer_that_is_held_with_nothing_to_press_is_named(printed):
    cast, _, _, attempt = printed
    with db.transaction() as session:
        assert checks.held_without_release(session) == []
        session.get(Attempt, attempt.id).state = AttemptState.UPLOADING
        session.flush()
        assert len(checks.held_without_release(session)) == 1
        session.get(Machine, cast.ada.id).seen_at = utcnow() - timedelta(hours=1)
        session.get(Machine, cast.ada.id).operation = Operation.OFFLINE
        session.flush()
        assert len(checks.held_without_release(session)) == 1
