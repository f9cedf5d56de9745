"""Tables of card payments online, and of the provider's messages about them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.models import Person
from fablab.db import Base, new_public_id, utcnow
from fablab.invoicing.models import Document
from fablab.words import N_, Sentence


class CardState(StrEnum):
    """Where a card payment stands. Money that has come is never taken back by a later message."""

    NEW = "new"
    OPEN = "open"
    PAID = "paid"
    ENDED = "ended"
    WRONG = "wrong"
    DEALT_WITH = "dealt_with"


CARD_LABELS: dict[CardState, str] = {
    CardState.NEW: N_("Not opened"),
    CardState.OPEN: N_("Not paid yet"),
    CardState.PAID: N_("Paid"),
    CardState.ENDED: N_("Ended without payment"),
    CardState.WRONG: N_("To be looked at"),
    CardState.DEALT_WITH: N_("Dealt with"),
}


class CardPayment(Base):
    """Something a person pays by card online: an invoice, or a top-up of the own wallet without one.

    `key` makes the same form, sent twice, one payment; `provider_id` is the checkout at the provider.
    """

    __tablename__ = "card_payment"
    __table_args__ = (CheckConstraint("amount_cents > 0", name="is_about_money"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    document_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"), index=True)
    amount_cents: Mapped[int]
    state: Mapped[CardState] = mapped_column(String(10), default=CardState.NEW, index=True)
    provider: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    url: Mapped[str] = mapped_column(String(2000), default="")
    problem: Mapped[Sentence | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    until: Mapped[datetime]
    looked_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(lazy="joined")
    document: Mapped[Document | None] = relationship(lazy="joined")


class CardEvent(Base):
    """A message of the provider that was acted on; the same one again changes nothing. Only grows.

    Or what somebody has done about a payment that did not match: then it says who, and what.
    """

    __tablename__ = "card_event"

    id: Mapped[str] = mapped_column(String(120), primary_key=True)
    card_payment_id: Mapped[int] = mapped_column(ForeignKey("card_payment.id"), index=True)
    kind: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    note: Mapped[str | None] = mapped_column(Text)

    by: Mapped[Person | None] = relationship(lazy="joined")
