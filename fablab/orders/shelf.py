"""Where finished parts wait: every order that is ready gets a place on the shelf and a short code."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from fablab.db import Base, utcnow
from fablab.notices.kinds import Kind
from fablab.orders import telling
from fablab.orders.models import Order, OrderState

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is read as something else
CODE_LENGTH = 4
DEFAULT_PLACES = "A1\nA2\nA3\nB1\nB2\nB3"
OPEN = text("ended_at IS NULL")


class PickUp(Base):
    """An order on the shelf. `code` is what its person says; it belongs to one waiting order only."""

    __tablename__ = "pick_up"
    __table_args__ = (Index("uq_pick_up_waiting_code", "code", unique=True, postgresql_where=OPEN, sqlite_where=OPEN),)

    order_id: Mapped[int] = mapped_column(ForeignKey("print_order.id"), primary_key=True, autoincrement=False)
    place: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(8))
    ready_at: Mapped[datetime] = mapped_column(default=utcnow)
    reminders: Mapped[int] = mapped_column(default=0)
    reminded_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str | None] = mapped_column(String(300))

    order: Mapped[Order] = relationship(lazy="joined")


class ShelfRules(Base):
    """The places of the shelf, one a line, and when people are reminded: one row."""

    __tablename__ = "shelf_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    places: Mapped[str] = mapped_column(Text)
    remind_after_days: Mapped[int]
    most_reminders: Mapped[int]


def rules(session: Session) -> ShelfRules:
    """Return the rules of the shelf; a place that has not set any gets the usual ones."""
    found = session.get(ShelfRules, 1)
    return found or ShelfRules(id=1, places=DEFAULT_PLACES, remind_after_days=7, most_reminders=3)


def places(session: Session) -> list[str]:
    """Return the names of the places."""
    return [line.strip() for line in rules(session).places.splitlines() if line.strip()]


def proposed_place(session: Session) -> str:
    """Return the place with the fewest orders on it, the first of them."""
    counted = select(PickUp.place, func.count()).where(PickUp.ended_at.is_(None)).group_by(PickUp.place)
    used = {place: count for place, count in session.execute(counted)}  # noqa: C416 - a row is not quite a tuple to mypy
    known = places(session)
    return min(known, key=lambda name: used.get(name, 0)) if known else ""


def put(session: Session, order: Order) -> PickUp:
    """Put an order that has just become ready on the shelf, and tell its person the code."""
    row = PickUp(order_id=order.id, place=proposed_place(session), code=_free_code(session))
    session.add(row)
    session.flush()
    telling.tell(session, order, Kind.READY, f"ready-{order.id}", place=row.place, code=row.code)
    return row


def order_moved(session: Session, order: Order, by_id: int | None) -> None:
    """Put an order on the shelf when it is ready, and take it off when it leaves."""
    if order.state == OrderState.READY:
        put(session, order)
    elif order.state in (OrderState.COLLECTED, OrderState.ABANDONED):
        session.execute(
            update(PickUp)
            .where(PickUp.order_id == order.id, PickUp.ended_at.is_(None))
            .values(ended_at=utcnow(), ended_by_id=by_id)
        )


def _free_code(session: Session) -> str:
    while True:
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        if session.scalar(select(PickUp.order_id).where(PickUp.code == code, PickUp.ended_at.is_(None))) is None:
            return code
