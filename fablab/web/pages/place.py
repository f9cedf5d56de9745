"""The place for everybody: is somebody there, how long is the wait; and the same, large, for a screen in the room.

No sign-in, no names, nothing of what is printed: only machines, states and times.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template
from sqlalchemy.orm import Session

from fablab import db
from fablab.db import utcnow
from fablab.jobs import queries as jobs
from fablab.jobs.models import Attempt
from fablab.jobs.queries import Outlook
from fablab.jobs.states import NEEDS_SIGNOFF
from fablab.machines import queries as machines
from fablab.machines.hours import Hours, parse_hours
from fablab.machines.models import OPERATION_LABELS, Machine, Operation, Service
from fablab.settings import settings
from fablab.web.auth import open_to_all
from fablab.web.labels import OPERATION_SIGNS
from fablab.words import N_, Duration, Sentence, say

blueprint = Blueprint("place", __name__)

AT_ONCE = timedelta(minutes=15)
DAY_LABELS = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"),
)  # fmt: skip


@dataclass(frozen=True)
class Tile:
    """A machine on the wall: a sign and a word for its state, and how far it is with what it prints."""

    name: str
    kind: str
    sign: str
    label: str
    progress: float | None = None
    until: datetime | None = None


@blueprint.get("/place")
@open_to_all
def show() -> Any:
    """Show whether the place is open and how long the wait is."""
    return render_template("place/show.html", **_now())


@blueprint.get("/place/now")
@open_to_all
def now() -> Any:
    """Show the part of that page that changes."""
    return render_template("place/_now.html", **_now())


@blueprint.get("/wall")
@open_to_all
def wall() -> Any:
    """Show the screen of the room."""
    return render_template("place/wall.html", **_now())


@blueprint.get("/wall/now")
@open_to_all
def wall_now() -> Any:
    """Show the part of the screen that changes."""
    return render_template("place/_wall.html", **_now())


def _now() -> dict[str, Any]:
    at = utcnow()
    with db.reading() as session:
        outlook = jobs.outlook(session, at)
        hours = parse_hours(machines.house_rules(session).opening_hours)
        tiles = _tiles(session, at)
    here = at.astimezone(ZoneInfo(settings().timezone))
    return {
        "tiles": tiles,
        "waiting": sum(not line.job.held for line in outlook.lines),
        "wait": wait_in_words(outlook, at),
        "hours": [(DAY_LABELS[day], _spans(hours, day)) for day in range(7)] if hours.spans else [],
        "open_until": hours.open_until(here),
        "opens": hours.open_from(here) if hours.spans else None,
        "kinds": {kind: sum(tile.kind == kind for tile in tiles) for kind in ("ready", "busy", "check")},
    }


def wait_in_words(outlook: Outlook, now: datetime) -> Sentence:
    """Say when a print that is ordered now could start, as far as anything can be said."""
    if outlook.next_start is None:
        return say("Nothing can be said about the wait: no printer is in reach.")
    wait = outlook.next_start - now
    if outlook.unforeseen:
        return say("A new print waits at least {time}; some are still being prepared.", time=_length(wait))
    if wait <= AT_ONCE:
        return say("A new print can start at once.")
    return say("A new print can start in about {time}.", time=_length(wait))


def _length(wait: timedelta) -> Duration:
    """Round a wait to quarters of an hour: more is not known."""
    return Duration(max(1, round(wait / AT_ONCE)) * AT_ONCE.total_seconds())


def _spans(hours: Hours, day: int) -> str:
    spans = hours.spans.get(day, ())
    return ", ".join(f"{_clock(span.start)}–{_clock(span.end)}" for span in sorted(spans, key=lambda span: span.start))


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _tiles(session: Session, at: datetime) -> list[Tile]:
    attempts = {attempt.machine_id: attempt for attempt in jobs.live_attempts(session)}
    return [_tile(machine, attempts.get(machine.id), at) for machine in machines.all_in_use(session)]


def _tile(machine: Machine, attempt: Attempt | None, at: datetime) -> Tile:
    if machine.service != Service.IN_SERVICE:
        return Tile(machine.name, "off", "✕", N_("Out of service"))
    if attempt is not None and attempt.state in NEEDS_SIGNOFF:
        return Tile(machine.name, "check", "?", N_("To be checked"))
    operation = Operation(machine.operation)
    label, sign = OPERATION_LABELS[operation], OPERATION_SIGNS[operation]
    if operation not in (Operation.BUSY, Operation.PAUSED):
        return Tile(machine.name, operation, sign, label)
    left = attempt.time_left_s if attempt is not None else machine.time_left_s
    progress = attempt.progress if attempt is not None else machine.progress
    return Tile(machine.name, operation, sign, label, progress, at + timedelta(seconds=left) if left else None)
