"""Orders on their way over the review desk: sent, accepted, sent back or declined. Money moves once accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.accounts.permissions import Permission
from fablab.billing import paying
from fablab.billing import services as billing
from fablab.billing.models import TariffVersion
from fablab.billing.services import Agreed
from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.languages import Language
from fablab.orders import review, telling
from fablab.orders import services as orders
from fablab.orders.models import Order, OrderState
from fablab.orders.review import Case
from fablab.orders.review_models import Verdict
from fablab.orders.services import Wanted
from fablab.settings import settings
from fablab.slicing.report import MeshReport
from fablab.words import Euros, Sentence, say

Settle = Callable[[Session, Order, Agreed, Person], None]
"""What is done with an order nobody has to look at any more: it is made, or a quote is written for it."""


def why_reviewed(
    session: Session, order: Order, cents: int, by: Person, *, attested: bool, company: bool
) -> list[Sentence]:
    """Return why somebody looks at an order first; nobody does at what a volunteer sends."""
    if by.may(Permission.RUN_BOARD):
        return []
    case = Case(
        reports=[MeshReport.from_json(line.model_file.report) for line in order.lines],
        price_cents=cents,
        first_order=review.is_first_order(session, order),
        company=company,
        attested=attested,
    )
    return review.reasons(review.rules_of(session), case)


def submit(
    session: Session,
    order: Order,
    edited: Mapping[int, Wanted],
    seen_cents: int,
    by: Person,
    *,
    attested: bool,
    quote: Settle | None = None,
) -> None:
    """Confirm a draft at the price the person saw, or lay it on the desk when a rule of the place says so.

    On the desk nothing is reserved and nothing made; the price stays the one that was seen. With `quote` it is not
    confirmed: that is done instead, at once or when the desk has accepted it. Raises like `confirm`.
    """
    agreed = billing.agree(session, order, edited, seen_cents)
    order.attested_at = utcnow() if attested else None
    order.wants_quote = quote is not None
    why = why_reviewed(session, order, agreed.cents, by, attested=attested, company=order.company_id is not None)
    if not why or agreed.offer.price.hand_id is not None:  # who has set its price has looked at it
        (quote or billing.produce)(session, order, agreed, by)
        return
    missing = paying.missing_cents(session, order, agreed.cents)
    if missing and quote is None:
        raise Conflict(paying.shortage(order, missing))
    frozen = {"price_cents": agreed.cents, "price": agreed.offer.price.to_json(), "tariff_id": agreed.version.id}
    orders.move(session, order, OrderState.IN_REVIEW, by.id, note=None, **frozen)
    review.ask(session, order, why)


def decide(
    session: Session, order: Order, verdict: Verdict, reason: str, by: Person, quote: Settle = billing.produce
) -> None:
    """Accept a request, send it back to be changed, or decline it; its person reads the reason.

    Accepted without a reason, one is written. `quote` is what writes a quote, if the person has asked for one.

    Raises `Conflict` when somebody else was faster, the wallet lacks money, or it cannot be printed; `Invalid` without
    a reason. Nothing happens then.
    """
    found = review.take(session, order)
    if verdict == Verdict.ACCEPT and not reason.strip():
        words = Language(order.person.language or settings().language)
        reason = words.text(say("It can be made as it is."))
    review.close(session, found, verdict, reason, by.id)
    telling.looked_at(session, found)
    if verdict == Verdict.ACCEPT:
        _accept(session, order, by, quote if order.wants_quote else billing.produce)
    elif verdict == Verdict.CHANGE:
        orders.move(session, order, OrderState.CHANGES_REQUESTED, by.id, price_cents=None, price=None)
    else:
        orders.move(session, order, OrderState.DECLINED, by.id)


def _accept(session: Session, order: Order, by: Person, settle: Settle) -> None:
    """Let a request go its way at the price its person saw when they sent it."""
    version = session.get_one(TariffVersion, order.tariff_id)
    if order.price_cents is None:
        raise Conflict(say("It has no price yet: please set one first."))
    missing = 0 if order.wants_quote else paying.missing_cents(session, order, order.price_cents)
    if missing and order.project_id is not None:
        raise Conflict(paying.shortage(order, missing))
    if missing:
        raise Conflict(
            say(
                "{missing} are missing in the wallet of {name}: it has to be topped up first.",
                missing=Euros(missing),
                name=order.person.first_name,
            )
        )
    offer = billing.chosen_offer(session, order, {}, version)
    settle(session, order, Agreed(offer, order.price_cents, version), by)
