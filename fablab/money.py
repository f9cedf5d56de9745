"""Money: integer cents, rounded half up, never a float."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from fablab.errors import Invalid
from fablab.words import say

PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]{0,2})?|\.[0-9]{1,2})")
MOST_EUROS = 1_000_000


def half_up(amount: Decimal) -> int:
    """Round an amount of cents to whole cents, halves away from zero."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def parse_euros(text: str, field: str | None = None) -> int:
    """Read what a person typed ("12", "12,5", "12.50 €") as cents; raise `Invalid` on anything else."""
    cleaned = text.replace("€", "").replace("\u202f", "").replace("\xa0", "").replace(" ", "").replace(",", ".")
    if not PLAIN.fullmatch(cleaned) or abs(amount := Decimal(cleaned)) > MOST_EUROS:
        raise Invalid(say("“{text}” is not an amount in euros.", text=text), field=field)
    return int(amount * 100)


def share(total_cents: int, part: int, whole: int) -> int:
    """Return what `part` of `whole` pieces has cost so far; all pieces together cost exactly the total."""
    return total_cents * part // whole


def spread(total_cents: int, weights: Sequence[int]) -> list[int]:
    """Spread an amount over weights, to the cent: what each gets is within a cent of its share, the sum is exact.

    The largest remainders get the cents that are left over. Where all weights are nothing, all shares are the same.
    """
    shares = weights if any(weights) else [1] * len(weights)
    whole = sum(shares)
    parts = [share(total_cents, weight, whole) for weight in shares]
    by_remainder = sorted(range(len(parts)), key=lambda place: (-(total_cents * shares[place] % whole), place))
    for place in by_remainder[: total_cents - sum(parts)]:
        parts[place] += 1
    return parts
