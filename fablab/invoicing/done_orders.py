"""An invoice of its own for each order that a wallet paid, once it is done, where the rules of wallets say so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.billing import prepaid, seller
from fablab.billing.models import Account, EntryKind, LedgerEntry, LedgerLine
from fablab.invoicing import addresses, chain, from_orders
from fablab.invoicing.issuing import Command
from fablab.invoicing.models import Document, DocumentOrder
from fablab.orders.models import Order

LOOKS_BACK = timedelta(days=3)  # workers may stand still for a weekend; what was done long ago is invoiced on request


def waiting(session: Session, now: datetime) -> list[int]:
    """Return the orders that are done, were charged to a wallet lately, and have no invoice yet."""
    day = seller.today(now)
    if not (prepaid.rules_on(session, day).invoice_orders and seller.can_invoice(session, day)):
        return []
    return [order.id for order in _done(session, now) if _is_to_be_invoiced(session, order)]


def _done(session: Session, now: datetime) -> Iterator[Order]:
    charged = (
        select(LedgerEntry.order_id)
        .join(LedgerLine, LedgerLine.entry_id == LedgerEntry.id)
        .where(LedgerEntry.kind == EntryKind.CHARGE, LedgerEntry.at > now - LOOKS_BACK)
        .where(LedgerLine.account == Account.RESERVED)
    )
    query = select(Order).where(Order.id.in_(charged), from_orders.IS_DONE, Order.company_id.is_(None))
    invoiced = exists().where(DocumentOrder.order_id == Order.id)
    yield from session.scalars(query.where(~invoiced).order_by(Order.id))


def _is_to_be_invoiced(session: Session, order: Order) -> bool:
    person = session.get_one(Person, order.person_id)
    return not person.is_erased and from_orders.to_invoice_cents(session, order) > 0


def invoice(session: Session, order_id: int, now: datetime) -> Document | None:
    """Invoice an order that is done, paid from the wallet; asked again, nothing happens."""
    chain.hold(session)
    if order_id not in waiting(session, now):
        return None
    order = session.get_one(Order, order_id, populate_existing=True)
    person = session.get_one(Person, order.person_id)
    command = Command(f"order-{order.id}", None, now)
    buyer = addresses.buyer_of(session, person)
    return from_orders.invoice_paid(session, order, buyer, addresses.language_of(person), command)
