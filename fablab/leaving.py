"""Erasing an account: what tells who somebody was goes, what the law and the statistics need stays without it.

Documents keep the name and address they were issued with, for the ten years the law asks (C. com. L123-22); bookings,
orders and prints keep counting, for nobody in particular.
"""

from __future__ import annotations

import secrets

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from fablab.accounts.addresses import InvoiceAddress
from fablab.accounts.models import ERASED_DOMAIN, CompanyMember, Person, SignIn
from fablab.billing import ledger
from fablab.errors import Conflict
from fablab.filament.models import Owner, Spool
from fablab.invoicing import queries as documents
from fablab.languages import Language
from fablab.notices.models import Mail, MailState, Notice, NoticeChoice
from fablab.orders import services as orders
from fablab.orders.models import EDITABLE, Order, OrderState
from fablab.payments import queries as cards
from fablab.refunds import queries as refunds
from fablab.settings import settings
from fablab.words import Euros, say

ENDED = (OrderState.COLLECTED, OrderState.ABANDONED, OrderState.CANCELLED, OrderState.DECLINED)
IN_FLIGHT = (MailState.SENDING, MailState.HANDING)


def erase(session: Session, person: Person, by: Person) -> None:
    """Erase an account for good; erased again nothing happens.

    Raises `Conflict` in words while something of theirs is open: money, an order, a request, a spool, or a mail
    that is being sent.
    """
    if person.id == by.id:
        raise Conflict(say("You cannot erase your own account: ask another administrator."))
    if person.is_erased:
        return
    ledger.lock_wallet(session, person.id)
    _refuse_open(session, person)
    for draft in session.scalars(select(Order).where(Order.person_id == person.id, Order.state.in_(EDITABLE))):
        orders.cancel(session, draft, by.id)
    for table in (SignIn, CompanyMember, InvoiceAddress, NoticeChoice, Notice, Mail):
        session.execute(delete(table).where(table.person_id == person.id))
    person.name = Language(settings().language).text(say("Erased account"))
    person.email = f"{secrets.token_hex(8)}@{ERASED_DOMAIN}"
    person.password_hash = person.contact = person.language = None
    person.active = False
    session.flush()


def _refuse_open(session: Session, person: Person) -> None:
    held = ledger.held_cents(session, person.id)
    if held:
        raise Conflict(say("The wallet holds {amount}: pay it out first.", amount=Euros(held)))
    _refuse_open_money(session, person)
    state = Order.state.not_in((*ENDED, *EDITABLE))
    if open_orders := session.scalar(select(func.count(Order.id)).where(Order.person_id == person.id, state)):
        raise Conflict(say("Orders on their way: {count}. Finish or cancel them first.", count=open_orders))
    own = (Spool.owner == Owner.MEMBER, Spool.owner_id == person.id, Spool.ended_at.is_(None))
    if spools := session.scalar(select(func.count(Spool.id)).where(*own)):
        raise Conflict(say("Spools of theirs in the place: {count}. Give them back first.", count=spools))
    leaving = (Mail.person_id == person.id, Mail.state.in_(IN_FLIGHT))
    if session.scalar(select(Mail.id).where(*leaving).limit(1)) is not None:
        raise Conflict(say("A mail to this person is being sent: please try again in a minute."))


def _refuse_open_money(session: Session, person: Person) -> None:
    """Raise `Conflict` while money may still come from this person, or go to them."""
    if refunds.waiting_of(session, person.id):
        raise Conflict(say("A request for a refund or a reprint waits: answer it first."))
    if invoice := documents.unsettled_of(session, person.id):
        raise Conflict(say("Money is open on {number}: have it paid, or pay it back, first.", number=invoice.number))
    if cards.open_of(session, person.id):
        raise Conflict(say("A payment by card is open: it has to be paid, ended or looked at first."))
