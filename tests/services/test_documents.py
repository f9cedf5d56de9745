"""Invoices, credit notes and payments, on both databases."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from fablab import db
from fablab.billing import ledger, seller
from fablab.billing.models import Account, LedgerEntry, LedgerLine, Regime
from fablab.billing.seller import RegimeData
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.invoicing import chain, crediting, from_orders, issuing, payments, queries
from fablab.invoicing.content import Buyer, from_text
from fablab.invoicing.crediting import Credit
from fablab.invoicing.models import Document, Method
from fablab.invoicing.payments import PaymentData
from fablab.invoicing.queries import Shown, Standing
from fablab.tables import APPEND_ONLY
from tests.books import (
    FRANCHISE,
    STANDARD,
    business,
    command,
    company_order,
    draft_of,
    made_company_order,
    make,
    open_books,
)
from tests.people import order_cube, small_place

TODAY = seller.today(utcnow())
HOME = Buyer("Alice Martin", "1 rue Haute", "26400", "Crest")


def balance_of(session, account):
    query = sa.select(sa.func.sum(LedgerLine.amount_cents)).where(LedgerLine.account == account)
    return session.scalar(query) or 0


def paid(cents, method=Method.TRANSFER, key="paid", on=TODAY):
    return PaymentData(method, cents, on, "VIR 4711", key)


def test_a_companys_order_reserves_nothing_and_is_owed_once_it_is_invoiced(session):
    cast, acme = business(session)
    order = made_company_order(session, cast, acme, quantity=3, po_number="BC-77")
    assert ledger.balance_cents(session, cast.alice.id) == 2000
    assert balance_of(session, Account.RECEIVABLE) == 0
    (waiting,) = from_orders.waiting(session)
    (invoice,) = from_orders.invoice_company(session, acme, waiting.po_number, command("one"))
    assert invoice.net_cents == order.price_cents
    assert invoice.vat_cents == round(order.price_cents * 0.2)
    assert balance_of(session, Account.RECEIVABLE) == invoice.gross_cents
    assert balance_of(session, Account.VAT) == -invoice.vat_cents
    assert from_orders.waiting(session) == []
    content = from_text(invoice.payload)
    assert (content.po_number, content.buyer.siret, content.lines[0].quantity) == ("BC-77", "55210055400013", 3)
    assert content.due_on == TODAY + timedelta(days=30)


def test_only_good_parts_are_invoiced(session):
    cast, acme = business(session)
    order = make(session, company_order(session, cast.alice, acme, 3), 2, cast.bob)
    (invoice,) = from_orders.invoice_company(session, acme, "", command("one"))
    assert invoice.net_cents == order.price_cents * 2 // 3
    assert from_text(invoice.payload).lines[0].quantity == 2


def test_the_same_command_twice_is_one_invoice_and_another_one_finds_nothing(session):
    cast, acme = business(session)
    made_company_order(session, cast, acme)
    first = from_orders.invoice_company(session, acme, "", command("one"))
    assert from_orders.invoice_company(session, acme, "", command("one")) == first
    with pytest.raises(Conflict, match="nothing to invoice"):
        from_orders.invoice_company(session, acme, "", command("two"))
    assert session.scalar(sa.select(sa.func.count(Document.id))) == 1


def test_a_members_invoice_is_paid_by_the_wallet_from_the_start(session):
    cast, _ = business(session)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    invoice = from_orders.invoice_member(session, order, HOME, "fr", command("one"))
    assert invoice.gross_cents == order.price_cents
    assert queries.standing(session, invoice, TODAY) == Standing.PAID
    assert balance_of(session, Account.RECEIVABLE) == 0
    assert balance_of(session, Account.SALES) == -invoice.net_cents
    assert balance_of(session, Account.VAT) == -invoice.vat_cents
    with pytest.raises(Conflict, match="nothing to invoice"):
        from_orders.invoice_member(session, order, HOME, "fr", command("two"))


def test_a_members_invoice_with_a_wrong_name_is_written_again_and_no_money_moves(session):
    cast, _ = business(session)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    wrong = from_orders.invoice_member(session, order, HOME, "fr", command("one"))
    crediting.issue(session, wrong, Credit(wrong.gross_cents, "Nom erroné", invoice_again=True), command("two"))
    right = from_orders.invoice_member(session, order, replace(HOME, name="Alice Durand"), "fr", command("three"))
    for invoice in (wrong, right):
        assert queries.balance_cents(session, invoice) == 0
    assert balance_of(session, Account.SALES) == -right.net_cents
    assert ledger.balance_cents(session, cast.alice.id) == 2000 - order.price_cents


def test_a_credited_member_gets_the_money_back_into_the_wallet(session):
    cast, _ = business(session)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    invoice = from_orders.invoice_member(session, order, HOME, "fr", command("one"))
    crediting.issue(session, invoice, Credit(100, "Pièce rayée"), command("two"))
    assert queries.standing(session, invoice, TODAY) == Standing.TO_REFUND
    payments.pay(session, invoice, paid(100, Method.WALLET), None, utcnow())
    assert queries.standing(session, invoice, TODAY) == Standing.PAID
    assert ledger.balance_cents(session, cast.alice.id) == 2000 - order.price_cents + 100


def test_numbers_follow_each_other_by_kind_and_year(session):
    _, acme = business(session)
    year = TODAY.year
    invoices = [issuing.issue(session, draft_of(1000, company=acme), command(str(n))) for n in range(3)]
    note = crediting.issue(session, invoices[0], Credit(100, "Geste"), command("note"))
    assert [each.number for each in invoices] == [f"F-{year}-0000{n}" for n in (1, 2, 3)]
    assert note.number == f"A-{year}-00001"
    later = replace(command("later"), now=utcnow() + timedelta(days=366))
    assert issuing.issue(session, draft_of(1000, company=acme), later).number == f"F-{later.now.year}-00001"
    with pytest.raises(Conflict, match="clock"):
        issuing.issue(session, draft_of(1000, company=acme), command("before"))


def test_another_legal_body_counts_from_one(session):
    _, acme = business(session)
    issuing.issue(session, draft_of(1000, company=acme), command("one"))
    from tests.books import SELLER

    merged = replace(SELLER, siren="552008443", siret="", vat_number="FR19552008443", name="Fusion", valid_from=TODAY)
    seller.set_identity(session, merged, None)
    assert issuing.issue(session, draft_of(1000, company=acme), command("two")).number.endswith("-00001")


def test_a_rolled_back_invoice_leaves_no_gap(any_place):
    with db.transaction() as session:
        _, acme = business(session)
    with pytest.raises(ZeroDivisionError), db.transaction() as session:
        issuing.issue(session, draft_of(1000, company=acme), command("lost"))
        raise ZeroDivisionError
    with db.transaction() as session:
        assert issuing.issue(session, draft_of(1000, company=acme), command("kept")).number.endswith("-00001")
        assert chain.hold(session).length == 1


@pytest.mark.parametrize("rate_bp", [0, -550, 1960, 2500, 200, 20])
def test_a_rate_that_is_not_in_the_law_is_refused(session, rate_bp):
    with pytest.raises(Invalid, match="rate of the law") as refused:
        seller.set_regime(session, RegimeData(TODAY, Regime.STANDARD, rate_bp), None)
    assert refused.value.field == "rate"


@pytest.mark.parametrize("regime", [Regime.FRANCHISE, Regime.EXEMPT_261_7, Regime.NOT_TAXABLE])
def test_a_seller_without_vat_can_never_write_any(session, regime):
    small_place(session)
    with pytest.raises(Invalid, match="VAT that is shown"):
        seller.set_regime(session, RegimeData(TODAY, regime, 2000), None)
    open_books(session, replace(FRANCHISE, regime=regime))
    invoice = issuing.issue(session, draft_of(999), command("one"))
    assert (invoice.vat_cents, invoice.gross_cents) == (0, 999)
    assert from_text(invoice.payload).mentions[0].code == regime.value
    with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
        session.execute(
            sa.insert(Document).values(
                {c.key: getattr(invoice, c.key) for c in Document.__table__.columns}
                | {
                    "id": 99,
                    "public_id": "x",
                    "position": 99,
                    "key": "x",
                    "number": "x",
                    "net_cents": 900,
                    "vat_cents": 99,
                }
            )
        )


def test_a_mention_holds_from_its_date_and_old_documents_keep_theirs(session):
    small_place(session)
    open_books(session, FRANCHISE)
    before = issuing.issue(session, draft_of(999), command("one"))
    seller.set_mention(session, "franchise", TODAY, "TVA non applicable, art. L. 223-3 du CIBS", None)
    seller.set_mention(session, "franchise", TODAY + timedelta(days=1), "Tomorrow", None)
    after = issuing.issue(session, draft_of(999), command("two"))
    assert "293 B" in from_text(before.payload).mentions[0].text
    assert "L. 223-3" in from_text(after.payload).mentions[0].text


def test_nothing_can_be_invoiced_before_somebody_said_who_sells(session):
    small_place(session)
    with pytest.raises(Conflict, match="who sells"):
        issuing.issue(session, draft_of(999), command("one"))


def test_a_regime_that_changes_holds_for_later_invoices_only(session):
    cast, acme = business(session, FRANCHISE)
    order = made_company_order(session, cast, acme)
    seller.set_regime(session, replace(STANDARD, valid_from=TODAY), None)
    (invoice,) = from_orders.invoice_company(session, acme, "", command("one"))
    assert invoice.gross_cents == order.price_cents, "the price was confirmed with VAT, whatever it is"
    assert invoice.vat_cents > 0


def test_part_payments_come_off_the_balance(session):
    _, acme = business(session)
    invoice = issuing.issue(session, draft_of(10_000, company=acme, before_vat=True), command("one"))
    assert queries.standing(session, invoice, TODAY) == Standing.DUE
    assert queries.standing(session, invoice, TODAY + timedelta(days=31)) == Standing.OVERDUE
    payments.pay(session, invoice, paid(5000), None, utcnow())
    payments.pay(session, invoice, paid(5000), None, utcnow())
    assert queries.balance_cents(session, invoice) == 7000, "the same payment sent twice is one"
    with pytest.raises(Invalid, match="Only €70"):
        payments.pay(session, invoice, paid(7001, key="much"), None, utcnow())
    payments.pay(session, invoice, paid(7000, Method.CARD, key="rest"), None, utcnow())
    assert queries.standing(session, invoice, TODAY) == Standing.PAID
    assert (balance_of(session, Account.BANK), balance_of(session, Account.CARD)) == (5000, 7000)
    with pytest.raises(Conflict, match="Nothing is due"):
        payments.pay(session, invoice, paid(1, key="more"), None, utcnow())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount_cents": 0}, "amount"),
        ({"received_on": TODAY + timedelta(days=1)}, "received_on"),
        ({"method": Method.CASH}, "method"),
        ({"method": Method.WALLET}, "method"),
    ],
)
def test_a_payment_that_cannot_be_is_refused_beside_its_field(session, change, field):
    _, acme = business(session)
    invoice = issuing.issue(session, draft_of(200_000, company=acme), command("one"))
    with pytest.raises(Invalid) as caught:
        payments.pay(session, invoice, replace(paid(100_001), **change), None, utcnow())
    assert caught.value.field == field
    assert queries.payments_of(session, invoice.id) == []


def test_the_key_of_a_payment_pays_nothing_else(session):
    _, acme = business(session)
    invoice = issuing.issue(session, draft_of(10_000, company=acme), command("one"))
    other = issuing.issue(session, draft_of(10_000, company=acme), command("two"))
    payments.pay(session, invoice, paid(5000), None, utcnow())
    asked_now = [(invoice, paid(4999)), (invoice, paid(5000, Method.CARD)), (other, paid(5000))]
    for about, data in asked_now:
        with pytest.raises(Conflict, match="sent for something else"):
            payments.pay(session, about, data, None, utcnow())
        with pytest.raises(Conflict, match="sent for something else"):
            payments.receive(session, about, data, None)
    again = payments.receive(session, invoice, paid(5000, on=TODAY + timedelta(days=1)), None)
    assert [again] == queries.payments_of(session, invoice.id), (
        "money that is heard of again on another day is the same"
    )
    assert queries.payments_of(session, other.id) == []


def test_people_pay_no_more_in_cash_than_companies(session):
    cast, _ = business(session)
    draft = replace(draft_of(200_000, before_vat=False), buyer=HOME, person_id=cast.alice.id)
    invoice = issuing.issue(session, draft, command("one"))
    with pytest.raises(Invalid, match="may be paid in cash"):
        payments.pay(session, invoice, paid(100_001, Method.CASH, key="much"), None, utcnow())
    payments.pay(session, invoice, paid(100_000, Method.CASH, key="most"), None, utcnow())


def test_a_payment_that_was_typed_wrong_is_taken_back_once(session):
    _, acme = business(session)
    invoice = issuing.issue(session, draft_of(5000, company=acme), command("one"))
    payment = payments.pay(session, invoice, paid(5000), None, utcnow())
    payments.reverse(session, payment, None)
    assert queries.balance_cents(session, invoice) == 5000
    assert balance_of(session, Account.BANK) == 0
    with pytest.raises(Conflict, match="already"):
        payments.reverse(session, payment, None)


def test_credit_notes_never_exceed_the_invoice_and_the_last_takes_the_remainder(session):
    _, acme = business(session)
    invoice = issuing.issue(session, draft_of(99, company=acme, before_vat=True), command("one"))
    assert invoice.gross_cents == 119
    for turn in range(2):
        crediting.issue(session, invoice, Credit(40, "Rayure"), command(f"note-{turn}"))
    with pytest.raises(Invalid, match=r"Only €0.39"):
        crediting.issue(session, invoice, Credit(40, "Rayure"), command("much"))
    crediting.issue(session, invoice, Credit(39, "Rayure"), command("last"))
    notes = queries.credit_notes(session, invoice.id)
    assert sum(each.net_cents for each in notes) == invoice.net_cents
    assert sum(each.vat_cents for each in notes) == invoice.vat_cents
    assert queries.standing(session, invoice, TODAY) == Standing.CREDITED
    with pytest.raises(Conflict, match="in full already"):
        crediting.issue(session, invoice, Credit(1, "Rayure"), command("more"))


def test_the_consequence_that_is_shown_is_the_one_that_happens(session):
    _, acme = business(session)
    invoice = issuing.issue(session, draft_of(10_000, company=acme), command("one"))
    payments.pay(session, invoice, paid(10_000), None, utcnow())
    credit = Credit(2500, "Une pièce sur quatre")
    shown = crediting.consequence(session, invoice, credit)
    note = crediting.issue(session, invoice, credit, command("note"))
    assert (shown.net_cents, shown.vat_cents) == (note.net_cents, note.vat_cents)
    assert shown.balance_after_cents == queries.balance_cents(session, invoice) == -2500
    content = from_text(note.payload)
    assert content.corrects.number == invoice.number
    assert content.lines[0].text == f"Avoir partiel sur la facture {invoice.number}\u00a0: Une pièce sur quatre"


def test_a_companys_orders_are_invoiced_again_after_a_credit_note_that_says_so(session):
    cast, acme = business(session)
    made_company_order(session, cast, acme)
    (invoice,) = from_orders.invoice_company(session, acme, "", command("one"))
    with pytest.raises(Invalid, match="all that is left"):
        crediting.issue(session, invoice, Credit(1, "Adresse", invoice_again=True), command("part"))
    crediting.issue(session, invoice, Credit(invoice.gross_cents, "Adresse", invoice_again=True), command("all"))
    (again,) = from_orders.invoice_company(session, acme, "", command("two"))
    assert again.gross_cents == invoice.gross_cents


def test_the_list_shows_a_year_or_what_is_open_in_any(session):
    cast, acme = business(session)
    old, paid_one, credited = (
        issuing.issue(session, draft_of(1000 + n, company=acme), command(str(n))) for n in range(3)
    )
    payments.pay(session, paid_one, paid(1001), None, utcnow())
    crediting.issue(session, credited, Credit(1002, "Annulée"), command("note"))
    later = utcnow() + timedelta(days=366)
    new = issuing.issue(session, draft_of(1000, company=acme), replace(command("new"), now=later))
    day = seller.today(later)

    def numbers(shown, person=cast.carole):
        return [each.document.id for each in queries.listed(session, person, shown, day)]

    assert queries.years(session, cast.carole) == [day.year, TODAY.year]
    assert numbers(Shown(day.year)) == [new.id]
    assert len(numbers(Shown(TODAY.year))) == 4
    assert numbers(Shown(day.year, Standing.OVERDUE)) == [old.id]
    assert numbers(Shown(day.year, Standing.DUE)) == [new.id]
    assert numbers(Shown(day.year, Standing.PAID)) == [paid_one.id]
    assert numbers(Shown(day.year, Standing.CREDITED)) == [credited.id]
    assert queries.owed_cents(session, cast.carole, day) == (2000, 1000)
    assert queries.owed_cents(session, cast.charlie, day) == (0, 0)
    assert numbers(Shown(day.year), cast.charlie) == []
    assert numbers(Shown(day.year), cast.alice) == [new.id]


def test_what_a_document_says_does_not_follow_the_company_or_the_seller(session):
    _, acme = business(session)
    from tests.books import SELLER

    invoice = issuing.issue(session, draft_of(5000, company=acme), command("one"))
    acme.name = "Another name"
    seller.set_identity(session, replace(SELLER, name="Another seller", valid_from=date(2020, 1, 2)), None)
    content = from_text(session.get(Document, invoice.id).payload)
    assert (content.buyer.name, content.seller.name) == ("Acmé Mécanique SARL", "Les Ateliers du Moulin")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE document SET gross_cents = 1",
        "DELETE FROM document",
        "UPDATE document_order SET amount_cents = 1",
        "DELETE FROM payment",
        "UPDATE payment SET amount_cents = 1",
        "UPDATE seller_identity SET name = 'x'",
        "DELETE FROM vat_regime",
        "UPDATE legal_mention SET text = ''",
        "UPDATE tariff SET setup_cents = 99999",
        "UPDATE document_chain SET length = length - 1",
        "UPDATE document_chain SET length = length + 2",
        "DELETE FROM document_chain",
        "UPDATE document_counter SET last = last - 1",
        "UPDATE document_counter SET year = year + 1, last = last + 1",
        "DELETE FROM document_counter",
    ],
)
def test_the_database_itself_refuses_to_change_what_was_issued(any_place, statement):
    with db.transaction() as session:
        cast, acme = business(session)
        seller.set_mention(session, "footer", TODAY, "Merci", None)
        made_company_order(session, cast, acme)
        (invoice,) = from_orders.invoice_company(session, acme, "", command("one"))
        payments.pay(session, invoice, paid(100), None, utcnow())
    with pytest.raises(sa.exc.DBAPIError, match=r"only grows|only go on"), db.transaction() as session:
        session.execute(sa.text(statement))
    with db.reading() as session:
        assert session.scalars(sa.select(LedgerEntry).where(LedgerEntry.document_id == invoice.id)).all()


def test_no_row_of_the_books_is_replaced_by_inserting_it_again(place):
    with db.transaction() as session:
        cast, acme = business(session)
        made_company_order(session, cast, acme)
        (invoice,) = from_orders.invoice_company(session, acme, "", command("one"))
        payments.pay(session, invoice, paid(100), None, utcnow())
    with db.reading() as session:
        filled = {table for table in APPEND_ONLY if session.execute(sa.text(f"SELECT 1 FROM {table}")).first()}
    assert filled >= {"document", "document_order", "ledger_entry", "ledger_line", "payment", "tariff", "vat_regime"}
    for table in sorted(filled):
        with pytest.raises(sa.exc.DBAPIError, match="only grows"), db.transaction() as session:
            session.execute(sa.text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"))


def test_no_cash_is_paid_back_that_the_drawer_does_not_hold(session):
    cast, acme = business(session)
    ledger.pay_out(session, cast.alice, 2000, cast.carole.id, "out", ledger.IN_CASH)
    held = ledger.cash_cents(session)
    invoice = issuing.issue(session, draft_of(held + 1, company=acme), command("one"))
    payments.pay(session, invoice, paid(held + 1, Method.CARD), None, utcnow())
    crediting.issue(session, invoice, Credit(held + 1, "Annulée"), command("note"))
    with pytest.raises(Invalid, match="The drawer holds") as refused:
        payments.pay(session, invoice, paid(held + 1, Method.CASH, key="back"), None, utcnow())
    assert refused.value.field == "amount"
    payments.pay(session, invoice, paid(held, Method.CASH, key="most"), None, utcnow())
    assert ledger.cash_cents(session) == 0


@pytest.mark.parametrize("field", ["name", "street", "postcode", "city"])
def test_a_name_or_address_nobody_can_see_is_none(session, field):
    cast, _ = business(session)
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    with pytest.raises(Invalid) as refused:
        from_orders.invoice_member(session, order, replace(HOME, **{field: " \u200b\u2060"}), "fr", command("mine"))
    assert refused.value.field == field
