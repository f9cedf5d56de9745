"""A price that a person of the place has to set: asked for from a draft, set at the desk, then confirmed like any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.accounts.permissions import Permission
from fablab.billing import baskets, by_hand, offering, tariffs, urgency
from fablab.billing import services as billing
from fablab.billing.by_hand import Asked, Basis, HandLine
from fablab.billing.hand_models import HandPrice
from fablab.billing.models import TariffVersion
from fablab.billing.offers import Check
from fablab.billing.pricing import NoPrice, Price
from fablab.billing.reviewing import Settle
from fablab.billing.services import Agreed
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.orders import review, telling
from fablab.orders import services as orders
from fablab.orders.models import Order, OrderState
from fablab.orders.review_models import Verdict
from fablab.orders.services import Wanted
from fablab.words import Sentence, say

LONGEST_MESSAGE = 500


def ask(
    session: Session, order: Order, edited: Mapping[int, Wanted], message: str, by: Person, *, attested: bool
) -> None:
    """Lay a draft without a price on the desk, for a person of the place to set one.

    Raises `Conflict` when it has a price by now or cannot be printed, `Invalid` for a message that is too long.
    """
    message = message.strip()
    if len(message) > LONGEST_MESSAGE:
        raise Invalid(say("A message has at most {most} signs.", most=LONGEST_MESSAGE), field="message")
    orders.hold_draft(session, order)
    version = tariffs.holding_for(session, order, order.company_id)
    parts = offering.offered_parts(session, order, edited, version)
    why = _why_none(session, order, edited, version)
    for line, wanted, offer in parts:
        if offer.check == Check.REFUSED and offer.problem is not None:
            raise Conflict(offer.problem)
        billing.keep_choice(session, line, wanted, offer.estimate)
    order.attested_at = utcnow() if attested else None
    order.wants_quote = False
    nothing = {"price_cents": None, "price": None, "tariff_id": version.id, "note": None}
    orders.move(session, order, OrderState.IN_REVIEW, by.id, **nothing)
    said = [say("They write: “{message}”", message=message)] if message else []
    review.ask(session, order, [why, *said])


def _why_none(session: Session, order: Order, edited: Mapping[int, Wanted], version: TariffVersion) -> Sentence:
    try:
        offering.order_offer(session, order, edited, version)
    except NoPrice as problem:
        return problem.sentence
    raise Conflict(say("There is a price by now: please look at it."))


@dataclass(frozen=True)
class Wish:
    """What a volunteer writes at the desk: lines, alone or on top of the computed price, and why."""

    lines: Sequence[HandLine]
    added: bool
    reason: str


def computed(session: Session, order: Order) -> Price | None:
    """Return the price of the parts of what lies on the desk: the one that was seen, or what the prices of today make.

    None when only a person can say it.
    """
    if order.price is not None:
        return Price.from_json(order.price)
    try:
        return _reckoned(session, order)[1]
    except NoPrice:
        return None


def _reckoned(session: Session, order: Order) -> tuple[tuple[int, ...], Price]:
    """Return what each part costs by the prices the order was sent at, and all together. Raises `NoPrice`."""
    version = session.get_one(TariffVersion, order.tariff_id)
    parts = offering.offered_parts(session, order, {}, version)
    total = baskets.computed(parts, urgency.tariff_for(version, urgent=order.urgent))
    return total.part_cents, total.price


def basis(session: Session, order: Order, *, added: bool) -> Basis:
    """Return what a price by hand begins with. Raises `Invalid` when lines are to be added to no price."""
    price = computed(session, order)
    if price is None and added:
        raise Invalid(say("There is no computed price to add lines to."), field="added")
    try:
        weights, _ = _reckoned(session, order)
    except NoPrice:
        weights = tuple(line.quantity for line in order.lines)
    return Basis(weights, price if added else None)


def set_price(session: Session, order: Order, wish: Wish, by: Person, write_quote: Settle) -> HandPrice:
    """Set the price of what lies on the desk. It goes back to its person to be confirmed, or into the quote they want.

    Raises `Conflict` when somebody else was faster, it is their own order, or it cannot be printed; `Invalid` naming
    the field. Nothing happens then.
    """
    found = review.take(session, order)
    if order.person_id == by.id and not by.may(Permission.KEEP_BOOKS):
        raise Conflict(say("This is your own request: somebody else has to answer it."))
    wanted = baskets.wishes(session, order, {})
    terms = by_hand.terms(order, wanted, Asked.kept(order))
    hand = by_hand.keep(session, order, terms, basis(session, order, added=wish.added), wish.lines, wish.reason, by.id)
    review.close(session, found, Verdict.PRICE, wish.reason, by.id)
    orders.write(session, order, "price_set", by.id, {"hand_price": hand.id, "cents": hand.total_cents})
    order.price, order.price_cents = None, None
    if order.wants_quote:
        version = session.get_one(TariffVersion, order.tariff_id)
        offer = billing.chosen_offer(session, order, {}, version)
        write_quote(session, order, Agreed(offer, hand.total_cents, version), by)
    else:
        orders.move(session, order, OrderState.DRAFT, by.id, note=None)
        telling.price_set(session, found, hand.total_cents)
    return hand
