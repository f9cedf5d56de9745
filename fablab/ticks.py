"""A clock that any number of processes may wind: each slot of a schedule goes to exactly one of them."""

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
