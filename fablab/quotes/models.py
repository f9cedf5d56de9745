"""Tables of quotes: what was offered, how it was answered, who got a link, who was reminded. All of them only grow."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.models import Person
from fablab.db import Base, new_public_id, utcnow
from fablab.orders.models import Order
from fablab.words import N_


class Quote(Base):
    """A price that binds the place until a day. `payload` is all the paper says; a change of it is a new version.

    `cents` is the price of the order, as it was seen: before VAT or with it, as the paper says.
    """

    __tablename__ = "quote"
    __table_args__ = (
        UniqueConstraint("structure", "year", "sequence", "version"),
        UniqueConstraint("order_id", "version"),
        CheckConstraint("net_cents + vat_cents = gross_cents and net_cents >= 0 and vat_cents >= 0", name="adds_up"),
        CheckConstraint("cents > 0 and version > 0 and sequence > 0", name="is_about_money"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    order_id: Mapped[int] = mapped_column(ForeignKey("print_order.id"), index=True)
    structure: Mapped[str] = mapped_column(String(160))
    year: Mapped[int]
    sequence: Mapped[int]
    version: Mapped[int]
    number: Mapped[str] = mapped_column(String(35), index=True)
    issued_on: Mapped[date]
    valid_until: Mapped[date]
    company_id: Mapped[int | None] = mapped_column(ForeignKey("company.id"), index=True)
    cents: Mapped[int]
    net_cents: Mapped[int]
    vat_cents: Mapped[int]
    gross_cents: Mapped[int]
    payload: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    issued_at: Mapped[datetime] = mapped_column(default=utcnow)
    issued_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    order: Mapped[Order] = relationship(lazy="joined")


class Reply(StrEnum):
    """How a quote was answered."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class QuoteAnswer(Base):
    """The one answer a quote got: by whom, in whose name, and by which link if nobody was signed in."""

    __tablename__ = "quote_answer"
    __table_args__ = (CheckConstraint("(by_id is null) = (link_id is not null)", name="somebody_answered"),)

    quote_id: Mapped[int] = mapped_column(ForeignKey("quote.id"), primary_key=True)
    reply: Mapped[Reply] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(500), default="")
    at: Mapped[datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    link_id: Mapped[int | None] = mapped_column(ForeignKey("quote_link.id"))


class QuoteLink(Base):
    """A personal link to a quote, for somebody without an account, and the mail it was sent with."""

    __tablename__ = "quote_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    quote_id: Mapped[int] = mapped_column(ForeignKey("quote.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    mail_id: Mapped[int] = mapped_column(ForeignKey("mail.id"))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    quote: Mapped[Quote] = relationship(lazy="joined")
    by: Mapped[Person | None] = relationship(lazy="joined", foreign_keys=[by_id])


class QuoteReminder(Base):
    """That a client was reminded of a quote before its end."""

    __tablename__ = "quote_reminder"

    quote_id: Mapped[int] = mapped_column(ForeignKey("quote.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utcnow)


class Standing(StrEnum):
    """Where a quote stands. It is computed, never stored."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


STANDING_LABELS: dict[Standing, str] = {
    Standing.OPEN: N_("To be answered"),
    Standing.ACCEPTED: N_("Agreed to"),
    Standing.REFUSED: N_("Turned down"),
    Standing.EXPIRED: N_("Not valid any more"),
    Standing.WITHDRAWN: N_("Replaced or withdrawn"),
}
