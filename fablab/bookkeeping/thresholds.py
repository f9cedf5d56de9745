"""The thresholds of the small business exemption, by date and with their source, and how near a year has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from fablab.billing import seller
from fablab.billing.models import Operation, Regime
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.periods import period
from fablab.bookkeeping.sales import sales
from fablab.words import Euros, Sentence, say

WARN_AT_PERCENT = 80


@dataclass(frozen=True)
class Threshold:
    """Up to which turnover of a calendar year an operation is exempt, from a date on; `upper_cents` ends it at once."""

    valid_from: date
    operation: Operation
    cents: int
    upper_cents: int
    source: str


THRESHOLDS = (
    Threshold(date(2023, 1, 1), Operation.GOODS, 9_190_000, 10_100_000, "CGI art. 293 B (2023–2024)"),
    Threshold(date(2023, 1, 1), Operation.SERVICES, 3_680_000, 3_910_000, "CGI art. 293 B (2023–2024)"),
    Threshold(date(2025, 1, 1), Operation.GOODS, 8_500_000, 9_350_000, "CGI art. 293 B (2025), CIBS art. L. 223-3"),
    Threshold(date(2025, 1, 1), Operation.SERVICES, 3_750_000, 4_125_000, "CGI art. 293 B (2025), CIBS art. L. 223-3"),
)


@dataclass(frozen=True)
class Warned:
    """What to tell the treasurer, and where the threshold comes from; `passed` from the threshold itself on."""

    sentence: Sentence
    source: str
    passed: bool


def on(day: date, operation: Operation) -> Threshold | None:
    """Return the threshold that holds on a day."""
    held = [each for each in THRESHOLDS if each.operation == operation and each.valid_from <= day]
    return max(held, key=lambda each: each.valid_from, default=None)


def warning(session: Session, day: date) -> Warned | None:
    """Return what to say about the turnover of the year of a day: nothing below 80 %, or outside the exemption."""
    regime = next((each for each in seller.regimes(session) if each.valid_from <= day), None)
    if regime is None or regime.regime != Regime.FRANCHISE:
        return None
    threshold = on(day, Operation(regime.operation))
    if threshold is None:
        return None
    turnover = sum(each.net_cents for each in sales(session, period(Span.YEAR, day)))
    sentence = _said(turnover, threshold)
    return Warned(sentence, threshold.source, turnover >= threshold.cents) if sentence else None


def _said(turnover: int, threshold: Threshold) -> Sentence | None:
    if turnover >= threshold.upper_cents:
        text = say(
            "This year’s sales are {turnover}, above the upper threshold of {limit}: VAT is due from this sale on.",
            turnover=Euros(turnover),
            limit=Euros(threshold.upper_cents),
        )
    elif turnover >= threshold.cents:
        text = say(
            "This year’s sales are {turnover}, above the threshold of {limit}: VAT is due from next year on.",
            turnover=Euros(turnover),
            limit=Euros(threshold.cents),
        )
    elif turnover * 100 >= threshold.cents * WARN_AT_PERCENT:
        text = say(
            "This year’s sales are {turnover}, more than 80 percent of the threshold of {limit} for the VAT exemption.",
            turnover=Euros(turnover),
            limit=Euros(threshold.cents),
        )
    else:
        return None
    return text
