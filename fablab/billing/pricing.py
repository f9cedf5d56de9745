"""What a print costs by a tariff. Pure, in integer cents, with every line of the sum."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from fablab.errors import Invalid
from fablab.money import half_up
from fablab.words import Duration, Euros, Grams, Sentence, say

HIGHEST_PRICE_CENTS = 1_000_000


class NoPrice(Invalid):
    """There is no price that can be computed: a person of the place has to set one."""


@dataclass(frozen=True)
class Rules:
    """What a tariff may have besides fee, hours, kilograms and minimum; as it comes, none of it applies.

    A slot is charged as soon as it is begun, and at least `least_slots` of them for each part. `breaks` takes per cent
    off from so many copies on, the highest one that is reached. The place pays `aid_percent` of the real cost. An
    urgent order costs `urgent_percent` of what is left and `urgent_cents` more. The sum is rounded to a multiple of
    `rounding_cents`. So many prints that fail because of their file are free in twelve months, None for all of them.
    """

    slot_minutes: int = 0
    slot_cents: int = 0
    per_part_cents: int = 0
    breaks: tuple[tuple[int, int], ...] = ()
    aid_percent: int = 0
    rounding_cents: int = 1
    urgent_percent: int = 0
    urgent_cents: int = 0
    least_slots: int = 1
    free_failures: int | None = None

    @property
    def offers_urgency(self) -> bool:
        """Whether an order can be urgent at these prices."""
        return bool(self.urgent_percent or self.urgent_cents)

    def to_json(self) -> dict[str, Any]:
        """Return plain data to keep with a tariff."""
        return {**asdict(self), "breaks": [list(each) for each in self.breaks]}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Rules:
        """Return the rules that `to_json` wrote; of a tariff from before there were any, none."""
        breaks = tuple((copies, percent) for copies, percent in data.get("breaks", ()))
        return Rules(**{**data, "breaks": breaks})


NO_RULES = Rules()


@dataclass(frozen=True)
class Tariff:
    """A tariff: a fee per order, a price per hour of machine and per kilogram of material, a minimum, and rules.

    `urgent` is the tariff as it prices an urgent order.
    """

    name: str
    setup_cents: int
    per_hour_cents: int
    minimum_cents: int
    per_kg_cents: Mapping[str, int]
    rules: Rules = NO_RULES
    urgent: bool = False


@dataclass(frozen=True)
class PriceLine:
    """One line of a price, in words and cents."""

    sentence: Sentence
    amount_cents: int

    def to_json(self) -> dict[str, Any]:
        return {"sentence": self.sentence.to_json(), "amount_cents": self.amount_cents}


@dataclass(frozen=True)
class Price:
    """A price and the lines it is the sum of.

    `aid_cents` is what the place pays of the real cost; `hand_id` is the price by hand it is, if a person has set it.
    """

    total_cents: int
    lines: tuple[PriceLine, ...]
    aid_cents: int = 0
    hand_id: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain data to keep with an order, so that the price can be explained years later."""
        lines = [line.to_json() for line in self.lines]
        by_hand = {} if self.hand_id is None else {"hand_id": self.hand_id}
        return {"total_cents": self.total_cents, "lines": lines, "aid_cents": self.aid_cents, **by_hand}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Price:
        """Return the price that `to_json` wrote."""
        lines = (PriceLine(Sentence.from_json(line["sentence"]), line["amount_cents"]) for line in data["lines"])
        return Price(data["total_cents"], tuple(lines), data.get("aid_cents", 0), data.get("hand_id"))


DEFAULT_TARIFF = Tariff(
    name="Standard",
    setup_cents=100,
    per_hour_cents=80,
    minimum_cents=200,
    per_kg_cents={"PLA": 4000, "PETG": 4500, "TPU": 7000},
)


def price(tariff: Tariff, material: str, mass_g: float, time_s: float, copies: int = 1) -> Price:
    """Return the price of `copies` parts, together `mass_g` grams of `material` printed in `time_s` seconds.

    Raises `Invalid` like `cost_of_part` and `in_all`.
    """
    return in_all(tariff, cost_of_part(tariff, material, mass_g, time_s, copies))


def cost_of_part(tariff: Tariff, material: str, mass_g: float, time_s: float, copies: int) -> list[PriceLine]:
    """Return what all copies of a part cost, less the quantity price, without what is counted once per order.

    Raises `Invalid` when the tariff has no price for the material, `NoPrice` when a figure is not one to sell by (zero,
    negative, infinite): a person has to look at such a print.
    """
    if material not in tariff.per_kg_cents:
        raise Invalid(say("The tariff “{tariff}” has no price for {material}.", tariff=tariff.name, material=material))
    if not (math.isfinite(mass_g) and math.isfinite(time_s) and mass_g > 0 and time_s > 0 and copies > 0):
        raise NoPrice(say("No price can be computed for this file: a volunteer has to set one."))
    lines = [_material(tariff, material, mass_g), *_time(tariff, time_s), _parts(tariff, copies)]
    return [*lines, *_discount(sum_of(lines), copies, tariff.rules.breaks)]


def in_all(tariff: Tariff, cost: Iterable[PriceLine]) -> Price:
    """Return the price of an order whose parts cost this: set-up, minimum, aid, urgency and rounding count once.

    Raises `NoPrice` when the sum is not one to sell by: nothing, or absurdly high.
    """
    lines = [*cost, PriceLine(say("Preparing the printer"), tariff.setup_cents)]
    lines += _at_least(sum_of(lines), tariff.minimum_cents)
    real_cents = sum_of(lines)
    aid = _aid(real_cents, tariff.rules.aid_percent)
    lines.append(aid)
    if tariff.urgent:
        lines += _urgency(sum_of(lines), tariff.rules)
    lines += _rounded(sum_of(lines), tariff.rules.rounding_cents)
    total = sum_of(lines)
    if not (0 < total <= HIGHEST_PRICE_CENTS and real_cents <= HIGHEST_PRICE_CENTS):
        raise NoPrice(say("No price can be computed for this order: a volunteer has to set one."))
    return Price(total, tuple(line for line in lines if line.amount_cents), -aid.amount_cents)


def _material(tariff: Tariff, material: str, mass_g: float) -> PriceLine:
    per_kg = tariff.per_kg_cents[material]
    sentence = say("{mass} of {material} at {rate} per kg", mass=Grams(mass_g), material=material, rate=Euros(per_kg))
    return PriceLine(sentence, half_up(Decimal(repr(mass_g)) * per_kg / 1000))


def _time(tariff: Tariff, time_s: float) -> Iterator[PriceLine]:
    hours = Decimal(repr(time_s)) / 3600
    per_hour, rules = tariff.per_hour_cents, tariff.rules
    yield PriceLine(
        say("{time} of printer at {rate} per hour", time=Duration(time_s), rate=Euros(per_hour)),
        half_up(hours * per_hour),
    )
    if rules.slot_minutes:
        begun = math.ceil(Decimal(repr(time_s)) / (60 * rules.slot_minutes))
        slots = max(begun, rules.least_slots)
        rate = Euros(rules.slot_cents)
        said = {"time": Duration(time_s), "minutes": rules.slot_minutes, "slots": slots, "rate": rate}
        sentence = say("{time} of printer: slots of {minutes} min begun, {slots} at {rate}", **said)
        if begun < slots:
            sentence = say("{time} of printer: slots of {minutes} min, at least {slots}, at {rate}", **said)
        yield PriceLine(sentence, slots * rules.slot_cents)


def _parts(tariff: Tariff, copies: int) -> PriceLine:
    each = tariff.rules.per_part_cents
    return PriceLine(say("Parts: {copies} at {rate}", copies=copies, rate=Euros(each)), copies * each)


def _at_least(cents: int, minimum_cents: int) -> Iterator[PriceLine]:
    if cents < minimum_cents:
        yield PriceLine(say("Up to the minimum of {minimum}", minimum=Euros(minimum_cents)), minimum_cents - cents)


def _discount(cents: int, copies: int, breaks: Iterable[tuple[int, int]]) -> Iterator[PriceLine]:
    reached = [each for each in breaks if copies >= each[0]]
    if reached:
        least, percent = max(reached)
        sentence = say("{percent} per cent off from {copies} copies on", percent=percent, copies=least)
        yield PriceLine(sentence, -half_up(Decimal(cents) * percent / 100))


def _aid(cost_cents: int, percent: int) -> PriceLine:
    sentence = say(
        "The place pays {percent} per cent of the real cost of {cost}", percent=percent, cost=Euros(cost_cents)
    )
    return PriceLine(sentence, -half_up(Decimal(cost_cents) * percent / 100))


def _urgency(cents: int, rules: Rules) -> Iterator[PriceLine]:
    percent, fee = rules.urgent_percent, rules.urgent_cents
    sentence = say("As soon as possible: {percent} per cent of {cost}", percent=percent, cost=Euros(cents))
    yield PriceLine(sentence, half_up(Decimal(cents) * percent / 100))
    yield PriceLine(say("As soon as possible: {rate} per order", rate=Euros(fee)), fee)


def _rounded(cents: int, to_cents: int) -> Iterator[PriceLine]:
    rounded = half_up(Decimal(cents) / to_cents) * to_cents
    yield PriceLine(say("Rounded to a multiple of {step}", step=Euros(to_cents)), rounded - cents)


def sum_of(lines: Iterable[PriceLine]) -> int:
    """Return the sum of some lines, in cents."""
    return sum(line.amount_cents for line in lines)
