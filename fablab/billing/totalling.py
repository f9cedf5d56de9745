"""The price of an order of several parts: each part for itself, what is paid once per order on top. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from fablab.billing.pricing import NoPrice, Price, PriceLine, Tariff, cost_of_part, in_all, sum_of
from fablab.money import spread
from fablab.words import say


@dataclass(frozen=True)
class Printed:
    """All copies of one part: its name, its material, mass in g and printing time in s together, and how many."""

    name: str
    material: str
    mass_g: float
    time_s: float
    copies: int


@dataclass(frozen=True)
class Total:
    """The price of an order, and what each part has of it: together exactly the price."""

    price: Price
    part_cents: tuple[int, ...]


def total(tariff: Tariff, parts: Sequence[Printed]) -> Total:
    """Return the price of an order: what is counted once per order is spread over the parts, to the cent.

    Raises `Invalid` when one of the parts has no price, or all together none to sell by.
    """
    costs = [_cost(tariff, each, len(parts)) for each in parts]
    named = costs if len(parts) == 1 else [_named(part, cost) for part, cost in zip(parts, costs, strict=True)]
    whole = in_all(tariff, chain.from_iterable(named))
    return Total(whole, tuple(spread(whole.total_cents, [sum_of(cost) for cost in costs])))


def _cost(tariff: Tariff, part: Printed, count: int) -> list[PriceLine]:
    """Return what a part costs; that nobody can compute it is said of this part when there are several."""
    try:
        return cost_of_part(tariff, part.material, part.mass_g, part.time_s, part.copies)
    except NoPrice as problem:
        if count == 1:
            raise
        raise NoPrice(say("{file}: {line}", file=part.name, line=problem.sentence)) from problem


def _named(part: Printed, cost: Sequence[PriceLine]) -> list[PriceLine]:
    return [
        PriceLine(say("{file}: {line}", file=part.name, line=line.sentence), line.amount_cents)
        for line in cost
        if line.amount_cents
    ]
