"""What is to be invoiced: the good parts of a company's orders, and a member's order that was charged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from fablab.accounts.models import Company
from fablab.billing import by_hand, failures, ledger, seller
from fablab.billing.by_hand import Made
from fablab.billing.failure_models import FailedPrint
from fablab.billing.services import earned_cents, good_cents
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.invoicing import chain, crediting, issuing, queries
from fablab.invoicing.content import Buyer, printable
from fablab.invoicing.issuing import Command, Draft, Item
from fablab.invoicing.models import Document, DocumentOrder
from fablab.languages import Language
from fablab.money import spread
from fablab.orders import queries as order_queries
from fablab.orders import services as orders
from fablab.orders.models import Order, OrderLine, OrderState
from fablab.words import say

MADE = (OrderState.READY, OrderState.COLLECTED, OrderState.ABANDONED)
PAID_FAILURE = exists().where(FailedPrint.order_id == Order.id, FailedPrint.cents > 0)
IS_DONE = Order.state.in_(MADE) | ((Order.state == OrderState.CANCELLED) & PAID_FAILURE)
"""An order that is done, or one that came to nothing because of its file and has to be paid in part."""

DELIVERED = ("order_ready", "order_collected", "order_cancelled")
FINE = 1_000_000
"""How finely a part of a cent counts when what is earned is shared out."""


@dataclass(frozen=True)
class ToInvoice:
    """Orders of one company that go on one invoice: the same purchase order, price and VAT regime of their day."""

    company: Company
    po_number: str
    before_vat: bool
    regime_id: int
    orders: tuple[Order, ...]
    draft: Draft


def waiting(session: Session, company_id: int | None = None) -> list[ToInvoice]:
    """Return what companies have to be invoiced, by company and purchase order."""
    invoiced = select(func.coalesce(func.sum(DocumentOrder.amount_cents), 0)).where(DocumentOrder.order_id == Order.id)
    query = select(Order).where(Order.company_id.is_not(None), IS_DONE).order_by(Order.id)
    query = query.where(invoiced.scalar_subquery() < Order.price_cents)
    if company_id is not None:
        query = query.where(Order.company_id == company_id)
    today = seller.today(utcnow())
    groups: dict[tuple[int, str, bool, int], list[Order]] = {}
    for order in session.scalars(query):
        if order.company_id is not None and to_invoice_cents(session, order) > 0:
            regime = seller.regime_of(session, _delivered_on(session, order), today)
            key = (order.company_id, order.po_number or "", order.price_before_vat, regime.id if regime else 0)
            groups.setdefault(key, []).append(order)
    found = [_group(session, key, each) for key, each in groups.items()]
    return sorted(found, key=lambda each: (each.company.name.lower(), each.po_number, each.before_vat))


def to_invoice_cents(session: Session, order: Order) -> int:
    """Return how much of an order's price is to be invoiced: good parts and paid failures, less what was invoiced.

    What a member paid with vouchers was invoiced with the top-up.
    """
    if order.state not in (*MADE, OrderState.CANCELLED):
        return 0
    earned = earned_cents(session, order) if order.company_id else ledger.to_invoice_cents(session, order.id)
    return earned - queries.invoiced_cents(session, order.id)


def _group(session: Session, key: tuple[int, str, bool, int], found: Sequence[Order]) -> ToInvoice:
    company = session.get_one(Company, key[0])
    draft = Draft(
        buyer=company_buyer(company),
        items=tuple(item for order in found for item in _items(session, order, company.language)),
        before_vat=key[2],
        delivered_on=max(_delivered_on(session, order) for order in found),
        payment_days=max(payment_days(session, order) for order in found),
        po_number=key[1],
        language=company.language,
        company_id=company.id,
    )
    return ToInvoice(company, key[1], key[2], key[3], tuple(found), draft)


def payment_days(session: Session, order: Order) -> int:
    """Return how many days a company has to pay an order: as many as its accepted quote said, or else its own."""
    details = [each.details or {} for each in order_queries.events_of(session, order.id)]
    agreed = [each["payment_days"] for each in details if each.get("payment_days") is not None]
    if agreed:
        return int(agreed[-1])
    return order.company.payment_days if order.company else 0


def company_buyer(company: Company) -> Buyer:
    """Return a copy of a company as a document names it."""
    return Buyer(
        name=company.name,
        street=company.street,
        postcode=company.postcode,
        city=company.city,
        country=company.country,
        is_company=True,
        siren=company.siren,
        siret=company.siret,
        rna=company.rna,
        vat_number=company.vat_number,
        contact_name=company.contact_name,
        email=company.contact_email,
    )


def _items(session: Session, order: Order, language: str) -> list[Item]:
    """Return an item for each part of an order that has good copies; together they are what is to be invoiced.

    What was invoiced before, or given back, is taken off one after the other: first off prints that failed because of
    their file and are paid, which are items of their own like the lines that were written by hand.
    """
    owed = to_invoice_cents(session, order)
    failed = [each for each in failures.of_order(session, order.id) if each.cents]
    of_failed = _rests([each.cents for each in failed], earned_cents(session, order) - owed)
    items = _good_items(session, order, owed - sum(of_failed), language)
    return items + [
        _failed_item(order, each, cents, language) for each, cents in zip(failed, of_failed, strict=True) if cents
    ]


def _good_items(session: Session, order: Order, cents: int, language: str) -> list[Item]:
    """Return what of the good parts, and of the lines by hand, is to be invoiced: together so much."""
    hand = by_hand.behind(session, order.price)
    if hand is not None:
        return list(_items_by_hand(session, order, Made.of(hand), cents, language))
    good = [good_cents(session, line) for line in order.lines]
    rests = _rests(good, sum(good) - cents)
    return [_item(session, order, line, rest, language) for line, rest in zip(order.lines, rests, strict=True) if rest]


def _rests(amounts: Sequence[int], taken: int) -> list[int]:
    """Return what is left of amounts when so much was taken off them, one after the other."""
    rests = []
    for amount in amounts:
        rests.append(min(max(amount - taken, 0), amount))
        taken -= amount - rests[-1]
    return rests


def _items_by_hand(session: Session, order: Order, made: Made, cents: int, language: str) -> Iterator[Item]:
    """Yield an item for each part that has good copies, and for each line in the share of all that is good."""
    if not cents:
        return
    words, good = Language(language), [orders.good_of(session, line) for line in order.lines]
    quantities = [line.quantity for line in order.lines]
    earned = sum(good_cents(session, line) for line in order.lines)
    amounts = shared_out(made, good, quantities, earned, cents)
    for line, count, own in zip(order.lines, good, amounts, strict=False):
        if count:
            yield _item(session, order, line, own, language)
    ordered_on = words.day(seller.today(order.confirmed_at or order.created_at))
    for written, part in zip(made.lines, amounts[len(order.lines) :], strict=True):
        said = {"text": written.text, "file": words.text(order.title), "day": ordered_on}
        text = say("{text} (“{file}”, ordered on {day})", **said)
        if good != quantities:
            text = say("{text} (“{file}”, ordered on {day}), in the share of the parts that are good", **said)
        if part:
            yield written_item(words.text(text), written.quantity, part, order.id)


def shared_out(made: Made, good: Sequence[int], quantities: Sequence[int], earned_cents: int, cents: int) -> list[int]:
    """Return what is to be invoiced of each part and each line of a price by hand: together exactly `cents`.

    When all is good that is what they cost. Otherwise a part counts for its good copies, and a line in the share of the
    whole price that is earned; where rebates outweigh that, the good copies have it all.
    """
    price = sum(made.share_cents)
    parts = [FINE * own * count // of for own, count, of in zip(made.own_cents, good, quantities, strict=True)]
    weights = [*parts, *(FINE * line.cents * earned_cents // price for line in made.lines)]
    if sum(weights) <= 0:  # rebates that outweigh the good parts
        weights = [*good, *[0] * len(made.lines)]
    return spread(cents, weights)


def written_item(text: str, quantity: int, cents: int, order_id: int) -> Item:
    """Return a line that was written by hand; a rebate is so many less, for a price is never below nothing."""
    return Item(text, -quantity if cents < 0 else quantity, cents, order_id)


def _item(session: Session, order: Order, line: OrderLine, cents: int, language: str) -> Item:
    words = Language(language)
    made_of = " ".join([line.material_code or "", words.text(line.colour_name) if line.colour_name else ""]).strip()
    ordered_on = seller.today(order.confirmed_at or order.created_at)
    said = {"file": line.file_name, "material": made_of, "day": words.day(ordered_on)}
    text = say("3D print “{file}”, {material}, ordered on {day}", **said)
    if order.urgent:
        text = say("3D print “{file}”, {material}, ordered on {day} as soon as possible, with the surcharge", **said)
    return Item(words.text(text), orders.good_of(session, line), cents, order.id)


def _failed_item(order: Order, failed: FailedPrint, cents: int, language: str) -> Item:
    """Return a line for copies that failed because of their file."""
    words, line = Language(language), order.part(failed.line_id)
    part = f"{failed.percent}\N{NO-BREAK SPACE}%"
    said = {"file": line.file_name if line else "", "part": part, "day": words.day(seller.today(failed.at))}
    text = say("3D print “{file}”, failed on {day} because of the file: {part} of it was printed", **said)
    return Item(words.text(text), failed.copies, cents, order.id)


def _delivered_on(session: Session, order: Order) -> date:
    """Return when the parts were handed over, or else ready."""
    ended = [each for each in order_queries.events_of(session, order.id) if each.kind in DELIVERED]
    return seller.today(ended[-1].at if ended else order.created_at)


def invoice_company(session: Session, company: Company, po_number: str, command: Command) -> list[Document]:
    """Invoice what a company owes under one purchase order; prices with and before VAT go on two invoices.

    So do parts that were delivered under two VAT regimes.

    Raises `Conflict` when there is nothing to invoice.
    """
    chain.hold(session)
    prefix = f"company-{company.id}-{command.key}-"
    sent_before = select(Document).where(Document.key.startswith(prefix, autoescape=True)).order_by(Document.position)
    before = list(session.scalars(sent_before))
    groups = [each for each in waiting(session, company.id) if each.po_number == po_number]
    if not groups and not before:
        raise Conflict(say("There is nothing to invoice."))
    return before or [
        _invoice(session, each, replace(command, key=f"{prefix}{each.before_vat:d}-{each.regime_id}"))
        for each in groups
    ]


def _invoice(session: Session, group: ToInvoice, command: Command) -> Document:
    """Issue the invoice of a group, and credit what it does not deduct of the deposits of its orders."""
    made = issuing.issue(session, group.draft, command)
    reason = say("Not needed for invoice {number}", number=made.number)
    crediting.credit_rests(session, [order.id for order in group.orders], reason, command)
    return made


def invoice_member(session: Session, order: Order, buyer: Buyer, language: str, command: Command) -> Document:
    """Write an invoice for an order that its person's wallet was charged for; it is paid from the start.

    Raises `Conflict` when it was invoiced already, or is not done yet.
    """
    chain.hold(session)
    command = replace(command, key=f"order-{order.id}-{command.key}")
    found = issuing.issued_before(session, command, person_id=order.person_id)
    if found is not None:
        return found
    for field in ("name", "street", "postcode", "city"):
        if not printable(getattr(buyer, field)).strip():
            raise Invalid(say("An invoice has to name this."), field=field)
    return invoice_paid(session, order, buyer, language, command)


def invoice_paid(session: Session, order: Order, buyer: Buyer, language: str, command: Command) -> Document:
    """Issue the invoice of an order a wallet was charged for. Raises `Conflict` when there is nothing to invoice."""
    if order.company_id is not None or to_invoice_cents(session, order) <= 0:
        raise Conflict(say("There is nothing to invoice."))
    draft = Draft(
        buyer=buyer,
        items=tuple(_items(session, order, language)),
        delivered_on=_delivered_on(session, order),
        language=language,
        person_id=order.person_id,
        paid=True,
    )
    return issuing.issue(session, draft, command)
