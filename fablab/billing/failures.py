"""Prints that fail because of their file: how many of them are free by the tariff, and what a further one costs.

A further one costs the share of the failed copies in the price of their part, as far as their plate was printed; never
more than that share rounded down, so that good and failed copies together never cost more than was confirmed. Whatever
fails for another reason is made again free of charge, and a print for which the place answers after all counts no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from fablab.billing import by_hand
from fablab.billing.by_hand import Asked, Made
from fablab.billing.failure_models import FailedPrint, ForgivenFailure
from fablab.billing.models import TariffVersion
from fablab.billing.pricing import Rules
from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.jobs import services as jobs
from fablab.jobs import signoff
from fablab.jobs.models import Attempt
from fablab.jobs.signoff import Reason, Verdict
from fablab.money import half_up, share
from fablab.orders.models import Order, OrderLine
from fablab.orders.services import Payer
from fablab.words import Euros, Sentence, say

COUNTED_FOR = timedelta(days=365)
"""For so long a failed print counts as one of the free ones."""


@dataclass(frozen=True)
class Failure:
    """What follows from copies that failed because of their file.

    `cents` are paid for them. `free` is how many such prints the prices leave free in twelve months and `before` how
    many there were; None where all of them are free.
    """

    copies: int
    printed_mg: int
    whole_mg: int
    cents: int
    free: int | None = None
    before: int = 0


def terms(free: int | None) -> Sentence | None:
    """Say what failed prints cost when so many of them are free; None where all are."""
    if free is None:
        return None
    if free == 0:
        return say("A print that fails because of its file costs what was printed of it.")
    return say(
        "Prints that fail because of their file: {free} in twelve months free of charge, then what was printed of them "
        "is paid.",
        free=free,
    )


def terms_for(session: Session, rules: Rules, person_id: int, payer: Payer | None) -> Sentence | None:
    """Say what failed prints would cost who pays, and how many free ones are left."""
    said = terms(rules.free_failures)
    if said is None or not rules.free_failures:
        return said
    left = max(rules.free_failures - counted(session, person_id, payer, utcnow()), 0)
    return say("{terms} Left of these: {left}.", terms=said, left=left)


def counted(session: Session, person_id: int, payer: Payer | None, now: datetime) -> int:
    """Return how many prints failed because of their file in the twelve months before, of who pays.

    That is a company or a project, or else this person.
    """
    company_id, project_id = (payer.company_id, payer.project_id) if payer else (None, None)
    whose = (Order.company_id == company_id) & (Order.project_id == project_id)
    if company_id is None and project_id is None:
        whose &= Order.person_id == person_id
    query = select(func.count(FailedPrint.id)).join(Order, Order.id == FailedPrint.order_id)
    forgiven = exists().where(ForgivenFailure.failed_print_id == FailedPrint.id)
    return session.scalar(query.where(whose, FailedPrint.at > now - COUNTED_FOR, ~forgiven)) or 0


def forgive(session: Session, order: Order, by_id: int | None, now: datetime) -> None:
    """Let the failed prints of an order count no more. The order is held."""
    for each in of_order(session, order.id):
        if session.get(ForgivenFailure, each.id) is None:
            session.add(ForgivenFailure(failed_print_id=each.id, at=now, by_id=by_id))
    session.flush()


def must_have_seen(seen: int | None, rules: Rules) -> None:
    """Raise `Conflict` when fewer failed prints are free than a person has read; None stands for all of them."""
    if rules.free_failures is not None and (seen is None or seen > rules.free_failures):
        raise Conflict(say("What failed prints cost has changed: please look at the price and confirm again."))


def expected(session: Session, order: Order, attempt: Attempt, verdict: Verdict) -> Failure | None:
    """Return what a verdict on a plate means for who pays; None when no copy fails because of its file."""
    copies = attempt.copies - verdict.good
    line = order.part(attempt.job.line_id)
    if verdict.reason != Reason.FILE or copies <= 0 or line is None:
        return None
    printed_mg, whole_mg = jobs.used_mg(attempt, verdict), max(round(attempt.slice.mass_g * 1000), 1)
    rules = Rules.from_json(session.get_one(TariffVersion, order.tariff_id).rules)
    if rules.free_failures is None or not line.price_cents:
        return Failure(copies, printed_mg, whole_mg, 0)
    before = counted(session, order.person_id, Asked.kept(order).payer, utcnow())
    cents = 0
    if before >= rules.free_failures:
        price_cents = _price_without_lines(session, order, line)
        cents = cost(price_cents, copies, line.quantity, min(printed_mg, whole_mg), whole_mg)
    return Failure(copies, printed_mg, whole_mg, cents, rules.free_failures, before)


def _price_without_lines(session: Session, order: Order, line: OrderLine) -> int:
    """Return what a part has of the price, without its share of lines that were written on top by hand."""
    price_cents, hand = line.price_cents or 0, by_hand.behind(session, order.price)
    own = Made.of(hand).own_cents if hand else ()
    if not any(own):
        return price_cents
    return min(own[order.lines.index(line)], price_cents)


def cost(line_cents: int, copies: int, quantity: int, printed_mg: int, whole_mg: int) -> int:
    """Return the share of some copies in the price of their part, as far as they were printed, in cents."""
    printed = half_up(Decimal(line_cents * copies * printed_mg) / (quantity * whole_mg))
    return min(printed, share(line_cents, copies, quantity))


def note(session: Session, order: Order, attempt: Attempt, failure: Failure, by_id: int | None) -> None:
    """Note a failed print, where not all of them are free. The order, and who pays it, are held."""
    if failure.free is None:
        return
    made = FailedPrint(
        attempt_id=attempt.id,
        order_id=order.id,
        line_id=attempt.job.line_id,
        copies=failure.copies,
        printed_mg=failure.printed_mg,
        whole_mg=failure.whole_mg,
        cents=failure.cents,
        free=failure.before < failure.free,
        at=utcnow(),
        by_id=by_id,
    )
    session.add(made)
    session.flush()


def of_order(session: Session, order_id: int) -> Sequence[FailedPrint]:
    """Return the prints of an order that failed because of their file, the oldest first."""
    return session.scalars(select(FailedPrint).where(FailedPrint.order_id == order_id).order_by(FailedPrint.id)).all()


def cents_by(session: Session, line: OrderLine) -> int:
    """Return what is paid for the failed prints of a part."""
    return sum(each.cents for each in of_order(session, line.order_id) if each.line_id == line.id)


def in_words(session: Session, attempt: Attempt, verdict: Verdict) -> Sentence:
    """Say what a verdict leads to, for the person who is about to give it. Raises `Invalid` like `consequence`."""
    said, order = signoff.in_words(attempt.copies, verdict), session.get_one(Order, attempt.job.order_id)
    failure = expected(session, order, attempt, verdict)
    if failure is None or failure.free is None:
        return said
    if failure.before < failure.free:
        free = say(
            "Because of its file: number {number} of {free} free ones in twelve months.",
            number=failure.before + 1,
            free=failure.free,
        )
        return say("{consequence} {free}", consequence=said, free=free)
    return say(
        "The plate ends here; paid are the good copies ({good} of {copies}) and {amount} for what was printed of the "
        "others.",
        good=verdict.good,
        copies=attempt.copies,
        amount=amount(order, failure.cents),
    )


def amount(order: Order, cents: int) -> Euros | Sentence:
    """Return an amount of an order for a sentence, which says so where VAT comes on top of it."""
    return say("{amount} before VAT", amount=Euros(cents)) if order.price_before_vat else Euros(cents)
