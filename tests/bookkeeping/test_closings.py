"""Days, months and years are closed one after the other; nothing is booked inside them any more."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from fablab import db
from fablab.billing import closed, ledger, seller
from fablab.billing.closed import ClosedBooks
from fablab.billing.models import Account
from fablab.billing.seller import IdentityData
from fablab.bookkeeping import checking, closings
from fablab.bookkeeping.closings import Closer
from fablab.bookkeeping.models import Closing, Span
from fablab.bookkeeping.statement import from_text
from fablab.errors import Conflict, Invalid
from fablab.invoicing import issuing, payments
from fablab.invoicing.models import Method
from fablab.invoicing.payments import PaymentData
from tests.books import STANDARD, business, draft_of
from tests.invoicing.test_verifying import tamper
from workers import tasks

FIRST = datetime(2026, 1, 30, 12, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands where the test puts it."""

    class Clock:
        now = FIRST

        def at(self, now):
            self.now = now
            return self

    made = Clock()
    monkeypatch.setattr(closed, "utcnow", lambda: made.now)
    return made


def invoice(session, acme, key, cents=10_000):
    return issuing.issue(
        session, draft_of(cents, company=acme, before_vat=True), issuing.Command(key, None, closed.utcnow())
    )


@pytest.fixture
def books(any_place, clock):
    """An invoice at the end of January, one in February, a payment of it; it is the tenth of March now."""
    with db.transaction() as session:
        _, acme = business(session)
        invoice(session, acme, "january")
        clock.at(FIRST + timedelta(days=5))
        second = invoice(session, acme, "february", 5_000)
        payments.pay(session, second, PaymentData(Method.CASH, 6_000, date(2026, 2, 4), "", "paid"), None, clock.now)
        clock.at(datetime(2026, 3, 10, 12, tzinfo=UTC))
    return acme


def close(span, day, now):
    with db.transaction() as session:
        return closings.close(session, span, day, Closer(None, now))


def statement(span, first_on):
    with db.reading() as session:
        return from_text(session.scalars(sa.select(Closing).filter_by(span=span, first_on=first_on)).one().payload)


def total(totals, account):
    return next(((each.debit_cents, each.credit_cents) for each in totals if each.account == account), (0, 0))


def found():
    with db.reading() as session:
        return [str(each) for each in checking.findings(session)]


def test_a_worker_closes_every_day_that_is_over_and_no_other(books, clock, monkeypatch):
    monkeypatch.setattr(tasks, "utcnow", lambda: clock.now)
    for _ in range(3):
        tasks.close_days()
    with db.reading() as session:
        made = session.scalars(sa.select(Closing).filter_by(span=Span.DAY).order_by(Closing.id)).all()
    assert [each.first_on for each in made] == [date(2026, 1, 30) + timedelta(days=each) for each in range(39)]
    assert found() == []


def test_a_place_that_was_off_for_long_is_closed_in_portions(books, clock):
    with db.transaction() as session:
        assert len(closings.close_days(session, clock.now)) == 31
        assert len(closings.close_days(session, clock.now)) == 8


def test_books_without_bookings_have_nothing_to_close(any_place):
    with db.transaction() as session:
        assert closings.close_days(session, FIRST) == []
    assert found() == []


def test_a_month_closes_its_days_first_and_is_their_sum(books, clock):
    made = close(Span.MONTH, date(2026, 2, 11), clock.now)
    assert [each.span for each in made].count(Span.MONTH) == 2, "January was still open"
    february = statement(Span.MONTH, date(2026, 2, 1))
    assert total(february.period, Account.SALES) == (0, 5_000)
    assert total(february.perpetual, Account.SALES) == (0, 15_000)
    assert total(february.period, Account.RECEIVABLE) == (6_000, 6_000)
    assert february.perpetual == statement(Span.DAY, date(2026, 2, 28)).perpetual
    assert (february.bookings, february.documents) == (2, 2)
    assert close(Span.MONTH, date(2026, 2, 11), clock.now) == []
    assert found() == []


def test_a_year_closes_its_months_first(books, clock):
    made = close(Span.YEAR, date(2026, 1, 1), clock.at(datetime(2027, 1, 2, 12, tzinfo=UTC)).now)
    assert [each.span for each in made].count(Span.MONTH) == 12
    assert total(statement(Span.YEAR, date(2026, 1, 1)).perpetual, Account.CASH) == (14_000, 0), (
        "with a top-up at the desk in January"
    )
    assert found() == []


@pytest.mark.parametrize("span", list(Span))
def test_a_period_that_is_not_over_cannot_be_closed(books, clock, span):
    with pytest.raises(Conflict, match="not over yet"):
        close(span, date(2026, 3, 10), clock.now)


def test_nothing_is_booked_in_a_closed_period_when_the_clock_is_set_back(books, clock):
    close(Span.MONTH, date(2026, 2, 1), clock.now)
    clock.at(datetime(2026, 2, 20, 12, tzinfo=UTC))
    with db.transaction() as session, pytest.raises(Conflict, match="closed until 2026-02-28"):
        invoice(session, books, "late")
    with db.transaction() as session, pytest.raises(Conflict, match="closed until 2026-02-28"):
        person = business_person(session)
        ledger.top_up(session, person, 100, person.id, "late")


def business_person(session):
    from fablab.accounts.models import Person

    return session.scalars(sa.select(Person).limit(1)).one()


def test_money_is_not_noted_as_received_in_a_closed_month(books, clock):
    close(Span.MONTH, date(2026, 1, 1), clock.now)
    with db.transaction() as session:
        first = session.get_one(issuing.Document, 1)
        with pytest.raises(Invalid, match="The month is closed until 2026-01-31") as refused:
            payments.pay(session, first, PaymentData(Method.CARD, 100, date(2026, 1, 31), "", "x"), None, clock.now)
        assert refused.value.field == "received_on"
        payments.pay(session, first, PaymentData(Method.CARD, 100, date(2026, 2, 1), "", "y"), None, clock.now)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ledger_entry (key, kind, at) VALUES ('x', 'charge', '2026-02-20 12:00:00.000000')",
        "INSERT INTO document SELECT * FROM document",
        "UPDATE closing SET hash = 'x'",
        "DELETE FROM closing",
        "UPDATE closed_books SET day = '2020-01-01', length = length + 1",
        "UPDATE closed_books SET hash = 'x'",
        "DELETE FROM closed_books",
    ],
)
def test_the_database_refuses_it_for_its_own_role_too(books, clock, statement):
    close(Span.MONTH, date(2026, 2, 1), clock.now)
    with (
        pytest.raises(sa.exc.DBAPIError, match=r"closed for this day|only grows|not opened again"),
        db.transaction() as session,
    ):
        session.execute(sa.text(statement))


@pytest.mark.parametrize(
    ("statement", "first"),
    [
        ("UPDATE closing SET payload = replace(payload, '15000', '15001') WHERE span = 'month' AND first_on = '2026-02-01'", "was changed after it was made"),
        ("UPDATE closing SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE position = 3", "Closing 3 was changed"),
        ("DELETE FROM closing WHERE position = 2", "Closing 2 is missing"),
        ("DELETE FROM closing WHERE position = (SELECT max(position) FROM closing)", "the end is missing"),
        ("UPDATE closing SET last_on = '2026-02-01' WHERE position = 2", "Closing 2: what the list says"),
        ("UPDATE ledger_line SET amount_cents = amount_cents * 2 WHERE account IN ('cash', 'receivable') AND entry_id = (SELECT id FROM ledger_entry WHERE kind = 'payment')", "from 2026-02-04 to 2026-02-04 is not what was closed"),
        ("UPDATE document SET hash = 'x' WHERE position = 2", "the chain of documents was another one"),
    ],
)  # fmt: skip
def test_what_was_changed_behind_the_back_is_named(books, clock, statement, first):
    close(Span.MONTH, date(2026, 2, 1), clock.now)
    assert found() == []
    tamper(statement)
    assert first in found()[0]


def test_closed_books_are_noted_in_one_place(books, clock):
    close(Span.MONTH, date(2026, 1, 1), clock.now)
    with db.reading() as session:
        head = session.get_one(ClosedBooks, 1)
        assert (head.day, head.month) == (date(2026, 1, 31), date(2026, 1, 31))


def test_who_sells_and_with_which_vat_cannot_change_inside_closed_books(books, clock):
    close(Span.MONTH, date(2026, 1, 1), clock.now)
    january, february = date(2026, 1, 31), date(2026, 2, 1)
    with db.transaction() as session:
        identity = IdentityData(january, "Le Fablab", "association", "1 rue du Port", "29000", "Quimper")
        for change in (
            lambda: seller.set_identity(session, identity, None),
            lambda: seller.set_regime(session, replace(STANDARD, valid_from=january), None),
            lambda: seller.set_mention(session, "footer", january, "Merci", None),
        ):
            with pytest.raises(Invalid, match="closed until 2026-01-31") as refused:
                change()
            assert refused.value.field == "valid_from"
        seller.set_regime(session, replace(STANDARD, valid_from=february, rate_bp=550), None)
    assert found() == []
