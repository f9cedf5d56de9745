"""Deposits: asking a company for a part of the price of a confirmed order before it is made.

The invoice of the order deducts what was paid of them; what it does not deduct, or what an order that came to nothing
leaves, is credited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from fablab.billing import seller
from fablab.billing.models import VatRegime
from fablab.errors import Conflict, Invalid
from fablab.invoicing import advances, chain, crediting, issuing
from fablab.invoicing.amounts import vat_of
from fablab.invoicing.deposit_models import Deduction, Deposit
from fablab.invoicing.from_orders import company_buyer, payment_days, to_invoice_cents
from fablab.invoicing.issuing import Command, Draft, Item
from fablab.invoicing.models import Document, Kind
from fablab.languages import Language
from fablab.money import half_up
from fablab.orders.holding import hold
from fablab.orders.models import Order, OrderState
from fablab.words import Euros, Sentence, say

UNDER_WAY = (OrderState.ACCEPTED, OrderState.QUOTED, OrderState.IN_PRODUCTION)


@dataclass(frozen=True)
class Asked:
    """How much is asked for: an amount with VAT, or so many per cent of what the order costs with VAT."""

    cents: int | None = None
    percent: int | None = None


@dataclass(frozen=True)
class Room:
    """What an order costs with VAT, and how much of it no deposit was invoiced for yet."""

    gross_cents: int
    rest_cents: int


def possible(order: Order) -> bool:
    """Tell whether a deposit can be asked for an order: a company pays it, and it is confirmed and not made yet."""
    return order.company_id is not None and order.state in UNDER_WAY and bool(order.price_cents)


def under_way(session: Session) -> list[Order]:
    """Return the orders a deposit can be asked for, the newest first."""
    query = select(Order).where(Order.company_id.is_not(None), Order.state.in_(UNDER_WAY)).order_by(Order.id.desc())
    return [order for order in session.scalars(query) if possible(order)]


def room(session: Session, order: Order, day: datetime) -> Room:
    """Return how much deposits of an order may still be about."""
    gross = _gross_cents(order, seller.regime_on(session, seller.today(day)))
    asked = sum(each.left_cents for each in advances.of_order(session, order.id))
    return Room(gross, max(gross - asked, 0))


def _gross_cents(order: Order, regime: VatRegime) -> int:
    price = order.price_cents or 0
    return price + vat_of(price, regime.rate_bp) if order.price_before_vat else price


def issue(session: Session, order: Order, asked: Asked, command: Command) -> Document:
    """Issue the deposit invoice of an order; the same command twice is one. Raises `Invalid` or `Conflict`."""
    hold(session, order)
    chain.hold(session)
    found = issuing.issued_before(session, command, kind=Kind.DEPOSIT, company_id=order.company_id)
    if found is not None:
        return found
    document = issuing.issue(session, draft_of(session, order, asked, command.now), command)
    session.add(Deposit(document_id=document.id, order_id=order.id))
    session.flush()
    return document


def draft_of(session: Session, order: Order, asked: Asked, now: datetime) -> Draft:
    """Return the deposit invoice as it would be issued. Raises `Invalid` naming the field, or `Conflict`."""
    if not possible(order) or order.company is None:
        raise Conflict(say("A deposit can be asked for an order a company pays, once confirmed and until it is made."))
    cents = _cents(asked, room(session, order, now))
    return Draft(
        buyer=company_buyer(order.company),
        items=(Item(Language(order.company.language).text(_designation(order, asked)), 1, cents),),
        payment_days=payment_days(session, order),
        po_number=order.po_number or "",
        language=order.company.language,
        company_id=order.company_id,
        kind=Kind.DEPOSIT,
    )


def _cents(asked: Asked, left: Room) -> int:
    if (asked.cents is None) == (asked.percent is None):
        raise Invalid(say("Enter an amount, or a percentage of the price."), field="amount")
    if asked.percent is not None:
        if not 1 <= asked.percent <= 100:
            raise Invalid(say("A deposit is between 1 and 100 percent of the price."), field="percent")
        cents, field = share_of(left.gross_cents, asked.percent), "percent"
    else:
        cents, field = asked.cents or 0, "amount"
    if cents <= 0:
        raise Invalid(say("A deposit is about more than nothing."), field=field)
    if cents > left.rest_cents:
        raise Invalid(
            say("Deposits are never more than the order costs: {rest} is left.", rest=Euros(left.rest_cents)),
            field=field,
        )
    return cents


def share_of(gross_cents: int, percent: int) -> int:
    """Return so many per cent of what an order costs, to the cent."""
    return half_up(Decimal(gross_cents * percent) / 100)


def _designation(order: Order, asked: Asked) -> Sentence:
    day = Language(order.company.language if order.company else "fr").day(
        seller.today(order.confirmed_at or order.created_at)
    )
    title: str | Sentence = order.title
    if asked.percent is not None:
        part = f"{asked.percent}\N{NO-BREAK SPACE}%"
        return say("Deposit of {part} on the order “{order}” of {day}", part=part, order=title, day=day)
    return say("Deposit on the order “{order}” of {day}", order=title, day=day)


def orphans(session: Session) -> list[int]:
    """Return the orders that came to nothing and have deposits that are not credited yet."""
    has_deposit = exists().where(Deposit.order_id == Order.id)
    found = session.scalars(select(Order).where(Order.state == OrderState.CANCELLED, has_deposit).order_by(Order.id))
    return [each.id for each in found if _came_to_nothing(session, each) and advances.of_order(session, each.id)]


def _came_to_nothing(session: Session, order: Order) -> bool:
    """Tell whether an order was cancelled and nothing of it has still to be invoiced, against its deposits."""
    return order.state == OrderState.CANCELLED and to_invoice_cents(session, order) == 0


def credit_cancelled(session: Session, order_id: int, now: datetime) -> list[Document]:
    """Credit the deposits of an order that came to nothing; asked again, nothing happens."""
    chain.hold(session)
    if not _came_to_nothing(session, session.get_one(Order, order_id, populate_existing=True)):
        return []
    return crediting.credit_rests(session, [order_id], say("The order is cancelled"), Command("cancelled", None, now))


def order_of(session: Session, document: Document) -> Order | None:
    """Return the order a deposit invoice is for, or that of the one a credit note corrects."""
    found = session.get(Deposit, document.corrects_id or document.id)
    return session.get(Order, found.order_id) if found is not None else None


def deducted_by(session: Session, deposit: Document) -> Sequence[Document]:
    """Return the invoices that deduct a deposit."""
    deducting = select(Deduction.document_id).where(Deduction.deposit_id == deposit.id)
    query = select(Document).where(Document.id.in_(deducting), Document.kind == Kind.INVOICE)
    return session.scalars(query.order_by(Document.position)).all()
