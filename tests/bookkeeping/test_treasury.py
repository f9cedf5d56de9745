"""The treasurer's month: cash counts, money by how it came, VAT that equals the ledger, thresholds, e-reporting."""

import csv
import io
import threading
from collections import Counter

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fablab import bus, db
from fablab.billing import ledger, prepaid, seller
from fablab.billing.ledger import Paid
from fablab.billing.models import Account, LedgerLine, Prepaid
from fablab.billing.prepaid import RulesData
from fablab.bookkeeping import cash, sheets, thresholds
from fablab.bookkeeping.cash import CountData
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.periods import period
from fablab.bookkeeping.sales import by_rate, sales
from fablab.bookkeeping.takings import takings
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.invoicing import crediting, from_orders, issuing, payments, topping_up
from fablab.invoicing.crediting import Credit
from fablab.invoicing.models import Document, Kind, Method
from fablab.invoicing.payments import PaymentData
from fablab.jobs import queries as jobs
from fablab.orders.models import OrderState
from fablab.words import say
from tests.books import FRANCHISE, HOME, STANDARD, business, command, draft_of, open_books
from tests.people import order_cube, small_place

TODAY = seller.today(utcnow())
YEAR = period(Span.YEAR, TODAY)


def balance(session, account):
    total = sa.select(sa.func.sum(LedgerLine.amount_cents)).where(LedgerLine.account == account)
    return session.scalar(total) or 0


def test_a_count_with_a_difference_is_explained_booked_and_the_next_one_starts_right(session):
    cast = small_place(session)
    expected = cash.expected_cents(session)
    with pytest.raises(Invalid, match="write down why"):
        cash.count(session, CountData("a", expected, expected - 250), cast.carole.id)
    data = CountData("b", expected, expected - 250, reason="A wrong change")
    made = cash.count(session, data, cast.carole.id)
    assert cash.count(session, data, cast.carole.id) is made
    assert (made.difference_cents, balance(session, Account.CASH_DIFFERENCE)) == (-250, 250)
    assert cash.expected_cents(session) == expected - 250
    again = cash.count(session, CountData("c", expected - 250, expected - 250), cast.carole.id)
    assert (again.difference_cents, again.entry_id) == (0, None)
    assert [each.key for each in cash.counts(session)] == ["c", "b"]


def test_coins_and_notes_make_the_total_and_what_does_not_fit_is_refused(session):
    cast = small_place(session, cents=0)
    expected = cash.expected_cents(session)
    pieces = {5_000: 1, 200: 2, 1: 3}
    for wrong in (
        CountData("w", expected),
        CountData("w", expected, 5_402, pieces, "?"),
        CountData("w", expected, None, {3: 1}, "?"),
        CountData("w", expected, -1, reason="?"),
        CountData("w", expected + 1, expected + 1),
    ):
        with pytest.raises(Invalid):
            cash.count(session, wrong, cast.carole.id)
    made = cash.count(session, CountData("right", expected, None, pieces, "Found"), cast.carole.id)
    assert (made.counted_cents, made.pieces) == (5_403, {"5000": 1, "200": 2, "1": 3})


def test_cash_goes_to_the_bank_once_and_never_more_than_there_is(session):
    cast = small_place(session)
    expected, bank = cash.expected_cents(session), balance(session, Account.BANK)
    with pytest.raises(Invalid, match="The drawer holds"):
        cash.take_to_bank(session, expected + 1, "", cast.carole.id, "x")
    for _ in range(2):
        cash.take_to_bank(session, expected, "Slip 7", cast.carole.id, "y")
    assert cash.expected_cents(session) == 0
    assert balance(session, Account.BANK) == bank + expected


def test_money_is_shown_by_how_it_came_and_equals_its_accounts(session):
    cast, acme = business(session)
    ledger.top_up(session, cast.alice, 1000, cast.carole.id, "t", Paid(Account.CHEQUE, "42"))
    invoice = issuing.issue(session, draft_of(10_000, company=acme, before_vat=True), command("one"))
    payments.pay(session, invoice, PaymentData(Method.CARD, 5_000, TODAY, "", "p"), None, utcnow())
    cash.take_to_bank(session, 300, "", cast.carole.id, "b")
    found = {each.account: each for each in takings(session, period(Span.MONTH, TODAY))}
    assert found[Account.CHEQUE].top_ups_cents == 1000
    assert found[Account.CARD].payments_cents == 5_000
    assert found[Account.BANK].others_cents == 300
    for account, each in found.items():
        assert each.total_cents == balance(session, account)


STEPS = st.lists(
    st.tuples(st.sampled_from(["top_up", "charge", "ask", "invoice", "credit", "again", "back"]), st.integers(1, 4000)),
    max_size=14,
)


def step(session, cast, order, what, cents, key):
    """Do something with money; what cannot be done now is refused and leaves nothing."""
    document = session.scalars(sa.select(Document).filter_by(kind=Kind.INVOICE).order_by(Document.id.desc())).first()
    match what:
        case "top_up":
            topping_up.top_up(session, cast.alice, cents, cast.carole.id, key)
        case "charge":
            cents = min(cents, ledger.balance_cents(session, cast.alice.id)) or 1
            ledger.reserve(session, cast.alice.id, order.id, cents, f"{key}-r", say("Test"))
            ledger.charge(session, cast.alice.id, order.id, cents, f"{key}-c", say("Test"), cast.bob.id)
        case "ask":
            from_orders.invoice_member(session, order, HOME, "fr", command(key))
        case "invoice":
            issuing.issue(session, draft_of(cents, cents + 7, person_id=cast.alice.id), command(key))
        case "credit" | "again" if document is not None:
            crediting.issue(session, document, Credit(cents, "Test", invoice_again=what == "again"), command(key))
        case "back" if document is not None:
            data = PaymentData(Method.WALLET, cents, TODAY, "", key)
            payments.pay(session, document, data, None, utcnow())


RULES = st.sampled_from([(rules, regime) for rules in Prepaid for regime in (STANDARD, FRANCHISE)][1:])


@given(STEPS, RULES)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_vat_summary_is_the_account_of_vat_to_the_cent(place, steps, held):
    rules, regime = held
    with sa.orm.Session(db.engine()) as session:
        cast = small_place(session, cents=0)
        open_books(session, regime)
        prepaid.set_rules(session, RulesData(TODAY, rules, 1_000_000), None)
        topping_up.top_up(session, cast.alice, 3_000, cast.carole.id, "start")
        order = order_cube(session, cast.alice)
        ledger.release(session, cast.alice.id, order.id, "free", say("Test"), None)
        order.state = OrderState.COLLECTED
        jobs.of_order(session, order.id)[0].good_copies = 1
        for number, (what, cents) in enumerate(steps):
            try:
                with session.begin_nested():
                    step(session, cast, order, what, cents, f"k{number}")
            except (Invalid, Conflict):
                continue
        found = list(sales(session, YEAR))
        booked = by_rate(each for each in found if each.booked)
        assert sum(each.vat_cents for each in booked) == -balance(session, Account.VAT)
        if regime is FRANCHISE:
            assert balance(session, Account.VAT) == balance(session, Account.VAT_PREPAID) == 0
        days = list(
            csv.DictReader(io.StringIO(sheets.vat_summary(session, YEAR).content.decode("utf-8-sig")), delimiter=";")
        )
        written = sum(round(float(row["vat"].replace(",", ".")) * 100) for row in days if row["vat_is_booked"] == "yes")
        assert written == -balance(session, Account.VAT)
        session.rollback()


def test_e_reporting_names_consumers_by_day_and_rate_and_leaves_companies_out(session):
    cast, acme = business(session)
    issuing.issue(session, draft_of(10_000, company=acme, before_vat=True), command("company"))
    prepaid.set_rules(session, RulesData(TODAY, Prepaid.SINGLE_PURPOSE), None)
    topping_up.top_up(session, cast.alice, 1200, cast.carole.id, "t")
    made = sheets.e_reporting(session, period(Span.MONTH, TODAY))
    rows = list(csv.DictReader(io.StringIO(made.content.decode("utf-8-sig")), delimiter=";"))
    assert Counter(row["what"] for row in rows) == {"sales": 1, "payments": 1}
    (sale,) = [row for row in rows if row["what"] == "sales"]
    assert [sale[name] for name in ("date", "rate", "net", "vat")] == [TODAY.isoformat(), "20,00", "10,00", "2,00"]


@pytest.mark.parametrize(
    ("cents", "words", "passed"),
    [
        (6_799_999, None, None),
        (6_800_000, "more than 80", False),
        (8_500_000, "from next year on", True),
        (9_350_000, "from this sale on", True),
    ],
)
def test_the_thresholds_of_the_exemption_are_said_in_time(session, cents, words, passed):
    business(session, FRANCHISE)
    issuing.issue(session, draft_of(cents), command("big"))
    warned = thresholds.warning(session, TODAY)
    assert (words is None) == (warned is None)
    if warned is not None:
        assert words in str(warned.sentence)
        assert warned.passed == passed
        assert "293 B" in warned.source


def test_without_the_exemption_there_is_nothing_to_warn_of(session):
    business(session)
    issuing.issue(session, draft_of(9_900_000), command("big"))
    assert thresholds.warning(session, TODAY) is None


def test_two_who_count_at_once_book_the_difference_once(any_place):
    with db.transaction() as session:
        by_id = small_place(session).carole.id
        expected = cash.expected_cents(session)
    refused = []

    def counting(key):
        def run():
            try:
                with bus.using(bus.SilentTransport()), db.transaction() as session:
                    cash.count(session, CountData(key, expected, expected - 100, reason="Missing"), by_id)
            except Invalid as problem:
                refused.append(str(problem.sentence))

        return threading.Thread(target=run)

    both = [counting(key) for key in ("one", "two")]
    for each in both:
        each.start()
    for each in both:
        each.join(60)
    with db.reading() as session:
        assert cash.expected_cents(session) == expected - 100
        assert len(cash.counts(session)) == 1
    assert len(refused) == 1
    assert "while you counted" in refused[0]
