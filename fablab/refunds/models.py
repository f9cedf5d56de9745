"""The table of requests for a refund or a free reprint, with what was decided."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.models import Person
from fablab.db import Base, new_public_id, utcnow
from fablab.invoicing.models import Document
from fablab.orders.models import Order
from fablab.words import N_


class Wish(StrEnum):
    """What a person would like."""

    REFUND = "refund"
    REPRINT = "reprint"


class Answer(StrEnum):
    """What was decided."""

    REFUND = "refund"
    REPRINT = "reprint"
    REFUSE = "refuse"


WISH_LABELS: dict[Wish, str] = {Wish.REFUND: N_("Money back"), Wish.REPRINT: N_("Printed again")}
ANSWER_LABELS: dict[Answer, str] = {
    Answer.REFUND: N_("Refunded"),
    Answer.REPRINT: N_("Printed again free of charge"),
    Answer.REFUSE: N_("Refused"),
}

_OPEN = text("decided_at IS NULL")


class Complaint(Base):
    """Something went wrong with an order that had started. An order has one that waits; a decided one stays as it is.

    `refund_cents` is what was given back: into the wallet, or by the credit note.
    """

    __tablename__ = "complaint"
    __table_args__ = (
        Index("uq_complaint_open", "order_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        CheckConstraint("(decided_at is null) = (answer is null)", name="decided_with_answer"),
        CheckConstraint("refund_cents >= 0 and (answer = 'refund' or refund_cents = 0)", name="refund_is_money"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    order_id: Mapped[int] = mapped_column(ForeignKey("print_order.id"), index=True)
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime] = mapped_column(default=utcnow)
    wish: Mapped[Wish] = mapped_column(String(10))
    what: Mapped[str] = mapped_column(Text)
    answer: Mapped[Answer | None] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text, default="")
    refund_cents: Mapped[int] = mapped_column(default=0)
    credit_note_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    reprint_id: Mapped[int | None] = mapped_column(ForeignKey("print_order.id"))
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    order: Mapped[Order] = relationship(lazy="joined", foreign_keys=[order_id])
    credit_note: Mapped[Document | None] = relationship(foreign_keys=[credit_note_id], lazy="joined")
    reprint: Mapped[Order | None] = relationship(foreign_keys=[reprint_id], lazy="joined")
    decided_by: Mapped[Person | None] = relationship(foreign_keys=[decided_by_id], lazy="joined")
