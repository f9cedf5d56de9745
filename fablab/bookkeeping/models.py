"""Tables of bookkeeping. All of them only grow."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fablab.db import Base, utcnow
from fablab.words import N_


class Span(StrEnum):
    """How long the period of a closing is."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


SPAN_LABELS: dict[Span, str] = {Span.DAY: N_("Day"), Span.MONTH: N_("Month"), Span.YEAR: N_("Year")}


class Closing(Base):
    """A closed day, month or year. `payload` is all it says, exactly as it was hashed; the columns repeat parts."""

    __tablename__ = "closing"
    __table_args__ = (UniqueConstraint("span", "first_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(unique=True)
    span: Mapped[Span] = mapped_column(String(10))
    first_on: Mapped[date]
    last_on: Mapped[date] = mapped_column(index=True)
    payload: Mapped[str] = mapped_column(Text)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class Archive(Base):
    """A year that was archived: the digest of its file, and who made it when. It is the journal of archiving.

    `payload` is what was hashed, together with the hash of the archive before it; the columns repeat parts.
    """

    __tablename__ = "archive"

    id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(unique=True)
    year: Mapped[int] = mapped_column(unique=True)
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    payload: Mapped[str] = mapped_column(Text)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class EReport(Base):
    """That sales or payments of some days were handed over for e-reporting, when and under which reference."""

    __tablename__ = "e_report"
    __table_args__ = (UniqueConstraint("what", "first_on", "last_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(String(10))
    first_on: Mapped[date]
    last_on: Mapped[date]
    handed_on: Mapped[date]
    reference: Mapped[str] = mapped_column(String(80))
    made_at: Mapped[datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
