"""Weekly hours in which somebody is there, and daily ones in which nothing starts. Pure: text and local times in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from fablab.errors import Invalid
from fablab.words import say

DAY = 24 * 60
DAY_NAMES = (
    ("mon", "lun"), ("tue", "mar"), ("wed", "mer"), ("thu", "jeu"), ("fri", "ven"), ("sat", "sam"), ("sun", "dim"),
)  # fmt: skip
_SPAN = re.compile(r"(\d{1,2})(?:[:h](\d{2}))?h?\s*[-–]\s*(\d{1,2})(?:[:h](\d{2}))?h?")
_LINE = re.compile(r"([^\W\d]+)\.?(?:\s*[-–]\s*([^\W\d]+)\.?)?\s+(.+)")


@dataclass(frozen=True)
class Span:
    """Part of a day, in minutes from midnight; one that ends before it begins goes on into the next day."""

    start: int
    end: int

    def minutes_left(self, minute: int) -> int:
        """Return how many minutes it still lasts at a minute of the day, 0 when it does not hold then."""
        length = (self.end - self.start) % DAY or DAY
        passed = (minute - self.start) % DAY
        return max(0, length - passed)


@dataclass(frozen=True)
class Hours:
    """When somebody is there: the spans of each weekday, 0 being Monday. Without any, nobody has said."""

    spans: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)

    def open_until(self, at: datetime) -> datetime | None:
        """Return until when somebody is there at a local time, or None when nobody is."""
        minute, weekday = at.hour * 60 + at.minute, at.weekday()
        today = [span.minutes_left(minute) for span in self.spans.get(weekday, ()) if minute >= span.start]
        since_yesterday = [
            span.minutes_left(minute)
            for span in self.spans.get((weekday - 1) % 7, ())
            if span.end <= span.start and minute < span.end
        ]
        left = max([*today, *since_yesterday], default=0)
        return at.replace(second=0, microsecond=0) + timedelta(minutes=left) if left else None

    def open_from(self, at: datetime) -> datetime | None:
        """Return `at` when somebody is there, else when somebody comes next; None when nobody comes within a week.

        Where nobody has said when somebody is there, it is `at`.
        """
        if not self.spans or self.open_until(at) is not None:
            return at
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        days = (midnight + timedelta(days=number) for number in range(8))
        starts = (
            day.replace(hour=span.start // 60, minute=span.start % 60)
            for day in days
            for span in self.spans.get(day.weekday(), ())
            if span.start < DAY
        )
        return min((each for each in starts if each > at), default=None)


@lru_cache(maxsize=16)
def parse_hours(text: str) -> Hours:
    """Read lines such as "tue-fri 14:00-19:00" or "sam 10h-12h, 14h-18h30", in English or French.

    Raises `Invalid` for a line that cannot be read.
    """
    found: dict[int, tuple[Span, ...]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        parts = _LINE.fullmatch(line.lower())
        first, last = (_day(parts[1]), _day(parts[2] or parts[1])) if parts else (None, None)
        spans = _spans(parts[3]) if parts else ()
        if first is None or last is None or not spans:
            raise Invalid(
                say("“{line}” is not understood. Write days and hours, such as “tue-fri 14:00-19:00”.", line=line),
                field="opening_hours",
            )
        for day in range(first, first + (last - first) % 7 + 1):
            found[day % 7] = (*found.get(day % 7, ()), *spans)
    return Hours(found)


@lru_cache(maxsize=16)
def parse_quiet(text: str) -> Span | None:
    """Read one span such as "22:00-7:00", or nothing. Raises `Invalid` when it cannot be read."""
    if not text.strip():
        return None
    spans = _spans(text)
    if len(spans) != 1:
        raise Invalid(say("Write the quiet hours as “22:00-7:00”."), field="quiet_hours")
    return spans[0]


def _day(name: str) -> int | None:
    return next((place for place, names in enumerate(DAY_NAMES) if name[:3] in names), None)


def _spans(text: str) -> tuple[Span, ...]:
    """Return the spans in a text that holds nothing else, none when it does."""
    if re.sub(r"[\s,;]|et|and", "", _SPAN.sub("", text)):
        return ()
    spans = []
    for found in _SPAN.finditer(text):
        start, end = _minute(found[1], found[2]), _minute(found[3], found[4])
        if start is None or end is None or start == end:
            return ()
        spans.append(Span(start, end % DAY))
    return tuple(spans)


def _minute(hour: str, minute: str | None) -> int | None:
    value = int(hour) * 60 + int(minute or 0)
    return value if value <= DAY and int(minute or 0) < 60 else None
