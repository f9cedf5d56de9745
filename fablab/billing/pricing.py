"""What a print costs by a tariff. Pure, in integer cents, with every line of the sum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fablab.errors import Invalid
from fablab.money import half_up
from fablab.words import Duration, Euros, Grams, Sentence, say

HIGHEST_PRICE_CENTS = 1_000_000


@dataclass(frozen=True)
class Tariff:
    """A tariff: a fee per order, a price per hour of machine and per kilogram of each material, and a minimum."""

    name: str
    setup_cents: int
    per_hour_cents: int
    minimum_cents: int
    per_kg_cents: Mapping[str, int]


@dataclass(frozen=True)
class PriceLine:
    """One line of a price, in words and cents."""

    sentence: Sentence
    amount_cents: int

    def to_json(self) -> dict[str, Any]:
        return {"sentence": self.sentence.to_json(), "amount_cents": self.amount_cents}


@dataclass(frozen=True)
class Price:
    """A price and the lines it is the sum of."""

    total_cents: int
    lines: tuple[PriceLine, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain data to keep with an order, so that the price can be explained years later."""
        return {"total_cents": self.total_cents, "lines": [line.to_json() for line in self.lines]}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Price:
        """Return the price that `to_json` wrote."""
        lines = (PriceLine(Sentence.from_json(line["sentence"]), line["amount_cents"]) for line in data["lines"])
        return Price(data["total_cents"], tuple(lines))


DEFAULT_TARIFF = Tariff(
    name="Standard",
    setup_cents=100,
    per_hour_cents=80,
    minimum_cents=200,
    per_kg_cents={"PLA": 4000, "PETG": 4500, "TPU": 7000},
)


def price(tariff: Tariff, material: str, mass_g: float, time_s: float) -> Price:
    """Return the price of `mass_g` grams of `material` printed in `time_s` seconds.

    Raises `Invalid` when the tariff has no price for the material, or a figure is not one to sell by (zero, negative,
    infinite): a person has to look at such a print.
    """
    if material not in tariff.per_kg_cents:
        raise Invalid(say("The tariff “{tariff}” has no price for {material}.", tariff=tariff.name, material=material))
    if not (math.isfinite(mass_g) and math.isfinite(time_s) and mass_g > 0 and time_s > 0):
        raise Invalid(say("No price can be computed for this file: please ask a volunteer."))
    grams, hours = Decimal(repr(mass_g)), Decimal(repr(time_s)) / 3600
    per_kg = tariff.per_kg_cents[material]
    lines = [
        _line(
            say("{mass} of {material} at {rate} per kg", mass=Grams(mass_g), material=material, rate=Euros(per_kg)),
            half_up(grams * per_kg / 1000),
        ),
        _line(
            say("{time} of printer at {rate} per hour", time=Duration(time_s), rate=Euros(tariff.per_hour_cents)),
            half_up(hours * tariff.per_hour_cents),
        ),
        _line(say("Preparing the printer"), tariff.setup_cents),
    ]
    total = sum(line.amount_cents for line in lines)
    if total < tariff.minimum_cents:
        lines.append(
            _line(
                say("Up to the minimum of {minimum}", minimum=Euros(tariff.minimum_cents)), tariff.minimum_cents - total
            )
        )
        total = tariff.minimum_cents
    if not 0 < total <= HIGHEST_PRICE_CENTS:
        raise Invalid(say("No price can be computed for this file: please ask a volunteer."))
    return Price(total, tuple(line for line in lines if line.amount_cents))


def _line(sentence: Sentence, amount_cents: int) -> PriceLine:
    return PriceLine(sentence, amount_cents)
