"""Answering a quote: accepted it becomes an order at exactly its price, refused or withdrawn a draft again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from fablab.accounts import companies
from fablab.accounts.models import Person
from fablab.billing import seller
from fablab.billing import services as billing
from fablab.billing.models import TariffVersion
from fablab.billing.payers import LONGEST_PO_NUMBER
from fablab.billing.pricing import Price
from fablab.billing.services import Agreed
from fablab.billing.totalling import Total
from fablab.errors import Conflict, Invalid
from fablab.invoicing import deposits
from fablab.invoicing.content import printable
from fablab.invoicing.deposits import Asked
from fablab.invoicing.issuing import Command
from fablab.orders import services as orders
from fablab.orders.holding import hold
from fablab.orders.models import Order, OrderState
from fablab.quotes import queries, telling
from fablab.quotes.content import from_text
from fablab.quotes.models import STANDING_LABELS, Quote, QuoteAnswer, QuoteLink, Reply, Standing
from fablab.words import Day, Sentence, say

LONGEST_NAME = 120
LONGEST_REASON = 500


@dataclass(frozen=True)
class Signature:
    """Who answers: the name that is written under the quote, and the person signed in or the link that was used."""

    name: str
    by: Person | None
    link: QuoteLink | None = None

    def __post_init__(self) -> None:
        if (self.by is None) == (self.link is None):
            raise ValueError("a quote is answered by somebody signed in, or by a link")
        if not 1 <= len(printable(self.name).strip()) <= LONGEST_NAME:
            raise Invalid(say("Please write your name, in at most {most} letters.", most=LONGEST_NAME), field="name")


def accept(session: Session, quote: Quote, signature: Signature, po_number: str, now: datetime) -> None:
    """Accept a quote: its order is made at exactly this price, whatever prices are today.

    Raises `Conflict` when it was answered, replaced or has expired meanwhile, who accepts it may not order for the
    company, the wallet that pays lacks money, or the parts cannot be made any more. Nothing happens then.
    """
    order = _hold(session, quote, now)
    _must_bind(session, order, signature)
    _note_po_number(order, po_number)
    version = session.get_one(TariffVersion, order.tariff_id)
    shares = tuple(line.price_cents or 0 for line in order.lines)
    assert order.price is not None
    offer = billing.chosen_offer(session, order, {}, version, Total(Price.from_json(order.price), shares))
    order.quote_sha256 = quote.sha256
    _answer(session, quote, Reply.ACCEPTED, signature, "", now)
    billing.produce(session, order, Agreed(offer, quote.cents, version, shares), signature.by)
    telling.answered(session, quote, Reply.ACCEPTED, signature.name)
    _ask_deposit(session, quote, order, signature, now)


def _must_bind(session: Session, order: Order, signature: Signature) -> None:
    """Raise `Conflict` unless who signs, or who sent the link that is used, may order for the company that pays."""
    sender = signature.link.by if signature.link else signature.by
    if order.company is None or companies.orders_for(session, sender, order.company):
        return
    if signature.link is None:
        raise Conflict(companies.NO_BUYER)
    raise Conflict(
        say("Nobody can order for {company} by this link any more: ask for a new one.", company=order.company.name)
    )


def _ask_deposit(session: Session, quote: Quote, order: Order, signature: Signature, now: datetime) -> None:
    """Issue the invoice of the deposit that was agreed on, if one was."""
    percent = from_text(quote.payload).deposit_percent
    if percent:
        by_id = signature.by.id if signature.by else None
        deposits.issue(session, order, Asked(percent=percent), Command(f"quote-{quote.id}", by_id, now))


def _note_po_number(order: Order, po_number: str) -> None:
    kept = " ".join(po_number.split())
    if len(kept) > LONGEST_PO_NUMBER:
        raise Invalid(
            say("A purchase order's number has at most {most} signs.", most=LONGEST_PO_NUMBER), field="po_number"
        )
    if kept and order.company_id is not None:
        order.po_number = kept


def refuse(session: Session, quote: Quote, signature: Signature, reason: str, now: datetime) -> None:
    """Refuse a quote: its order is a draft again, which its person may change and ask about once more.

    Raises `Conflict` like `accept`, also by a link of somebody who may not order for the company any more.
    """
    if len(reason.strip()) > LONGEST_REASON:
        raise Invalid(say("A reason has at most {most} signs.", most=LONGEST_REASON), field="reason")
    order = _hold(session, quote, now)
    if signature.link is not None:
        _must_bind(session, order, signature)
    _answer(session, quote, Reply.REFUSED, signature, reason.strip(), now)
    to_draft(session, order, signature.by)
    telling.answered(session, quote, Reply.REFUSED, signature.name, reason.strip())


def withdraw(session: Session, quote: Quote, by: Person, now: datetime) -> None:
    """Make a draft of a quote's order again, to be changed: what was sent of the quote opens nothing any more."""
    to_draft(session, _hold(session, quote, now), by)


def to_draft(session: Session, order: Order, by: Person | None) -> None:
    """Make an order that waits for an answer a draft again."""
    for line in order.lines:
        line.price_cents = None
    nothing = {"price_cents": None, "price": None, "tariff_id": None}
    orders.move(session, order, OrderState.DRAFT, by.id if by else None, **nothing)


def _hold(session: Session, quote: Quote, now: datetime) -> Order:
    """Hold a quote that can be answered, until the end of the transaction. Raises `Conflict` saying why it cannot."""
    order = quote.order
    hold(session, order)
    standing = queries.standing(session, quote, seller.today(now))
    if standing == Standing.OPEN:
        return order
    answer = session.get(QuoteAnswer, quote.id)
    if answer is not None:
        said = Sentence(STANDING_LABELS[standing])
        raise Conflict(
            say(
                "This quote was answered already: {said}, by {name} on {day}.",
                said=said,
                name=answer.name,
                day=Day(seller.today(answer.at)),
            )
        )
    if standing == Standing.EXPIRED:
        raise Conflict(say("This quote was valid until {day}: please ask for a new one.", day=Day(quote.valid_until)))
    raise Conflict(say("This quote was replaced or withdrawn: please look at the newest one."))


def _answer(
    session: Session, quote: Quote, reply: Reply, signature: Signature, reason: str, now: datetime
) -> QuoteAnswer:
    answer = QuoteAnswer(
        quote_id=quote.id,
        reply=reply,
        name=" ".join(signature.name.split()),
        reason=reason,
        at=now,
        by_id=signature.by.id if signature.by else None,
        link_id=signature.link.id if signature.link else None,
    )
    session.add(answer)
    session.flush()
    by_id = signature.by.id if signature.by else None
    said: dict[str, str | int | None] = {"number": quote.number, "name": answer.name}
    if reply == Reply.ACCEPTED:
        said["payment_days"] = from_text(quote.payload).payment_days  # its invoices are due as agreed on
    orders.write(session, quote.order, f"quote_{reply}", by_id, said)
    return answer
