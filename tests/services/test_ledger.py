"""The ledger's invariants, over random histories of top-ups, orders, plates and cancellations."""

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fablab import db
from fablab.billing import ledger
from fablab.billing.ledger import Booking, Paid
from fablab.billing.models import Account, EntryKind, LedgerEntry, LedgerLine
from fablab.errors import Conflict, Invalid, Problem
from fablab.money import share
from fablab.words import say
from tests.people import add_person, order_cube, small_place

TEXT = say("Test")

steps = st.lists(
    st.tuples(
        st.sampled_from(["top_up", "reserve", "charge", "release", "pay_out"]),
        st.integers(0, 2),
        st.integers(-50, 3000),
    ),
    max_size=25,
)


def do(session, person, order, step, number):
    what, amount = step[0], step[2]
    match what:
        case "top_up":
            ledger.top_up(session, person, amount, person.id, f"top-{number}")
        case "reserve":
            ledger.reserve(session, person.id, order.id, max(1, amount), f"reserve-{number}", TEXT)
        case "charge":
            ledger.charge(session, person.id, order.id, max(0, amount), f"charge-{number}", TEXT, person.id)
        case "pay_out":
            ledger.pay_out(session, person, amount, person.id, f"out-{number}", ledger.IN_CASH)
        case "release":
            ledger.release(session, person.id, order.id, f"release-{number}", TEXT, person.id)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps)
def test_money_is_never_made_nor_lost_nor_owed(place, history):
    with sa.orm.Session(db.engine()) as session:
        person = add_person(session, "Alice", cents=0)
        order = order_for(session, person)
        for number, step in enumerate(history):
            try:
                with session.begin_nested():
                    do(session, person, order, step, number)
            except Problem:
                pass
            wallet = ledger.balance_cents(session, person.id)
            reserved = ledger.balance_cents(session, person.id, Account.RESERVED)
            assert wallet >= 0
            assert 0 <= reserved == ledger.reserved_cents(session, order.id)
            assert wallet + reserved <= 25_000
        total = session.scalar(sa.select(sa.func.sum(LedgerLine.amount_cents))) or 0
        assert total == 0
        assert ledger.unbalanced(session) == []
        lines = ledger.history(session, person.id)
        assert sum(line.wallet_cents for line in lines) == ledger.balance_cents(session, person.id)
        assert not lines or lines[0].balance_cents == ledger.balance_cents(session, person.id)


def order_for(session, person):
    from fablab.orders.models import Order

    order = Order(person_id=person.id)
    session.add(order)
    session.flush()
    return order


@given(total=st.integers(0, 10**7), whole=st.integers(1, 100))
def test_the_shares_of_all_pieces_are_exactly_the_price(total, whole):
    charges = [share(total, n, whole) - share(total, n - 1, whole) for n in range(1, whole + 1)]
    assert sum(charges) == total
    assert min(charges) >= 0


def test_the_same_key_books_once(session):
    cast = small_place(session)
    for _ in range(2):
        ledger.top_up(session, cast.alice, 500, cast.carole.id, "once")
    assert ledger.balance_cents(session, cast.alice.id) == 2500


def test_the_key_of_money_for_a_wallet_or_out_of_it_moves_nothing_else(session):
    alice, bob = add_person(session, "Alice", cents=1000), add_person(session, "Bob", cents=1000)
    ledger.top_up(session, alice, 500, bob.id, "in")
    ledger.pay_out(session, alice, 300, bob.id, "out", Paid(Account.BANK))
    for act, person, cents, key, paid in (
        (ledger.top_up, alice, 501, "in", Paid()),
        (ledger.top_up, alice, 500, "in", Paid(Account.CARD)),
        (ledger.top_up, bob, 500, "in", Paid()),
        (ledger.top_up, alice, 300, "out", Paid(Account.BANK)),
        (ledger.pay_out, alice, 299, "out", Paid(Account.BANK)),
        (ledger.pay_out, alice, 300, "out", Paid()),
        (ledger.pay_out, bob, 300, "out", Paid(Account.BANK)),
        (ledger.pay_out, alice, 500, "in", Paid()),
    ):
        with pytest.raises(Conflict, match="sent for something else"):
            act(session, person, cents, bob.id, key, paid)
    assert [ledger.balance_cents(session, each.id) for each in (alice, bob)] == [1200, 1000]


def test_an_unbalanced_booking_is_never_written(session):
    small_place(session)
    with pytest.raises(ValueError, match="does not balance"):
        ledger.post(session, Booking("k", EntryKind.TOP_UP, [(Account.CASH, None, 5)], TEXT))


def test_a_wallet_is_filled_up_to_its_limit_only(session):
    cast = small_place(session)
    with pytest.raises(Invalid, match="at most €250"):
        ledger.top_up(session, cast.alice, 24_000, cast.carole.id, "much")


def test_more_than_was_confirmed_is_never_charged(session):
    cast = small_place(session)
    order = order_cube(session, cast.alice)
    with pytest.raises(Conflict):
        ledger.charge(session, cast.alice.id, order.id, order.price_cents + 1, "too-much", TEXT, cast.bob.id)


@pytest.mark.parametrize("statement", ["UPDATE ledger_line SET amount_cents = 1", "DELETE FROM ledger_entry"])
def test_the_database_itself_refuses_to_change_a_booking(any_place, statement):
    with db.transaction() as session:
        add_person(session, "Alice")
    with pytest.raises(sa.exc.DBAPIError, match="only grows"), db.transaction() as session:
        session.execute(sa.text(statement))
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(LedgerEntry.id))) == 1


def test_no_more_is_paid_out_than_is_free_in_the_wallet_and_the_same_key_pays_once(session):
    person = add_person(session, "Alice", cents=1000)
    order = order_for(session, person)
    ledger.reserve(session, person.id, order.id, 400, "reserve", TEXT)
    with pytest.raises(Invalid, match="Between"):
        ledger.pay_out(session, person, 601, person.id, "out", ledger.IN_CASH)
    for _ in range(2):
        ledger.pay_out(session, person, 600, person.id, "out", ledger.IN_CASH)
    assert ledger.balance_cents(session, person.id) == 0
    assert ledger.reserved_cents(session, order.id) == 400
    assert ledger.unbalanced(session) == []


def test_the_drawer_pays_out_no_cash_it_does_not_hold(session):
    person = add_person(session, "Zoe", cents=0)
    ledger.top_up(session, person, 5000, person.id, "card", Paid(Account.CARD))
    ledger.top_up(session, person, 1000, person.id, "cash")
    with pytest.raises(Invalid, match=r"The drawer holds €10\.00") as refused:
        ledger.pay_out(session, person, 1001, person.id, "out", ledger.IN_CASH)
    assert refused.value.field == "amount"
    ledger.pay_out(session, person, 1000, person.id, "out", ledger.IN_CASH)
    ledger.pay_out(session, person, 5000, person.id, "transfer", Paid(Account.BANK))
    assert ledger.cash_cents(session) == 0
