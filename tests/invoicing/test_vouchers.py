"""Top-ups that are the sale: invoiced with VAT once, paid, used, given back and paid out, and the books agree."""

import csv
import io
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fablab import db
from fablab.accounts.models import Person
from fablab.billing import ledger, prepaid, receipts, seller, vouchers
from fablab.billing.ledger import Paid
from fablab.billing.models import Account, LedgerEntry, Prepaid
from fablab.billing.prepaid import RulesData
from fablab.bookkeeping import fec, sheets
from fablab.bookkeeping.fec_checking import findings as fec_findings
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.periods import period
from fablab.bookkeeping.sales import sales
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.invoicing import crediting, from_orders, payments, queries, topping_up, verifying
from fablab.invoicing.content import from_text
from fablab.invoicing.crediting import Credit
from fablab.invoicing.models import Document, Kind, Method
from fablab.invoicing.payments import PaymentData
from fablab.jobs import queries as jobs
from fablab.orders.models import OrderState
from fablab.words import say
from tests.books import FRANCHISE, HOME, SELLER, command, make, open_books
from tests.invoicing import invariants as inv
from tests.people import order_cube, small_place

TODAY = seller.today(utcnow())
YEAR = period(Span.YEAR, TODAY)
SINGLE = RulesData(TODAY, Prepaid.SINGLE_PURPOSE, 1_000_000)


@pytest.fixture
def cast(session):
    return selling_vouchers(session)


def selling_vouchers(session):
    people = small_place(session, cents=0)
    open_books(session)
    prepaid.set_rules(session, SINGLE, None)
    return people


def topped_up(session, cast, cents=1200, key="first", paid=ledger.IN_CASH):
    entry = topping_up.top_up(session, cast.alice, cents, cast.carole.id, key, paid)
    return session.get_one(Document, entry.document_id)


def balance(session, account):
    return -inv.total(session, account)


def found(session):
    return [str(each) for each in verifying.findings(session)]


@pytest.mark.parametrize(
    ("account", "method"),
    [(Account.CASH, "cash"), (Account.CHEQUE, "cheque"), (Account.CARD, "card"), (Account.BANK, "transfer")],
)
def test_a_top_up_is_a_numbered_invoice_with_vat_paid_by_its_method(session, cast, account, method):
    before = balance(session, account)
    made = topped_up(session, cast, paid=Paid(account, "42"))
    assert topped_up(session, cast, paid=Paid(account, "42")) is made
    said = from_text(made.payload)
    assert (made.kind, made.number) == (Kind.VOUCHER, f"F-{TODAY.year}-00001")
    assert (said.net_cents, said.vat_cents, said.paid_cents, said.due_cents, said.paid_by) == (
        1000,
        200,
        1200,
        0,
        method,
    )
    assert queries.standing(session, made, TODAY) == queries.Standing.PAID
    assert [each.method for each in queries.payments_of(session, made.id)] == [method]
    assert balance(session, account) == before + 1200
    assert ledger.held_cents(session, cast.alice.id) == 1200
    assert (balance(session, Account.VAT), balance(session, Account.VAT_PREPAID)) == (-200, 200)
    assert balance(session, Account.RECEIVABLE) == balance(session, Account.SALES) == 0
    receipt = receipts.of_top_up(session, receipts.of_wallet(session, cast.alice.id)[0].id)
    assert (receipt.account, receipt.amount_cents, receipt.net_cents, receipt.vat_cents) == (account, 1200, 1000, 200)
    assert found(session) == []


def test_a_print_paid_with_it_is_no_second_sale_and_gets_no_second_invoice(session, cast):
    made = topped_up(session, cast)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    assert balance(session, Account.VAT) == -200
    (part,) = vouchers.of_order(session, order.id)
    assert (part.document_id, part.cents) == (made.id, order.price_cents)
    assert from_orders.to_invoice_cents(session, order) == 0
    with pytest.raises(Conflict, match="nothing to invoice"):
        from_orders.invoice_member(session, order, HOME, "fr", command("ask"))
    assert [each.kind for each in inv.documents(session)] == [Kind.VOUCHER]
    assert sum(each.vat_cents for each in sales(session, YEAR)) == 200
    assert found(session) == []


def test_a_refund_into_the_wallet_is_a_voucher_again_and_changes_no_vat(session, cast):
    topped_up(session, cast)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    ledger.give_back(session, cast.alice.id, order.id, order.price_cents, "back", say("Test"), cast.bob.id)
    ledger.give_back(session, cast.alice.id, order.id, order.price_cents, "back", say("Test"), cast.bob.id)
    assert vouchers.left_cents(session, cast.alice.id) == ledger.held_cents(session, cast.alice.id) == 1200
    assert (balance(session, Account.VAT), balance(session, Account.VAT_PREPAID)) == (-200, 200)
    assert balance(session, Account.SALES) == 0
    assert found(session) == []


def test_what_is_paid_out_gets_a_credit_note_for_each_top_up_it_takes(session, cast):
    first, second = topped_up(session, cast), topped_up(session, cast, 600, "second")
    for _ in range(2):
        topping_up.pay_out(session, cast.alice, 1500, cast.carole.id, "out", Paid(Account.BANK, "VIR 9"))
    notes = [each for each in inv.documents(session) if each.kind == Kind.CREDIT_NOTE]
    assert [(each.corrects_id, each.gross_cents, each.vat_cents) for each in notes] == [
        (first.id, 1200, 200),
        (second.id, 300, 50),
    ]
    assert (balance(session, Account.BANK), balance(session, Account.VAT)) == (-1500, -50)
    assert balance(session, Account.RECEIVABLE) == 0
    assert ledger.held_cents(session, cast.alice.id) == vouchers.left_cents(session, cast.alice.id) == 300
    assert found(session) == []


def test_the_key_of_a_top_up_puts_nothing_else_into_a_wallet_whatever_the_rules_are(session, cast):
    ledger.top_up(session, cast.alice, 500, cast.carole.id, "before")
    topped_up(session, cast)
    held = ledger.held_cents(session, cast.charlie.id)
    for rules in (SINGLE, RulesData(TODAY)):
        prepaid.set_rules(session, rules, None)
        for person, cents, key, paid in (
            (cast.alice, 1201, "first", Paid()),
            (cast.alice, 1200, "first", Paid(Account.CARD)),
            (cast.charlie, 1200, "first", Paid()),
            (cast.alice, 501, "before", Paid()),
        ):
            with pytest.raises(Conflict, match="sent for something else"):
                topping_up.top_up(session, person, cents, cast.carole.id, key, paid)
        topped_up(session, cast)
        topping_up.top_up(session, cast.alice, 500, cast.carole.id, "before")
    assert [ledger.held_cents(session, each.id) for each in (cast.alice, cast.charlie)] == [1700, held]


@pytest.mark.parametrize("before", [0, 500])
def test_the_key_of_a_pay_out_takes_nothing_else_out_of_a_wallet(session, cast, before):
    """Whether vouchers alone are paid out, or other money with them."""
    if before:
        ledger.top_up(session, cast.alice, before, cast.carole.id, "before")
    topped_up(session, cast)
    topped_up(session, cast, 100, "second")
    cents, held = 1250 + before, ledger.held_cents(session, cast.charlie.id)
    for _ in range(2):
        topping_up.pay_out(session, cast.alice, cents, cast.carole.id, "out", Paid(Account.BANK))
    for person, other, paid in (
        (cast.alice, cents + 1, Paid(Account.BANK)),
        (cast.alice, cents - 1, Paid(Account.BANK)),
        (cast.alice, cents, Paid()),
        (cast.charlie, cents, Paid(Account.BANK)),
    ):
        with pytest.raises(Conflict, match="sent for something else"):
            topping_up.pay_out(session, person, other, cast.carole.id, "out", paid)
    assert [ledger.held_cents(session, each.id) for each in (cast.alice, cast.charlie)] == [1300 + before - cents, held]
    assert found(session) == []


def test_money_from_before_owes_its_vat_when_it_is_used_and_leaves_the_wallet_last(session, cast):
    ledger.top_up(session, cast.alice, 500, cast.carole.id, "from before")
    topped_up(session, cast, 60)
    order = order_cube(session, cast.alice)
    make(session, order, 1, cast.bob)
    rest = order.price_cents - 60
    vat = prepaid.vat_within(rest, 2000)
    assert balance(session, Account.VAT) == -10 - vat
    invoice = from_orders.invoice_member(session, order, HOME, "fr", command("ask"))
    assert invoice.gross_cents == rest
    assert balance(session, Account.VAT) == -10 - vat
    topping_up.pay_out(session, cast.alice, 1, cast.carole.id, "out", Paid(Account.CASH))
    assert found(session) == []


def test_only_what_is_free_in_the_wallet_is_credited_and_it_is_never_paid_back_into_it(session, cast):
    made = topped_up(session, cast)
    order = order_cube(session, cast.alice)
    free = 1200 - order.price_cents
    with pytest.raises(Invalid, match="free in the wallet"):
        crediting.issue(session, made, Credit(1200, "Test"), command("much"))
    with pytest.raises(Invalid, match="made again there"):
        crediting.issue(session, made, Credit(1200, "Test", invoice_again=True), command("again"))
    crediting.issue(session, made, Credit(free, "Test"), command("some"))
    assert ledger.balance_cents(session, cast.alice.id) == 0
    with pytest.raises(Invalid, match="in cash or to the bank"):
        payments.pay(session, made, PaymentData(Method.WALLET, free, TODAY, "", "w"), None, utcnow())
    payments.pay(session, made, PaymentData(Method.CASH, free, TODAY, "", "c"), None, utcnow())
    with pytest.raises(Conflict, match="pay it out there instead"):
        payments.reverse(session, queries.payments_of(session, made.id)[0], None)
    assert found(session) == []


def test_without_a_vat_number_the_desk_is_refused_and_money_that_has_come_owes_its_vat_when_used(session):
    cast = small_place(session, cents=0)
    open_books(session, identity=replace(SELLER, vat_number=""))
    prepaid.set_rules(session, SINGLE, None)
    with pytest.raises(Conflict, match="VAT number"):
        topped_up(session, cast)
    topping_up.receive(session, cast.alice, 1200, cast.alice.id, "online-1", Paid(Account.ONLINE))
    assert balance(session, Account.VAT) == 0
    make(session, order_cube(session, cast.alice), 1, cast.bob)
    assert balance(session, Account.VAT) < 0


@pytest.mark.parametrize("rule", [Prepaid.MULTI_PURPOSE, Prepaid.SINGLE_PURPOSE])
def test_where_no_vat_is_due_at_the_top_up_there_is_no_invoice_of_it(session, rule):
    cast = small_place(session, cents=0)
    open_books(session, FRANCHISE)
    prepaid.set_rules(session, RulesData(TODAY, rule), None)
    entry = topping_up.top_up(session, cast.alice, 1200, cast.carole.id, "k")
    assert entry.document_id is None
    topping_up.pay_out(session, cast.alice, 1200, cast.carole.id, "out", Paid(Account.CASH))
    assert inv.documents(session) == []


def test_what_is_noted_of_a_voucher_is_checked_against_its_invoice(session, cast):
    made = topped_up(session, cast)
    entry = session.scalars(sa.select(LedgerEntry).where(LedgerEntry.document_id == made.id)).first()
    vouchers.note(session, entry.id, [vouchers.Part(made.id, 1300, 200)])
    assert any("more was used of this top-up" in each for each in found(session))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["top_up", "top_up", "charge", "charge", "before", "back", "out", "credit", "refund", "ask", "rules"]
        ),
        st.integers(1, 4000),
    ),
    max_size=16,
)


def step(session, cast, order, what, cents, key):
    """Do something with money; what cannot be done now is refused and leaves nothing."""
    alice, carole = cast.alice, cast.carole.id
    invoice = session.scalars(sa.select(Document).filter_by(kind=Kind.VOUCHER).order_by(Document.id.desc())).first()
    match what:
        case "top_up":
            topping_up.top_up(session, alice, cents, carole, key, Paid(Account.CARD))
        case "before":
            ledger.top_up(session, alice, cents, carole, key)
        case "charge":
            cents = min(cents, ledger.balance_cents(session, alice.id)) or 1
            ledger.reserve(session, alice.id, order.id, cents, f"{key}-r", say("Test"))
            ledger.charge(session, alice.id, order.id, cents, f"{key}-c", say("Test"), cast.bob.id)
        case "back":
            ledger.give_back(session, alice.id, order.id, cents, key, say("Test"), cast.bob.id)
        case "out":
            topping_up.pay_out(session, alice, cents, carole, key, Paid(Account.BANK))
        case "credit" if invoice is not None:
            crediting.issue(session, invoice, Credit(cents, "Test"), command(key))
        case "refund" if invoice is not None:
            payments.pay(session, invoice, PaymentData(Method.CASH, cents, TODAY, "", key), None, utcnow())
        case "ask":
            from_orders.invoice_member(session, order, HOME, "fr", command(key))
        case "rules":
            rule = Prepaid.MULTI_PURPOSE if cents % 2 else Prepaid.SINGLE_PURPOSE
            prepaid.set_rules(session, replace(SINGLE, prepaid=rule), None)


def rows_of(made):
    return list(csv.DictReader(io.StringIO(made.content.decode("utf-8-sig")), delimiter=";"))


def cents_of(text):
    return round(float(text.replace(",", ".")) * 100)


@pytest.mark.timeout(400)
def test_ledger_journals_vat_summary_and_e_reporting_agree_and_count_nothing_twice(any_place):
    lite = db.engine().dialect.name == "sqlite"
    check = settings(max_examples=15 if lite else 4, deadline=None, suppress_health_check=list(HealthCheck))
    check(given(STEPS)(a_life_of_a_wallet))()


def a_life_of_a_wallet(steps):
    with sa.orm.Session(db.engine()) as session:
        cast = selling_vouchers(session)
        topped_up(session, cast, 3_000)
        order = order_cube(session, cast.alice)
        ledger.release(session, cast.alice.id, order.id, "free", say("Test"), None)
        order.state, order.price_cents = OrderState.COLLECTED, 10**6
        jobs.of_order(session, order.id)[0].good_copies = 1
        for number, (what, cents) in enumerate(steps):
            try:
                with session.begin_nested():
                    step(session, cast, order, what, cents, f"key-{number}")
            except (Invalid, Conflict):
                continue
        assert found(session) == []
        the_books_agree(session, cast, order)
        session.rollback()


def the_books_agree(session, cast, order):
    left = vouchers.total(vouchers.left(session, cast.alice.id))
    vat = -balance(session, Account.VAT)
    turnover = list(sales(session, YEAR))
    assert sum(each.vat_cents for each in turnover if each.booked) == vat
    assert all(each.booked for each in turnover)
    # What is sold before VAT: what was used, and the vouchers that are still to be used.
    unused = left.cents - left.vat_cents
    assert sum(each.net_cents for each in turnover) == -balance(session, Account.SALES) + unused
    assert balance(session, Account.VAT_PREPAID) == left.vat_cents
    summary = [row for row in rows_of(sheets.vat_summary(session, YEAR)) if row["vat_is_booked"] == "yes"]
    assert sum(cents_of(row["vat"]) for row in summary) == vat
    reported = rows_of(sheets.e_reporting(session, YEAR))
    assert sum(cents_of(row["vat"]) for row in reported if row["what"] == "sales") == vat
    money = sum(balance(session, each) for each in (Account.CASH, Account.CARD, Account.BANK))
    assert sum(cents_of(row["gross"]) for row in reported if row["what"] == "payments") == money
    made = fec.export(session, TODAY.year)
    assert [str(each) for each in fec_findings(made.name, made.content)] == []
    journal = csv.DictReader(io.StringIO(made.content.decode("iso8859-15")), delimiter="\t")
    booked = [row for row in journal if row["CompteNum"].startswith("44571")]
    assert sum(cents_of(row["Credit"]) - cents_of(row["Debit"]) for row in booked) == vat
    inv.p7_what_clients_owe_is_documents_less_payments(session)
    inv.p8_wallets_are_the_advances_of_members(session, list(session.scalars(sa.select(Person.id))))
    inv.p5_nothing_is_credited_twice(session)
    assert ledger.to_invoice_cents(session, order.id) >= queries.invoiced_cents(session, order.id) >= 0
