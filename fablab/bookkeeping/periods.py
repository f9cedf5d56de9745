"""Days, months and years as periods of the books, and which of them can be closed next."""

from __future__ import annotations

from calendar import monthrange
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from fablab.bookkeeping.models import Span
from fablab.errors import Invalid
from fablab.settings import settings
from fablab.words import say


class Days(Protocol):
    """Some days in a row, of whatever length."""

    @property
    def first_on(self) -> date:
        """The first of them."""

    @property
    def last_on(self) -> date:
        """The last of them."""


@dataclass(frozen=True)
class Period:
    """A day, a month or a year, with its first and its last day."""

    span: Span
    first_on: date
    last_on: date


def period(span: Span, day: date) -> Period:
    """Return the period of this length a day lies in."""
    match span:
        case Span.DAY:
            return Period(span, day, day)
        case Span.MONTH:
            return Period(span, day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]))
        case Span.YEAR:
            return Period(span, date(day.year, 1, 1), date(day.year, 12, 31))


def following(before: Period) -> Period:
    """Return the period after another one."""
    return period(before.span, before.last_on + timedelta(days=1))


def midnight(day: date) -> datetime:
    """Return the moment a day begins where the place is."""
    return datetime.combine(day, time(), ZoneInfo(settings().timezone))


def end_of(days: Days) -> datetime:
    """Return the moment after the last of some days."""
    return midnight(days.last_on + timedelta(days=1))


YEARS = range(2000, 9000)  # at the ends of the calendar there is no day before, or after
WRITTEN = {Span.DAY: "%Y-%m-%d", Span.MONTH: "%Y-%m", Span.YEAR: "%Y"}


def name(span: Span, first_on: date) -> str:
    """Write a period as "2026-11-24", "2026-11" or "2026"."""
    return first_on.isoformat()[: {Span.DAY: 10, Span.MONTH: 7, Span.YEAR: 4}[Span(span)]]


def read_period(text: str) -> Period:
    """Read what `name` writes. Raises `Invalid` on anything else."""
    for span, pattern in WRITTEN.items():
        with suppress(ValueError):
            first_on = datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day has no time zone
            if name(span, first_on) == text and first_on.year in YEARS:
                return period(span, first_on)
    raise Invalid(say("“{text}” is not a day (2026-11-24), a month (2026-11) or a year (2026).", text=text[:40]))
