"""Writing a quote: what was agreed on is put on paper, numbered and frozen, and the order waits for the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.billing import by_hand, reviewing, seller
from fablab.billing.baskets import PartOffer
from fablab.billing.by_hand import Made
from fablab.billing.pricing import Rules
from fablab.billing.services import Agreed
from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.invoicing import addresses, chain, from_orders, issuing
from fablab.invoicing.content import Buyer, Content
from fablab.invoicing.issuing import Draft, Item
from fablab.invoicing.models import SERIES, Kind
from fablab.languages import Language
from fablab.orders import services as orders
from fablab.orders.models import Order, OrderState
from fablab.orders.services import Wanted
from fablab.quotes import content, telling
from fablab.quotes.content import Offered
from fablab.quotes.models import Quote
from fablab.settings import settings
from fablab.slicing.choices import QUALITY_LABELS
from fablab.words import say


def ask(
    session: Session, order: Order, edited: Mapping[int, Wanted], seen_cents: int, by: Person, *, attested: bool
) -> None:
    """Write a quote for a draft at the price the person saw, or lay it on the desk when a rule of the place says so.

    Raises `Conflict` when the price is a higher one by now, it cannot be printed, or nobody has said who sells.
    """
    if order.project_id is not None:
        raise Conflict(say("A project spends money of the place: there is nothing to offer. Just confirm the order."))
    seller.identity_on(session, seller.today(utcnow()))
    reviewing.submit(session, order, edited, seen_cents, by, attested=attested, quote=write)


def write(session: Session, order: Order, agreed: Agreed, by: Person) -> None:
    """Write a quote for what was agreed on; the order waits for its answer."""
    now = utcnow()
    today = seller.today(now)
    until = today + timedelta(days=settings().quote_days)
    days = order.company.payment_days if order.company else None
    said = issuing.content_of(session, _draft(session, order, agreed), today)
    structure = seller.structure_on(session, today)
    chain.hold(session)  # numbers are taken one at a time
    before = latest(session, order)
    if before is not None and before.structure == structure:
        year, sequence, version = before.year, before.sequence, before.version + 1
    else:
        year, sequence, version = today.year, _next(session, structure, today), before.version + 1 if before else 1
    number = chain.number_text(SERIES[Kind.QUOTE], year, sequence) + (f"-{version}" if version > 1 else "")
    free_failures = Rules.from_json(agreed.version.rules).free_failures
    offered = Offered(_named(said, number), until, days, order.wanted_on, _deposit(order), free_failures)
    text = content.to_text(offered)
    quote = Quote(
        order_id=order.id,
        structure=structure,
        year=year,
        sequence=sequence,
        version=version,
        number=number,
        issued_on=today,
        valid_until=until,
        company_id=order.company_id,
        cents=agreed.cents,
        net_cents=said.net_cents,
        vat_cents=said.vat_cents,
        gross_cents=said.gross_cents,
        payload=text,
        sha256=content.hash_of(text),
        issued_at=now,
        issued_by_id=by.id,
    )
    session.add(quote)
    for part, cents in zip(agreed.offer.parts, agreed.part_cents, strict=True):
        part.line.price_cents = cents
    session.flush()
    frozen = {"price_cents": agreed.cents, "price": order.price or agreed.offer.price.to_json()}
    orders.move(session, order, OrderState.OFFERED, by.id, note=None, tariff_id=agreed.version.id, **frozen)
    orders.write(session, order, "quote_issued", by.id, {"number": number, "sha256": quote.sha256})
    session.refresh(quote)
    telling.issued(session, quote)


def latest(session: Session, order: Order) -> Quote | None:
    """Return the newest quote of an order."""
    query = select(Quote).where(Quote.order_id == order.id).order_by(Quote.version.desc()).limit(1)
    return session.scalars(query).first()


def _next(session: Session, structure: str, day: date) -> int:
    query = select(func.max(Quote.sequence)).where(Quote.structure == structure, Quote.year == day.year)
    return (session.scalar(query) or 0) + 1


def _named(said: Content, number: str) -> Content:
    return replace(said, kind=Kind.QUOTE, number=number)


def _deposit(order: Order) -> int:
    return settings().quote_deposit_percent if order.company_id is not None else 0


def _draft(session: Session, order: Order, agreed: Agreed) -> Draft:
    """Return a quote's lines, as an invoice for all of it would have them."""
    language = _language(order)
    return Draft(
        buyer=from_orders.company_buyer(order.company) if order.company else _private(session, order.person),
        items=tuple(_items(session, order, agreed, language)),
        before_vat=order.price_before_vat,
        payment_days=order.company.payment_days if order.company else 0,
        po_number=order.po_number or "",
        language=language,
        company_id=order.company_id,
    )


def _language(order: Order) -> str:
    if order.company is not None:
        return order.company.language
    return addresses.language_of(order.person)


def _private(session: Session, person: Person) -> Buyer:
    known = addresses.buyer_of(session, person)
    return replace(known, email="" if person.is_walk_in else person.email)


def _items(session: Session, order: Order, agreed: Agreed, language: str) -> Iterator[Item]:
    """Yield an item for each part, and one for each line that was written by hand."""
    hand = by_hand.behind(session, order.price or agreed.offer.price.to_json())
    made = Made.of(hand) if hand else None
    for part, cents in zip(agreed.offer.parts, made.own_cents if made else agreed.part_cents, strict=True):
        yield _item(part, cents, language, order)
    for line in made.lines if made else ():
        yield from_orders.written_item(line.text, line.quantity, line.cents, order.id)


def _item(part: PartOffer, cents: int, language: str, order: Order) -> Item:
    """Return a line that says all that was chosen for a part."""
    words, choices, colour = Language(language), part.wanted.choices, part.wanted.colour_name
    said = [
        words.text(say("3D print “{file}”", file=part.line.file_name)),
        " ".join([choices.material, *([words.text(colour)] if colour else [])]),
        words.text(say("quality: {quality}", quality=say(QUALITY_LABELS[choices.quality]))),
        words.text(say("filled: {percent} %", percent=choices.infill_percent)),
        *([words.text(say("with supports"))] if choices.supports else []),
        *([words.text(say("as soon as possible, with the surcharge"))] if order.urgent else []),
    ]
    return Item(", ".join(said), part.wanted.quantity, cents, order.id)
