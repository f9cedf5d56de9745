"""Corners where money once went wrong: keys, refunds taken back, orders invoiced again, numbers, the day of VAT."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from fablab.billing import ledger, seller
from fablab.billing.ledger import Paid
from fablab.billing.models import Account, LedgerLine
from fablab.bookkeeping import sheets
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.periods import period
from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.invoicing import crediting, deposits, from_orders, issuing, payments, queries, verifying
from fablab.invoicing.content import Buyer, from_text
from fablab.invoicing.crediting import Credit
from fablab.invoicing.deposits import Asked
from fablab.invoicing.issuing import Command
from fablab.invoicing.models import Document, Kind, Method
from fablab.invoicing.payments import PaymentData
from fablab.orders import services as orders
from fablab.orders.models import OrderState
from fablab.quotes import answering
from fablab.quotes.answering import Signature
from fablab.refunds import services as refunds
from fablab.refunds.models import Answer, Wish
from fablab.refunds.services import Decision
from tests.books import (
    FRANCHISE,
    SELLER,
    STANDARD,
    business,
    command,
    company_order,
    draft_of,
    made_company_order,
    make,
    open_books,
)
from tests.conftest import environment
from tests.people import order_cube, small_place
from tests.quoting import quoted
from tests.services.test_orders_of_several_parts import three_cubes

DAY = period(Span.DAY, seller.today(utcnow()))
HOME = Buyer("Alice Martin", "1 rue Haute", "26400", "Crest")
TODAY = seller.today(utcnow())
DAY = period(Span.DAY, TODAY)


def asked(session, order):
    return refunds.ask(session, order, Wish.REFUND, "A layer has slipped.", order.person, utcnow())


def refunded(session, order, cents, by):
    return refunds.decide(session, asked(session, order), Decision(Answer.REFUND, refund_cents=cents), by, utcnow())


def paid(session, invoice, method, cents, key):
    return payments.pay(session, invoice, PaymentData(method, cents, TODAY, "", key), None, utcnow())


def emptied(session, person, by):
    ledger.pay_out(session, person, ledger.balance_cents(session, person.id), by.id, f"out-{person.id}", Paid())


def account(session, which):
    return session.scalar(sa.select(sa.func.sum(LedgerLine.amount_cents)).where(LedgerLine.account == which)) or 0


def test_the_key_of_a_members_form_takes_no_other_documents_place(session):
    cast, acme = business(session)
    theirs = made_company_order(session, cast, acme)
    (invoice,) = from_orders.invoice_company(session, acme, "", command("one"))
    complaint = asked(session, theirs)
    mine = make(session, order_cube(session, cast.charlie), 1, cast.bob)
    from_orders.invoice_member(session, mine, HOME, "fr", command(f"refund-{complaint.id}", cast.charlie))
    refunds.decide(session, complaint, Decision(Answer.REFUND, refund_cents=100), cast.bob, utcnow())
    assert queries.credited_cents(session, invoice.id) == 100


def test_nor_that_of_a_deposit(session):
    with environment(quote_deposit_percent="30"):
        cast, acme = business(session)
        quote = quoted(session, three_cubes(session, cast.alice), cast.alice, acme)
        mine = make(session, order_cube(session, cast.charlie), 1, cast.bob)
        from_orders.invoice_member(session, mine, HOME, "fr", command(f"quote-{quote.id}", cast.charlie))
        answering.accept(session, quote, Signature("Alice", cast.alice), "", utcnow())
        assert session.scalars(sa.select(Document.company_id).where(Document.kind == Kind.DEPOSIT)).all() == [acme.id]


def test_taking_back_a_refund_never_takes_a_wallet_below_nothing(session):
    cast, _ = business(session)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    invoice = from_orders.invoice_member(session, order, HOME, "fr", command("mine"))
    refunded(session, order, order.price_cents, cast.bob)
    emptied(session, cast.alice, cast.carole)
    (back,) = [each for each in queries.payments_of(session, invoice.id) if each.amount_cents < 0]
    with suppress(Conflict):
        payments.reverse(session, back, cast.carole.id)
    assert ledger.balance_cents(session, cast.alice.id) >= 0
    assert list(verifying.findings(session)) == []


def test_what_was_refunded_is_not_invoiced_again(session):
    cast, acme = business(session)
    order = made_company_order(session, cast, acme)
    (first,) = from_orders.invoice_company(session, acme, "", command("first"))
    refunded(session, order, 100, cast.bob)
    rest = first.gross_cents - 100
    crediting.issue(session, first, Credit(rest, "Adresse", invoice_again=True), command("note"))
    (again,) = from_orders.invoice_company(session, acme, "", command("again"))
    assert (queries.balance_cents(session, first), again.gross_cents) == (0, rest)


def test_nor_to_a_member_who_then_owes_nothing(session):
    cast, _ = business(session)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    first = from_orders.invoice_member(session, order, HOME, "fr", command("mine"))
    refunded(session, order, 100, cast.bob)
    rest = first.gross_cents - 100
    crediting.issue(session, first, Credit(rest, "Adresse", invoice_again=True), command("note"))
    again = from_orders.invoice_member(session, order, HOME, "fr", command("again"))
    assert (queries.balance_cents(session, first), again.gross_cents) == (0, rest)


def test_numbers_go_on_when_an_association_gets_its_siren(session):
    open_books(session, FRANCHISE, replace(SELLER, siren="", siret="", vat_number=""))
    one = issuing.issue(session, draft_of(1000), command("one"))
    seller.set_identity(session, replace(SELLER, valid_from=TODAY), None)
    two = issuing.issue(session, draft_of(1000), command("two"))
    assert [one.number[-5:], two.number[-5:]] == ["00001", "00002"]


def test_parts_that_were_made_and_not_collected_can_be_invoiced(session):
    cast, acme = business(session)
    mine = make(session, order_cube(session, cast.charlie), 1, cast.bob)
    theirs = made_company_order(session, cast, acme)
    for each in (mine, theirs):
        orders.move(session, each, OrderState.ABANDONED, cast.bob.id)
    assert ledger.charged_cents(session, mine.id) == from_orders.to_invoice_cents(session, mine)
    assert [each.orders for each in from_orders.waiting(session)] == [(theirs,)]


def test_goods_that_were_delivered_under_the_exemption_are_invoiced_without_vat(session):
    cast = small_place(session)
    open_books(session, FRANCHISE)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    tomorrow = utcnow() + timedelta(days=1)
    seller.set_regime(session, replace(STANDARD, valid_from=seller.today(tomorrow)), None)
    invoice = from_orders.invoice_member(session, order, HOME, "fr", Command("late", None, tomorrow))
    assert (from_text(invoice.payload).delivered_on, invoice.vat_cents) == (TODAY, 0)


def test_vat_of_what_was_delivered_stays_due_when_the_deposits_cheque_bounces(session):
    cast, acme = business(session)
    order = company_order(session, cast.alice, acme)
    order.price_cents = order.line.price_cents = 10_000
    session.flush()
    deposit = deposits.issue(session, order, Asked(percent=50), command("deposit"))
    cheque = paid(session, deposit, Method.CHEQUE, 6000, "cheque")
    make(session, order, 1, cast.bob)
    from_orders.invoice_company(session, acme, "", command("final"))
    payments.reverse(session, cheque, None)
    assert -account(session, Account.VAT) == 2000


def test_many_partial_credit_notes_leave_books_that_verify(session):
    _, acme = business(session, replace(STANDARD, companies_before_vat=False))
    invoice = issuing.issue(session, draft_of(20_000, company=acme), command("one"))
    for place, cents in enumerate([500] * 8 + [16_000]):
        crediting.issue(session, invoice, Credit(cents, "Rayure"), command(f"note-{place}"))
    assert list(verifying.findings(session)) == []


def test_an_invoice_of_what_a_wallet_paid_is_no_new_transaction(session):
    cast = small_place(session)
    open_books(session, STANDARD)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    before = sheets.e_reporting(session, DAY).content
    from_orders.invoice_member(session, order, HOME, "fr", command("mine"))
    assert sheets.e_reporting(session, DAY).content == before
