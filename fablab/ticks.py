"""A clock that any number of processes may wind: each slot of a schedule goes to exactly one of them.

The same rows are leases: what one process does alone for as long as it says so.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import String, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from fablab.db import Base


class Tick(Base):
    """When something is due next."""

    __tablename__ = "tick"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    next_at: Mapped[datetime]


def take(session: Session, name: str, every: timedelta, now: datetime) -> bool:
    """Tell whether `name` is due and this caller is the one to do it, by compare-and-swap on its row.

    Slots that were missed are not made up for: what is due is asked from the database, once.
    """
    row = session.get(Tick, name)
    if row is None:
        session.add(Tick(name=name, next_at=now + every))
        session.flush()
        return True
    due = row.next_at
    if due > now:
        if due - now <= every * 2:
            return False
        now_or_due = now  # the clock was set back: start counting again
    else:
        now_or_due = max(due + every, now)
    changed = session.execute(
        update(Tick)
        .where(Tick.name == name, Tick.next_at == due)
        .values(next_at=now_or_due)
        .execution_options(synchronize_session=False)
    )
    return changed.rowcount == 1 and due <= now  # type: ignore[attr-defined]


def hold(session: Session, name: str, lease: timedelta, now: datetime, mine: datetime | None) -> datetime | None:
    """Take or lengthen the lease `name`; return its end if it is ours, else None. `mine` is the end we hold, if any.

    The end is the token: whoever still finds the one that was written last is the one who wrote it.
    """
    row = session.get(Tick, name, populate_existing=True)
    if row is None:
        session.add(Tick(name=name, next_at=now + lease))
        session.flush()
        return now + lease
    if row.next_at != mine and _lasts(row.next_at, lease, now):
        return None
    changed = session.execute(
        update(Tick)
        .where(Tick.name == name, Tick.next_at == row.next_at)
        .values(next_at=now + lease)
        .execution_options(synchronize_session=False)
    )
    return now + lease if changed.rowcount == 1 else None  # type: ignore[attr-defined]


def is_held(session: Session, name: str, lease: timedelta, now: datetime) -> bool:
    """Tell whether somebody holds the lease `name`."""
    row = session.get(Tick, name)
    return row is not None and _lasts(row.next_at, lease, now)


def let_go(session: Session, name: str, mine: datetime, now: datetime) -> None:
    """Give a lease back, if it is still ours."""
    session.execute(update(Tick).where(Tick.name == name, Tick.next_at == mine).values(next_at=now))


def _lasts(end: datetime, lease: timedelta, now: datetime) -> bool:
    """Tell whether a lease goes on; one that ends later than any can was written before the clock was set back."""
    return now < end <= now + lease * 2
