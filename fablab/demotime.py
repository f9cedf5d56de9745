"""Time in the past of the demo place: what is written down carries the moment it is about, not that of the filling.

Money is booked when it is filled in: the order of the ledger is the order of its bookings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import event
from sqlalchemy.orm import Session

from fablab.db import utcnow
from fablab.filament.models import SpoolMovement
from fablab.jobs.models import JobEvent
from fablab.machines.models import MachineEvent
from fablab.notices.models import Notice
from fablab.orders.models import OrderEvent
from fablab.orders.review_models import Review
from fablab.orders.shelf import PickUp
from fablab.orders.thread_models import Message
from fablab.settings import settings

DATED: dict[type[Any], str] = {
    **dict.fromkeys((OrderEvent, JobEvent, MachineEvent, SpoolMovement, Notice, Message), "at"),
    PickUp: "ready_at",
    Review: "asked_at",
}
OPENED = time(14, 10)
AFTERNOON_MIN = 270


class Clock:
    """The clock of a session in the past."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session, self.now = session, now

    def moves_to(self, now: datetime) -> None:
        """Let what is written from here on have happened at another moment."""
        self._session.flush()
        self.now = now

    def date(self, session: Session, *_: object) -> None:
        """Give what is about to be written its moment."""
        for each in session.new:
            if type(each) in DATED:
                setattr(each, DATED[type(each)], self.now)


@contextmanager
def as_of(session: Session, now: datetime) -> Iterator[Clock]:
    """Let what the block writes down have happened at `now`, and whenever its clock moves to."""
    clock = Clock(session, now)
    event.listen(session, "before_flush", clock.date)
    try:
        yield clock
        session.flush()
    finally:
        event.remove(session, "before_flush", clock.date)


def afternoon(days_ago: int, number: int) -> datetime:
    """Return a moment of an afternoon on which the place was open, another one for each number."""
    here = utcnow().astimezone(ZoneInfo(settings().timezone))
    opened = datetime.combine(here.date() - timedelta(days=days_ago), OPENED, here.tzinfo)
    return opened + timedelta(minutes=number * 47 % AFTERNOON_MIN)
