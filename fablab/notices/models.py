"""Tables of notices, of the mails that carry them, and of what people chose to get."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.models import Person
from fablab.db import Base, new_public_id, utcnow
from fablab.notices.kinds import Group, Kind, Pace
from fablab.words import N_, Sentence


class MailState(StrEnum):
    """Where a mail stands; docs/decisions/0010 says why `handing` and `unknown` exist."""

    DUE = "due"
    SENDING = "sending"
    HANDING = "handing"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


MAIL_LABELS: dict[MailState, str] = {
    MailState.DUE: N_("Waiting to be sent"),
    MailState.SENDING: N_("Being sent"),
    MailState.HANDING: N_("Being sent"),
    MailState.SENT: N_("Sent"),
    MailState.FAILED: N_("Not sent"),
    MailState.UNKNOWN: N_("Perhaps sent"),
}
UNDELIVERED = frozenset({MailState.FAILED, MailState.UNKNOWN})


class Mail(Base):
    """One mail to one person with one notice, or with a day's. `token` counts who took it: only one sends it.

    One to somebody without an account, such as the billing contact of a company, carries its own words instead.
    """

    __tablename__ = "mail"
    __table_args__ = (
        Index("ix_mail_waiting", "due_at", postgresql_where=text("state = 'due'"), sqlite_where=text("state = 'due'")),
        CheckConstraint("(person_id is null) = (to_email is not null)", name="goes_to_somebody"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    group: Mapped[Group | None] = mapped_column("subject_group", String(20))
    state: Mapped[MailState] = mapped_column(String(10), default=MailState.DUE, index=True)
    due_at: Mapped[datetime]
    notices_count: Mapped[int] = mapped_column(default=1)
    tries: Mapped[int] = mapped_column(default=0)
    token: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    problem: Mapped[Sentence | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    sent_at: Mapped[datetime | None]
    to_name: Mapped[str | None] = mapped_column(String(160))
    to_email: Mapped[str | None] = mapped_column(String(254))
    language: Mapped[str | None] = mapped_column(String(2))
    subject: Mapped[str | None] = mapped_column(String(200))
    body: Mapped[str | None] = mapped_column(Text)

    person: Mapped[Person | None] = relationship(lazy="joined")
    notices: Mapped[list[Notice]] = relationship(lazy="selectin", order_by="Notice.id", viewonly=True)

    @property
    def addressee(self) -> str:
        """Whom it is for."""
        return self.person.name if self.person else self.to_name or ""

    @property
    def address(self) -> str:
        """Where it goes."""
        return self.person.email if self.person else self.to_email or ""


class Notice(Base):
    """Something a person is told. `key` makes the same news, told twice, one notice; `path` is the page about it."""

    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("person_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[Kind] = mapped_column(String(30))
    key: Mapped[str] = mapped_column(String(80))
    title: Mapped[Sentence]
    text: Mapped[Sentence]
    path: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    read_at: Mapped[datetime | None]
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("mail.id"), index=True)


class NoticeChoice(Base):
    """How soon a person wants the mails of a group; without a row: at once."""

    __tablename__ = "notice_choice"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    group: Mapped[Group] = mapped_column("subject_group", String(20), primary_key=True)
    pace: Mapped[Pace] = mapped_column(String(10))
