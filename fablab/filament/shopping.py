"""What to buy: the queue's demand and each filament's threshold against what is free on the shelf. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fablab.words import Grams, Sentence, say

NOTHING_G = 0.05


@dataclass(frozen=True)
class Product:
    """A filament as the shopping list sees it: grams on a full reel, free now, and wanted to be there at least."""

    id: int
    material: str
    colour: str
    net_g: float
    low_g: float
    free_g: float


@dataclass(frozen=True)
class Demand:
    """What queued plates need of a material, in a colour or in any (None). `unsliced` ones are not known yet."""

    material: str
    colour: str | None
    mass_g: float
    plates: int
    unsliced: int = 0


@dataclass(frozen=True)
class Purchase:
    """So many reels of a filament, and why."""

    product_id: int
    reels: int
    because: tuple[Sentence, ...]


@dataclass(frozen=True)
class Balance:
    """A line of demand against what is free for it; `missing_g` more than nothing is short."""

    demand: Demand
    free_g: float
    missing_g: float


@dataclass(frozen=True)
class Plan:
    """The shopping list, and how it came about. `unknown`: what is short and of which no filament is known."""

    balances: tuple[Balance, ...]
    purchases: tuple[Purchase, ...]
    unknown: tuple[Demand, ...]


def plan(products: Sequence[Product], demands: Sequence[Demand]) -> Plan:
    """Serve colours first, then plates that take any, then the thresholds; what is short is bought in whole reels.

    Of several filaments that would do, the one that was added last is bought: what people bought last.
    """
    left = {product.id: max(0.0, product.free_g) for product in products}
    short: dict[int, float] = {}
    balances, unknown = [], []
    for demand in sorted(demands, key=lambda each: (each.colour is None, each.material, each.colour or "")):
        fitting = [each for each in products if _fits(each, demand)]
        free = sum(left[each.id] for each in fitting)
        missing = _take(demand.mass_g, fitting, left)
        balances.append(Balance(demand, free, missing))
        if missing and fitting:
            best = max(fitting, key=lambda each: each.id)
            short[best.id] = short.get(best.id, 0.0) + missing
        elif missing:
            unknown.append(demand)
    purchases = [_purchase(each, short.get(each.id, 0.0), left[each.id]) for each in products]
    return Plan(tuple(balances), tuple(each for each in purchases if each), tuple(unknown))


def _fits(product: Product, demand: Demand) -> bool:
    return product.material == demand.material and demand.colour in (None, product.colour)


def _take(mass_g: float, products: Sequence[Product], left: dict[int, float]) -> float:
    """Take `mass_g` from what is left of these, where least is left first, and return what is missing."""
    for product in sorted(products, key=lambda each: left[each.id]):
        taken = min(mass_g, left[product.id])
        left[product.id] -= taken
        mass_g -= taken
    return mass_g if mass_g > NOTHING_G else 0.0


def _purchase(product: Product, short_g: float, left_g: float) -> Purchase | None:
    low_g = max(0.0, product.low_g - left_g)
    if short_g + low_g <= NOTHING_G:
        return None
    because = []
    if short_g:
        because.append(say("The plates in the queue need {mass} more than there is.", mass=Grams(short_g)))
    if low_g:
        because.append(
            say("{left} will be left, and {low} should be there.", left=Grams(left_g), low=Grams(product.low_g))
        )
    return Purchase(product.id, math.ceil((short_g + low_g) / product.net_g), tuple(because))
