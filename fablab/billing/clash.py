"""A place that is subject to VAT cannot have wallets without VAT: on which days its dated rows would say both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import takewhile
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.billing.models import Prepaid, Regime, VatRegime, WalletRules
from fablab.words import Day, Sentence, say

Row = TypeVar("Row", VatRegime, WalletRules)


def of_new_regime(row: VatRegime, regimes: Sequence[VatRegime], rules: Sequence[WalletRules]) -> date | None:
    """Return the first day on which a regime that is entered now would stand beside rules it cannot stand beside."""
    return next((day for day in _days([*regimes, row], rules) if _standing([*regimes, row], day) is row), None)


def of_new_rules(row: WalletRules, regimes: Sequence[VatRegime], rules: Sequence[WalletRules]) -> date | None:
    """Return the first day on which rules that are entered now would stand beside a regime they cannot stand beside."""
    return next((day for day in _days(regimes, [*rules, row]) if _standing([*rules, row], day) is row), None)


def warning(session: Session, today: date) -> Sentence | None:
    """Say so when rows from before this was refused are at odds today, or will be."""
    regimes, rules = session.scalars(select(VatRegime)).all(), session.scalars(select(WalletRules)).all()
    day = _since(regimes, rules, today) or next((day for day in _days(regimes, rules) if day > today), None)
    if day is None:
        return None
    return say(
        "From {day} on the place is subject to VAT and its wallets are without VAT: what wallets pay is booked without"
        " the VAT that is due. Choose another rule of wallets; the accountant books what was sold until then.",
        day=Day(day),
    )


def _days(regimes: Sequence[VatRegime], rules: Sequence[WalletRules]) -> list[date]:
    """Return the days on which something begins to hold and the two are at odds."""
    return [day for day in _begins(regimes, rules) if _are_at_odds(regimes, rules, day)]


def _begins(regimes: Sequence[VatRegime], rules: Sequence[WalletRules]) -> list[date]:
    return sorted({*(each.valid_from for each in regimes), *(each.valid_from for each in rules)})


def _since(regimes: Sequence[VatRegime], rules: Sequence[WalletRules], today: date) -> date | None:
    """Return since when the two are at odds without a break, if they are today."""
    begun = [day for day in reversed(_begins(regimes, rules)) if day <= today]
    return min(takewhile(lambda day: _are_at_odds(regimes, rules, day), begun), default=None)


def _are_at_odds(regimes: Sequence[VatRegime], rules: Sequence[WalletRules], day: date) -> bool:
    regime, rule = _standing(regimes, day), _standing(rules, day)
    if regime is None or rule is None:
        return False
    return regime.regime == Regime.STANDARD and rule.prepaid == Prepaid.WITHOUT_VAT


def _standing(rows: Sequence[Row], day: date) -> Row | None:
    """Return the row that holds on a day: of the newest date, entered last; one without an id is being entered."""
    begun = [each for each in rows if each.valid_from <= day]
    return max(begun, key=lambda each: (each.valid_from, each.id is None, each.id or 0), default=None)
