"""Net, VAT and gross of a document. Pure, in integer cents; VAT is computed once per rate, never per line.

Net-first (prices before VAT): VAT of a rate is half-up of the sum of its nets. Gross-first (prices with VAT, which
members see): the net of a rate is half-up of gross / (1 + rate), VAT is the rest, and line nets share that net by
largest remainder. One in six gross prices at 20 % has no net price that leads back to it, hence two ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from fablab.money import half_up, spread


class Rounding(StrEnum):
    """Which amount of a rate is given, and which is computed of it."""

    NET_FIRST = "net_first"
    GROSS_FIRST = "gross_first"


@dataclass(frozen=True)
class Priced:
    """What a line costs, before VAT or with it, and its rate in hundredths of a per cent."""

    cents: int
    rate_bp: int


@dataclass(frozen=True)
class RateSum:
    """Net and VAT of all lines of one rate."""

    rate_bp: int
    net_cents: int
    vat_cents: int

    @property
    def gross_cents(self) -> int:
        """What is to be paid for these lines."""
        return self.net_cents + self.vat_cents


class ByRate:
    """What is summed up by rate, and what that is together."""

    rates: tuple[RateSum, ...]

    @property
    def net_cents(self) -> int:
        """The total before VAT."""
        return sum(each.net_cents for each in self.rates)

    @property
    def vat_cents(self) -> int:
        """The whole VAT."""
        return sum(each.vat_cents for each in self.rates)

    @property
    def gross_cents(self) -> int:
        """What is to be paid."""
        return self.net_cents + self.vat_cents


@dataclass(frozen=True)
class Sums(ByRate):
    """The nets of the lines in their order, the sums by rate, highest first, and the rule they were computed by."""

    line_nets: tuple[int, ...]
    rates: tuple[RateSum, ...]
    rounding: Rounding


def net_first(lines: Sequence[Priced]) -> Sums:
    """Return the sums of lines priced before VAT."""
    rates = [
        RateSum(rate_bp, net, vat_of(net, rate_bp))
        for rate_bp in _rates(lines)
        for net in [sum(line.cents for line in lines if line.rate_bp == rate_bp)]
    ]
    return Sums(tuple(line.cents for line in lines), tuple(rates), Rounding.NET_FIRST)


def gross_first(lines: Sequence[Priced]) -> Sums:
    """Return the sums of lines priced with VAT: the gross stays exactly what was shown."""
    nets = [0] * len(lines)
    rates = []
    for rate_bp in _rates(lines):
        places = [place for place, line in enumerate(lines) if line.rate_bp == rate_bp]
        gross = sum(lines[place].cents for place in places)
        net = net_within(gross, rate_bp)
        for place, part in zip(places, spread(net, [lines[place].cents for place in places]), strict=True):
            nets[place] = part
        rates.append(RateSum(rate_bp, net, gross - net))
    return Sums(tuple(nets), tuple(rates), Rounding.GROSS_FIRST)


def vat_of(net_cents: int, rate_bp: int) -> int:
    """Return the VAT of a net amount, half-up."""
    return half_up(Decimal(net_cents) * rate_bp / 10_000)


def net_within(gross_cents: int, rate_bp: int) -> int:
    """Return the net amount within a gross one, half-up."""
    return half_up(Decimal(gross_cents) * 10_000 / (10_000 + rate_bp))


def part_of(whole: Sequence[RateSum], rest: Sequence[RateSum], gross_cents: int) -> tuple[RateSum, ...]:
    """Return the part that a credit note of so much takes of the rest of an invoice; all of it is the remainder.

    VAT is what all parts so far have to carry, less what they carried before: any number of credit notes add up to
    exactly the invoice, and none of them gathers the roundings of the others.
    """
    shares = spread(gross_cents, [each.gross_cents for each in rest])
    parts = []
    for all_of, left, share in zip(whole, rest, shares, strict=True):
        if not share:
            continue
        reached = all_of.gross_cents - left.gross_cents + share
        carried = half_up(Decimal(reached) * all_of.vat_cents / all_of.gross_cents)
        vat = min(max(carried - all_of.vat_cents + left.vat_cents, 0), share, left.vat_cents)
        parts.append(RateSum(left.rate_bp, share - vat, vat))
    return tuple(parts)


def minus(whole: Sequence[RateSum], taken: Sequence[RateSum]) -> tuple[RateSum, ...]:
    """Return what is left of the sums by rate."""
    return tuple(
        RateSum(
            each.rate_bp,
            each.net_cents - sum(part.net_cents for part in taken if part.rate_bp == each.rate_bp),
            each.vat_cents - sum(part.vat_cents for part in taken if part.rate_bp == each.rate_bp),
        )
        for each in whole
    )


def unit_price(cents: int, quantity: int) -> int:
    """Return the price of one in hundredths of a cent (four decimals); up to 100 of them round to exactly the line."""
    return half_up(Decimal(cents) * 100 / quantity)


def _rates(lines: Sequence[Priced]) -> list[int]:
    return sorted({line.rate_bp for line in lines}, reverse=True)
