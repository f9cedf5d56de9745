"""Deposits: asked for a confirmed order, paid like any invoice, deducted by the final one, and never owed twice."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from fablab import bus, db
from fablab.billing import seller
from fablab.billing import services as billing
from fablab.billing.models import Account, LedgerEntry, LedgerLine
from fablab.bookkeeping import fec, sales
from fablab.bookkeeping.fec_checking import findings as fec_findings
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.periods import period
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.invoicing import advances, crediting, deposits, from_orders, issuing, payments, queries, verifying
from fablab.invoicing.content import from_text
from fablab.invoicing.crediting import Credit
from fablab.invoicing.deposits import Asked
from fablab.invoicing.models import Document, Kind, Method
from fablab.invoicing.payments import PaymentData
from fablab.orders.models import Order
from fablab.receivables import reminders, statement
from tests.books import FRANCHISE, STANDARD, business, command, company_order, draft_of, make
from tests.running import FABLAB

TODAY = utcnow().date()


@pytest.fixture
def session(any_place):
    with db.transaction() as session:
        yield session
        assert [str(each) for each in verifying.findings(session)] == []


def ordered(session, regime=STANDARD, quantity=2):
    cast, acme = business(session, regime)
    order = company_order(session, cast.alice, acme, quantity)
    order.price_cents = 10_000
    order.line.price_cents = 10_000
    session.flush()
    return cast, acme, order


def pay(session, invoice, cents, key="paid"):
    return payments.pay(session, invoice, PaymentData(Method.TRANSFER, cents, TODAY, "", key), None, utcnow())


def on(session, account: Account) -> int:
    lines = session.query(LedgerLine).where(LedgerLine.account == account)
    return -sum(each.amount_cents for each in lines)


def vat(session) -> tuple[int, int]:
    """VAT that is due, and VAT that waits until its deposit is paid."""
    return on(session, Account.VAT), on(session, Account.VAT_WAITING)


def test_a_deposit_of_a_percentage_is_numbered_among_the_invoices_and_its_vat_is_due_when_it_is_paid(session):
    _, acme, order = ordered(session)
    issuing.issue(session, draft_of(1000, company=acme, before_vat=True), command("before"))
    made = deposits.issue(session, order, Asked(percent=30), command("deposit"))
    said = from_text(made.payload)
    assert (made.kind, made.number[-5:], made.gross_cents) == (Kind.DEPOSIT, "00002", 3600)
    assert (said.net_cents, said.vat_cents, said.paid_cents, said.po_number) == (3000, 600, 0, "")
    assert "30\N{NO-BREAK SPACE}%" in said.lines[0].text
    assert (on(session, Account.ADVANCES), vat(session)) == (3000, (200, 600))
    pay(session, made, 1200, "a third")
    assert vat(session) == (400, 400)
    taken_back = pay(session, made, 2400, "the rest")
    assert vat(session) == (800, 0)
    payments.reverse(session, taken_back, None)
    assert vat(session) == (400, 400)


def test_the_final_invoice_deducts_what_was_paid_and_the_rest_of_the_deposit_is_credited(session):
    cast, acme, order = ordered(session)
    paid = deposits.issue(session, order, Asked(percent=30), command("one"))
    part = deposits.issue(session, order, Asked(cents=2000), command("two"))
    pay(session, paid, 3600, "one")
    pay(session, part, 500, "two")
    make(session, order, 2, cast.bob)
    (final,) = from_orders.invoice_company(session, acme, "", command("final"))
    said = from_text(final.payload)
    assert (final.net_cents, final.vat_cents, final.gross_cents) == (10_000, 2000, 12_000)
    assert [(each.number, each.gross_cents) for each in said.deposits] == [(paid.number, 3600), (part.number, 500)]
    assert (said.paid_cents, said.due_cents, queries.balance_cents(session, final)) == (4100, 7900, 7900)
    (note,) = queries.credit_notes(session, part.id)
    assert (note.gross_cents, queries.balance_cents(session, part)) == (1500, 0)
    assert from_text(note.payload).corrects.reason == f"Non utilisé pour la facture {final.number}"
    assert (on(session, Account.SALES), on(session, Account.ADVANCES), vat(session)) == (10_000, 0, (2000, 0))
    assert deposits.deducted_by(session, paid) == [final]
    assert from_orders.invoice_company(session, acme, "", command("final")) == [final]
    with pytest.raises(Conflict):
        crediting.issue(session, paid, Credit(100, "Trop tard"), command("late"))


def test_a_deposit_larger_than_what_was_made_pays_the_invoice_and_gives_a_credit_note_for_the_rest(session):
    cast, acme, order = ordered(session)
    deposit = deposits.issue(session, order, Asked(percent=80), command("deposit"))
    pay(session, deposit, 9600)
    make(session, order, 1, cast.bob)
    (final,) = from_orders.invoice_company(session, acme, "", command("final"))
    assert (final.gross_cents, from_text(final.payload).due_cents) == (6000, 0)
    assert queries.standing(session, final, TODAY) == queries.Standing.PAID
    assert queries.balance_cents(session, deposit) == -3600
    assert queries.standing(session, deposit, TODAY) == queries.Standing.TO_REFUND
    pay(session, deposit, 3600, "back")
    assert (on(session, Account.RECEIVABLE), on(session, Account.SALES), vat(session)) == (0, 5000, (1000, 0))


@pytest.mark.parametrize("paid_cents", [0, 1000, 3600])
def test_the_deposit_of_a_cancelled_order_is_credited_whatever_was_paid_of_it(session, paid_cents):
    cast, _, order = ordered(session)
    deposit = deposits.issue(session, order, Asked(percent=30), command("deposit"))
    if paid_cents:
        pay(session, deposit, paid_cents)
    assert deposits.orphans(session) == []
    billing.cancel(session, order, cast.alice)
    assert deposits.orphans(session) == [order.id]
    (note,) = deposits.credit_cancelled(session, order.id, utcnow())
    assert deposits.credit_cancelled(session, order.id, utcnow()) == []
    assert (note.gross_cents, queries.balance_cents(session, deposit)) == (3600, -paid_cents)
    assert (on(session, Account.ADVANCES), vat(session)) == (0, (0, 0))


def test_an_invoice_that_is_written_again_deducts_the_deposit_again(session):
    cast, acme, order = ordered(session)
    deposit = deposits.issue(session, order, Asked(percent=30), command("deposit"))
    pay(session, deposit, 3600)
    make(session, order, 2, cast.bob)
    (wrong,) = from_orders.invoice_company(session, acme, "", command("final"))
    again = Credit(12_000, "Adresse", invoice_again=True)
    assert crediting.consequence(session, wrong, again).balance_after_cents == 0
    note = crediting.issue(session, wrong, again, command("note"))
    assert queries.balance_cents(session, wrong) == 0
    assert from_text(note.payload).deposits
    assert (on(session, Account.ADVANCES), on(session, Account.SALES), vat(session)) == (3000, 0, (600, 0))
    (right,) = from_orders.invoice_company(session, acme, "", command("again"))
    assert from_text(right.payload).paid_cents == 3600
    assert (queries.balance_cents(session, right), on(session, Account.ADVANCES)) == (8400, 0)


def test_a_final_invoice_that_is_credited_for_good_is_to_be_paid_back_with_its_deposit(session):
    cast, acme, order = ordered(session)
    pay(session, deposits.issue(session, order, Asked(percent=30), command("deposit")), 3600)
    make(session, order, 2, cast.bob)
    (final,) = from_orders.invoice_company(session, acme, "", command("final"))
    crediting.issue(session, final, Credit(12_000, "Tout est cassé"), command("note"))
    assert queries.balance_cents(session, final) == -3600


def test_without_vat_a_deposit_has_none(session):
    cast, acme, order = ordered(session, FRANCHISE)
    deposit = deposits.issue(session, order, Asked(percent=50), command("deposit"))
    pay(session, deposit, 5000)
    make(session, order, 2, cast.bob)
    (final,) = from_orders.invoice_company(session, acme, "", command("final"))
    assert (deposit.gross_cents, final.gross_cents, vat(session)) == (5000, 10_000, (0, 0))
    assert queries.balance_cents(session, final) == 5000


def test_a_click_too_many_is_one_deposit(session):
    _, _, order = ordered(session)
    first = deposits.issue(session, order, Asked(percent=30), command("deposit"))
    assert deposits.issue(session, order, Asked(percent=30), command("deposit")) == first
    assert deposits.room(session, order, utcnow()).rest_cents == 8400


def test_four_who_press_at_once_make_one_deposit(any_place):
    with db.transaction() as session:
        _, _, order = ordered(session)

    def press(_):
        with bus.using(bus.SilentTransport()), db.transaction() as session:
            mine = session.get_one(Order, order.id)
            return deposits.issue(session, mine, Asked(percent=30), command("deposit")).number

    with ThreadPoolExecutor(4) as together:
        assert len(set(together.map(press, range(8)))) == 1
    with db.reading() as session:
        assert session.query(Document).count() == 1


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (Asked(), "amount"),
        (Asked(cents=100, percent=10), "amount"),
        (Asked(percent=0), "percent"),
        (Asked(percent=101), "percent"),
        (Asked(cents=0), "amount"),
        (Asked(cents=-1), "amount"),
        (Asked(cents=12_001), "amount"),
    ],
)
def test_a_deposit_is_more_than_nothing_and_at_most_the_price(session, asked, field):
    _, _, order = ordered(session)
    with pytest.raises(Invalid) as refused:
        deposits.issue(session, order, asked, command("deposit"))
    assert refused.value.field == field


def test_the_order_of_a_deposit_is_not_invoiced_again_by_crediting_it(session):
    _, _, order = ordered(session)
    deposit = deposits.issue(session, order, Asked(percent=30), command("deposit"))
    with pytest.raises(Invalid) as refused:
        crediting.issue(session, deposit, Credit(3600, "Adresse", invoice_again=True), command("note"))
    assert refused.value.field == "invoice_again"


def test_two_deposits_are_never_more_than_the_price_and_a_credited_one_makes_room(session):
    _, _, order = ordered(session)
    first = deposits.issue(session, order, Asked(percent=60), command("one"))
    with pytest.raises(Invalid, match="48"):
        deposits.issue(session, order, Asked(percent=50), command("two"))
    crediting.issue(session, first, Credit(7200, "Autre montant"), command("note"))
    assert deposits.issue(session, order, Asked(percent=50), command("three")).gross_cents == 6000


def test_only_a_companys_order_that_is_under_way_has_deposits(session):
    cast, _, order = ordered(session)
    make(session, order, 2, cast.bob)
    with pytest.raises(Conflict):
        deposits.issue(session, order, Asked(percent=30), command("late"))


def test_the_journals_the_vat_and_the_statement_tell_of_deposits(session):
    cast, acme, order = ordered(session)
    deposit = deposits.issue(session, order, Asked(percent=33), command("deposit"))
    pay(session, deposit, 1001, "part")
    assert booked_vat(session) == vat(session)[0] > 0
    pay(session, deposit, 2959, "rest")
    make(session, order, 2, cast.bob)
    (final,) = from_orders.invoice_company(session, acme, "", command("final"))
    exported = fec.export(session, TODAY.year)
    assert list(fec_findings(exported.name, exported.content)) == []
    text = exported.content.decode(fec.ENCODING)
    assert "\t419120\t" in text
    assert "\t445740\t" in text
    assert (booked_vat(session), sold(session)) == (2000, 10_000)
    account = statement.of(session, acme, TODAY, TODAY)
    assert [each.amount_cents for each in account.lines] == [3960, -1001, -2959, 8040]
    assert account.closing_cents == queries.balance_cents(session, final)


def booked_vat(session) -> int:
    return sum(each.vat_cents for each in sales.sales(session, period(Span.YEAR, TODAY)))


def sold(session) -> int:
    return sum(each.net_cents for each in sales.sales(session, period(Span.YEAR, TODAY)))


def test_an_overdue_deposit_is_reminded_of_like_an_invoice(session):
    _, acme, order = ordered(session)
    acme.payment_days = 0
    deposits.issue(session, order, Asked(percent=30), command("deposit"))
    day = TODAY.replace(year=TODAY.year + 1)
    assert [each.invoice.kind for each in reminders.overdue(session, day)] == [Kind.DEPOSIT]


def test_deductions_that_somebody_changes_are_found(any_place):
    with db.transaction() as session:
        cast, acme, order = ordered(session)
        pay(session, deposits.issue(session, order, Asked(percent=30), command("deposit")), 3600)
        make(session, order, 2, cast.bob)
        (final,) = from_orders.invoice_company(session, acme, "", command("final"))
    with db.engine().begin() as connection:
        lite = connection.dialect.name == "sqlite"
        connection.exec_driver_sql(f"DROP TRIGGER deduction_{'no_update' if lite else 'append_only ON deduction'}")
        connection.exec_driver_sql("UPDATE deduction SET net_cents = net_cents + 1")
    done = subprocess.run([FABLAB, "billing", "verify"], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert final.number in done.stdout + done.stderr


def test_a_deposit_of_another_vat_regime_has_to_be_credited_first(session):
    cast, acme, order = ordered(session)
    deposit = deposits.issue(session, order, Asked(percent=30), command("deposit"))
    pay(session, deposit, 3600)
    make(session, order, 2, cast.bob)
    seller.set_regime(session, FRANCHISE, None)
    with pytest.raises(Conflict, match=deposit.number):
        from_orders.invoice_company(session, acme, "", command("final"))
    crediting.issue(session, deposit, Credit(3600, "Régime de TVA"), command("note"))
    assert len(from_orders.invoice_company(session, acme, "", command("then"))) == 1


def test_entries_of_deposits_balance(session):
    _, _, order = ordered(session)
    pay(session, deposits.issue(session, order, Asked(cents=1111), command("deposit")), 777)
    assert all(sum(line.amount_cents for line in entry.lines) == 0 for entry in session.query(LedgerEntry))
    assert advances.of_order(session, order.id)[0].deductible_cents == 777
    assert session.query(Document).count() == 1


def test_a_company_pays_no_more_in_cash_for_one_sale_than_the_law_lets_it(session):
    cast, acme, order = ordered(session)
    order.price_cents = order.line.price_cents = 160_000
    session.flush()

    def in_cash(invoice, cents, key):
        payments.pay(session, invoice, PaymentData(Method.CASH, cents, TODAY, "", key), None, utcnow())

    first = deposits.issue(session, order, Asked(cents=60_000), command("first"))
    second = deposits.issue(session, order, Asked(cents=60_000), command("second"))
    in_cash(first, 60_000, "one")
    with pytest.raises(Invalid, match=r"At most €1000\.00 of a sale"):
        in_cash(second, 60_000, "two")
    pay(session, second, 60_000)
    make(session, order, 2, cast.bob)
    (final,) = from_orders.invoice_company(session, acme, "", command("final"))
    with pytest.raises(Invalid, match=r"At most €1000\.00 of a sale"):
        in_cash(final, 40_001, "three")
    in_cash(final, 40_000, "four")
    other = issuing.issue(session, draft_of(100_000, company=acme), command("another sale"))
    in_cash(other, 100_000, "five")
