"""Tables of what members and volunteers write to each other: about an order, or about a design that is no file yet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.models import Person
from fablab.db import Base, new_public_id, utcnow
from fablab.orders.models import Order


class Thread(Base):
    """What is written about an order, or a request for help, which may become an order or be closed."""

    __tablename__ = "thread"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("print_order.id"), unique=True)
    subject: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    closed_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(lazy="joined")
    order: Mapped[Order | None] = relationship(lazy="joined")


class Message(Base):
    """One message, as plain text. `from_place` says that a volunteer wrote it to a member. Only grows."""

    __tablename__ = "thread_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    from_place: Mapped[bool]
    at: Mapped[datetime] = mapped_column(default=utcnow)
    text: Mapped[str] = mapped_column(Text)

    person: Mapped[Person] = relationship(lazy="joined")


class ThreadSeen(Base):
    """Up to which message a side has read a thread: the volunteers together, or the member and company."""

    __tablename__ = "thread_seen"

    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id"), primary_key=True)
    by_place: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    message_id: Mapped[int]
