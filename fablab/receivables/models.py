"""Tables of reminders: each one that was sent, once per level and invoice, and invoices nobody is reminded of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.models import Person
from fablab.db import Base, utcnow
from fablab.invoicing.models import Document
from fablab.notices.models import Mail


class Reminder(Base):
    """That a company was reminded of an invoice: at which level, of how much, by which mail. Only grows."""

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint("document_id", "level"),
        CheckConstraint("level between 1 and 3", name="level_exists"),
        CheckConstraint("amount_cents > 0", name="is_about_money"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    level: Mapped[int]
    amount_cents: Mapped[int]
    mail_id: Mapped[int] = mapped_column(ForeignKey("mail.id"))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    document: Mapped[Document] = relationship(lazy="joined")
    mail: Mapped[Mail] = relationship(lazy="joined")
    by: Mapped[Person | None] = relationship(lazy="joined", foreign_keys=[by_id])


class ReminderStop(Base):
    """An invoice nobody is to be reminded of, and who said so: it is disputed, or a payment was promised."""

    __tablename__ = "reminder_stop"

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
