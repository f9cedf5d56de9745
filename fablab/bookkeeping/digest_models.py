"""Tables of the digests that left the place: who keeps them, and which mail carried which. All of them only grow."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.models import Person
from fablab.db import Base, utcnow
from fablab.notices.models import Mail


class DigestReaders(Base):
    """Who keeps the digests, one address a line, and who said so. The newest row holds."""

    __tablename__ = "digest_readers"

    id: Mapped[int] = mapped_column(primary_key=True)
    addresses: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    by: Mapped[Person | None] = relationship(lazy="joined", foreign_keys=[by_id])


class DigestMail(Base):
    """That a mail to one reader carries the digests of the closings from one place in the chain to another."""

    __tablename__ = "digest_mail"
    __table_args__ = (CheckConstraint("first_position <= last_position", name="carries_something"),)

    mail_id: Mapped[int] = mapped_column(ForeignKey("mail.id"), primary_key=True, autoincrement=False)
    first_position: Mapped[int]
    last_position: Mapped[int] = mapped_column(index=True)

    mail: Mapped[Mail] = relationship(lazy="joined")
