"""Which of the watchers follows the printers: the one whose lease lasts. The ticker reads it too."""

from __future__ import annotations

from datetime import datetime, timedelta

from fablab import db, ticks
from fablab.db import utcnow

WATCHER = "watcher"
WATCHER_LEASE = timedelta(seconds=15)
RENEW_BEFORE = timedelta(seconds=10)  # a write every five seconds; two may fail


def keep(mine: datetime | None) -> datetime | None:
    """Take the watcher's lease, or lengthen it when it is time; return its end, or None when another has it."""
    now = utcnow()
    if mine is not None and RENEW_BEFORE < mine - now <= WATCHER_LEASE:
        return mine
    with db.transaction() as session:
        return ticks.hold(session, WATCHER, WATCHER_LEASE, now, mine)


def give_back(mine: datetime) -> None:
    """Let another watcher follow at once, and the ticker know that nobody does."""
    with db.transaction() as session:
        ticks.let_go(session, WATCHER, mine, utcnow())
