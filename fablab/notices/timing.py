"""When a mail may leave: never in the quiet hours, and a day's news together in the morning. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from fablab.notices.kinds import Pace
from fablab.settings import settings

PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
    timedelta(hours=24),
)
"""How long to wait after each try that failed for the moment; after the last one the mail has failed."""


@dataclass(frozen=True)
class House:
    """What the place says about its mails: quiet from one time to another, and when the mail of the day leaves."""

    zone: ZoneInfo
    quiet_from: time | None
    quiet_until: time | None
    digest_at: time

    def is_quiet(self, at: datetime) -> bool:
        """Tell whether no mail leaves at this moment; quiet hours may go past midnight."""
        if self.quiet_from is None or self.quiet_until is None:
            return False
        clock = at.astimezone(self.zone).time()
        if self.quiet_from <= self.quiet_until:
            return self.quiet_from <= clock < self.quiet_until
        return clock >= self.quiet_from or clock < self.quiet_until


def house() -> House:
    """Return the house of the settings."""
    start, _, end = settings().mail_quiet_hours.partition("-")
    return House(
        zone=ZoneInfo(settings().timezone),
        quiet_from=time.fromisoformat(start) if end else None,
        quiet_until=time.fromisoformat(end) if end else None,
        digest_at=time(settings().mail_digest_hour),
    )


def due_at(pace: Pace, now: datetime, rules: House) -> datetime:
    """Return when a mail leaves that is written now."""
    if pace == Pace.DAILY:
        return _next(rules.digest_at, now, rules.zone)
    if rules.is_quiet(now) and rules.quiet_until is not None:
        return _next(rules.quiet_until, now, rules.zone)
    return now


def pause_after(tries: int) -> timedelta | None:
    """Return the pause after so many tries, or None when there were enough."""
    return PAUSES[tries - 1] if tries <= len(PAUSES) else None


def _next(clock: time, now: datetime, zone: ZoneInfo) -> datetime:
    local = now.astimezone(zone)
    found = datetime.combine(local.date(), clock, zone)
    if found <= local:
        found = datetime.combine(local.date() + timedelta(days=1), clock, zone)
    return found.astimezone(now.tzinfo)
