"""What is offered for a whole order: an offer for each of its parts, and the price of all of them together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.orm import Session

from fablab.billing.offers import Check, Offer
from fablab.billing.pricing import Price, Tariff
from fablab.billing.totalling import Printed, Total, total
from fablab.errors import Invalid
from fablab.filament import queries as filament
from fablab.jobs import spools
from fablab.orders import lines
from fablab.orders.models import Order, OrderLine
from fablab.orders.services import Wanted
from fablab.slicing.choices import Choices, Quality
from fablab.words import Sentence, say


@dataclass(frozen=True)
class PartOffer:
    """One part with what is chosen for it, its offer, and what it has of the order's price."""

    line: OrderLine
    wanted: Wanted
    offer: Offer
    cents: int


@dataclass(frozen=True)
class OrderOffer:
    """The offers of all parts, what they cost together, and how far their checks are: as far as the worst one.

    `problem` says why the worst one cannot be made, or could not be checked.
    """

    parts: tuple[PartOffer, ...]
    price: Price
    check: Check
    problem: Sentence | None

    @property
    def checked(self) -> bool:
        """Whether all figures are those of real slices."""
        return self.check == Check.DONE

    def part(self, line: OrderLine) -> PartOffer:
        """Return the offer for one part."""
        return next(each for each in self.parts if each.line.id == line.id)


WORST_FIRST = (Check.REFUSED, Check.NOT_ASKED, Check.RUNNING, Check.UNKNOWN, Check.DONE)


Offered = tuple[OrderLine, Wanted, Offer]
"""A part, what is wanted of it, and its offer."""


def computed(offered: Sequence[Offered], tariff: Tariff) -> Total:
    """Return the price of an order's parts by a tariff. Raises `Invalid`, `NoPrice` when only a person can say it."""
    printed = [
        Printed(line.file_name, wanted.choices.material, offer.quote.mass_g, offer.quote.time_s, wanted.quantity)
        for line, wanted, offer in offered
    ]
    return total(tariff, printed)


def whole(offered: Sequence[Offered], sum_of_all: Total) -> OrderOffer:
    """Put the offers of an order's parts together, at what they cost together."""
    parts = tuple(
        PartOffer(line, wanted, offer, cents)
        for (line, wanted, offer), cents in zip(offered, sum_of_all.part_cents, strict=True)
    )
    worst = min(parts, key=lambda part: WORST_FIRST.index(part.offer.check))
    return OrderOffer(parts, sum_of_all.price, worst.offer.check, _named(worst, len(parts)))


def _named(part: PartOffer, count: int) -> Sentence | None:
    """Say of which part a problem is when there are several."""
    problem = part.offer.problem
    if problem is None or count == 1:
        return problem
    return say("{file}: {line}", file=part.line.file_name, line=problem)


@contextmanager
def naming(line: OrderLine, count: int) -> Iterator[None]:
    """Let a problem say of which part it is when there are several."""
    try:
        yield
    except Invalid as problem:
        if count == 1:
            raise
        named = say("{file}: {line}", file=line.file_name, line=problem.sentence)
        raise Invalid(named, field=problem.field) from problem


def wishes(session: Session, order: Order, edited: Mapping[int, Wanted]) -> dict[int, Wanted]:
    """Return what is wanted of each part: as edited just now, as chosen before, or else the usual."""
    found = {line.id: edited.get(line.id) or lines.chosen(line) for line in order.lines}
    return {line.id: found[line.id] or usual(session, line, order.person_id) for line in order.lines}


def usual(session: Session, line: OrderLine, person_id: int) -> Wanted:
    """Return what is chosen before anybody chooses: the material most is in stock of, in any colour."""
    stock: dict[str, float] = {}
    for colour in filament.colours(session, spools.held_mg(session), person_id):
        stock[colour.material_code] = stock.get(colour.material_code, 0.0) + colour.remaining_g
    known = [each.code for each in filament.materials(session)]
    if not known:
        raise Invalid(say("The place has no material yet: an administrator has to add one."))
    best = max(known, key=lambda code: stock.get(code, 0.0))
    return Wanted(Choices(best, Quality.NORMAL, 20, supports=line.supports), None, 1)
