"""Erasing an account, on both databases: who somebody was goes, documents and figures stay true."""

import pytest
from sqlalchemy import func, select

from fablab import leaving
from fablab.accounts import companies
from fablab.accounts import queries as people
from fablab.accounts import services as accounts
from fablab.accounts.models import SignIn
from fablab.billing import ledger
from fablab.billing import services as billing
from fablab.billing.ledger import IN_CASH
from fablab.billing.models import LedgerLine
from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.filament.models import Owner
from fablab.invoicing import crediting, from_orders, verifying
from fablab.invoicing.content import from_text
from fablab.invoicing.crediting import Credit
from fablab.notices import queries as notices
from fablab.notices.models import Mail
from fablab.orders import services as orders
from fablab.orders.models import OrderState
from fablab.refunds import services as refunds
from fablab.refunds.models import Answer, Wish
from fablab.refunds.services import Decision
from tests.books import HOME, business, command, made_company_order, make
from tests.people import PASSWORD, draft_cube, order_cube


def emptied(session, cast):
    """Alice has taken her parts and what was left in her wallet."""
    left = ledger.balance_cents(session, cast.alice.id)
    if left:
        ledger.pay_out(session, cast.alice, left, cast.carole.id, "out", IN_CASH)


def test_name_address_sign_ins_and_notices_go_and_the_account_opens_no_more(session):
    cast, company = business(session)
    order = made_company_order(session, cast, company)
    orders.collected(session, order, cast.bob.id)
    token = accounts.sign_in(session, cast.alice)
    emptied(session, cast)
    leaving.erase(session, cast.alice, cast.carole)
    leaving.erase(session, cast.alice, cast.carole)
    assert "Alice" not in cast.alice.name
    assert people.by_email(session, "alice@example.org") is None
    assert not accounts.password_is_right(cast.alice.password_hash, PASSWORD)
    assert accounts.find_sign_in(session, token, utcnow()) is None
    for table in (SignIn, Mail):
        assert session.scalar(select(func.count()).where(table.person_id == cast.alice.id)) == 0
    assert list(notices.newest(session, cast.alice.id)) == []
    assert companies.people_of(session, company.id) == []
    assert cast.alice not in people.everybody(session)


def test_documents_bookings_and_figures_stay_as_they_were(session):
    cast, company = business(session)
    paid = order_cube(session, cast.alice)
    make(session, paid, paid.line.quantity, cast.bob)
    orders.collected(session, paid, cast.bob.id)
    invoice = from_orders.invoice_member(session, paid, HOME, "fr", command("hers"))
    orders.collected(session, made_company_order(session, cast, company), cast.bob.id)
    from_orders.invoice_company(session, company, "", command("theirs"))
    emptied(session, cast)
    before = session.execute(select(func.count(LedgerLine.id), func.sum(LedgerLine.amount_cents))).all()
    leaving.erase(session, cast.alice, cast.carole)
    session.refresh(invoice)
    assert from_text(invoice.payload).buyer == HOME
    assert session.execute(select(func.count(LedgerLine.id), func.sum(LedgerLine.amount_cents))).all() == before
    assert ledger.charged_cents(session, paid.id) == paid.price_cents
    assert list(verifying.findings(session)) == []


def test_drafts_end_with_the_account(session):
    cast, _ = business(session)
    draft = draft_cube(session, cast.alice)
    emptied(session, cast)
    leaving.erase(session, cast.alice, cast.carole)
    session.refresh(draft)
    assert draft.state == OrderState.CANCELLED


def test_what_is_open_is_said_and_nothing_is_erased(session):
    cast, _ = business(session)
    with pytest.raises(Conflict, match="wallet holds"):
        leaving.erase(session, cast.alice, cast.carole)
    emptied(session, cast)
    ledger.top_up(session, cast.alice, 500, cast.carole.id, "again")
    order = order_cube(session, cast.alice)
    with pytest.raises(Conflict, match="wallet holds"):
        leaving.erase(session, cast.alice, cast.carole)
    billing.cancel(session, order, cast.alice)
    ledger.pay_out(session, cast.alice, ledger.balance_cents(session, cast.alice.id), cast.carole.id, "o", IN_CASH)
    cast.spool.owner, cast.spool.owner_id = Owner.MEMBER, cast.alice.id
    session.flush()
    with pytest.raises(Conflict, match="Spools of theirs"):
        leaving.erase(session, cast.alice, cast.carole)
    assert cast.alice.name == "Alice"


def test_a_companys_order_on_its_way_keeps_the_account(session):
    cast, company = business(session)
    made_company_order(session, cast, company)
    emptied(session, cast)
    with pytest.raises(Conflict, match="on their way: 1"):
        leaving.erase(session, cast.alice, cast.carole)


def test_nobody_erases_themselves(session):
    cast, _ = business(session)
    with pytest.raises(Conflict, match="another administrator"):
        leaving.erase(session, cast.carole, cast.carole)


def collected_order(session, cast):
    """Alice has paid for a part from her wallet, and taken it and what was left in the wallet."""
    order = make(session, order_cube(session, cast.alice), 1, cast.bob)
    orders.collected(session, order, cast.bob.id)
    emptied(session, cast)
    return order


def test_an_account_whose_request_waits_is_not_erased(session):
    cast, _ = business(session)
    order = collected_order(session, cast)
    asked = refunds.ask(session, order, Wish.REFUND, "A layer has slipped.", cast.alice, utcnow())
    with pytest.raises(Conflict, match="request for a refund"):
        leaving.erase(session, cast.alice, cast.carole)
    refunds.decide(session, asked, Decision(Answer.REFUSE, reason="It is as ordered."), cast.bob, utcnow())
    leaving.erase(session, cast.alice, cast.carole)
    assert cast.alice.is_erased


def test_an_account_that_is_owed_money_on_an_invoice_is_not_erased(session):
    cast, _ = business(session)
    order = collected_order(session, cast)
    invoice = from_orders.invoice_member(session, order, HOME, "fr", command("mine"))
    crediting.issue(session, invoice, Credit(100, "Rayure"), command("note"))
    with pytest.raises(Conflict, match=f"open on {invoice.number}"):
        leaving.erase(session, cast.alice, cast.carole)
