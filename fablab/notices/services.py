"""What can be done with notices: tell, read, choose, decline."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from fablab import bus
from fablab.accounts.models import Person
from fablab.db import utcnow
from fablab.errors import Invalid
from fablab.notices import queries, timing
from fablab.notices.kinds import ALWAYS, WORDINGS, Group, Kind, Pace
from fablab.notices.models import Mail, MailState, Notice, NoticeChoice
from fablab.words import Sentence, say


@dataclass(frozen=True)
class News:
    """What happened: its kind, a key that is the same when it is told twice, the page about it, and what to put in.

    `by_mail` is false when the same address gets a mail about it anyway.
    """

    kind: Kind
    key: str
    path: str
    params: dict[str, Any] = field(default_factory=dict)
    by_mail: bool = True


def tell(session: Session, person: Person, news: News, now: datetime | None = None) -> Notice | None:
    """Tell a person, in the page and by mail as they chose; both are written with what happened, or not at all.

    Told again with the same key nothing is added. A person whose account is closed is told nothing: None.
    """
    now = now or utcnow()
    found = session.scalar(select(Notice).where(Notice.person_id == person.id, Notice.key == news.key))
    if found is not None or not person.active:
        return found
    wording = WORDINGS[news.kind]
    mail = _mail_for(session, person, wording.group, now) if news.by_mail else None
    notice = Notice(
        person_id=person.id,
        kind=news.kind,
        key=news.key,
        title=Sentence(wording.title, news.params),
        text=Sentence(wording.text, news.params),
        path=news.path,
        at=now,
        mail_id=mail.id if mail else None,
    )
    session.add(notice)
    session.flush()
    bus.tell(session, topic(person.id))
    if mail is not None and mail.due_at <= now:
        bus.ask(session, "send_mail", mail.id)
    return notice


@dataclass(frozen=True)
class Outsider:
    """Somebody without an account who is written to."""

    name: str
    email: str
    language: str


def write_to(
    session: Session, outsider: Outsider, subject: str, body: str, now: datetime, *, waits: bool = True
) -> Mail:
    """Write a mail to somebody without an account. Paragraphs are parted by empty lines.

    It waits for the end of the quiet hours, unless somebody waits for it at their screen.
    """
    mail = Mail(
        group=Group.ESSENTIAL,
        due_at=timing.due_at(Pace.AT_ONCE, now, timing.house()) if waits else now,
        to_name=outsider.name[:160],
        to_email=outsider.email,
        language=outsider.language,
        subject=subject[:200],
        body=body,
    )
    session.add(mail)
    session.flush()
    if mail.due_at <= now:
        bus.ask(session, "send_mail", mail.id)
    return mail


def topic(person_id: int) -> str:
    """Return the name of what changes when a person's notices do."""
    return f"notices-{person_id}"


def _mail_for(session: Session, person: Person, group: Group, now: datetime) -> Mail | None:
    pace = Pace.AT_ONCE if group in ALWAYS else queries.pace_of(session, person.id, group)
    if pace == Pace.NEVER:
        return None
    due_at = timing.due_at(pace, now, timing.house())
    if pace == Pace.DAILY and (waiting := _join_digest(session, person.id, due_at)) is not None:
        return waiting
    mail = Mail(person_id=person.id, group=group if pace == Pace.AT_ONCE else None, due_at=due_at)
    session.add(mail)
    session.flush()
    return mail


def _join_digest(session: Session, person_id: int, due_at: datetime) -> Mail | None:
    """Put one more notice into the mail of the day, unless it is being sent already.

    The row is written, so that whoever takes the mail waits for this transaction and finds the notice in it.
    """
    mine = (Mail.person_id == person_id, Mail.group.is_(None), Mail.state == MailState.DUE, Mail.due_at == due_at)
    mail_id = session.scalar(select(Mail.id).where(*mine).limit(1))
    changed = session.scalar(
        update(Mail)
        .where(Mail.id == mail_id, Mail.state == MailState.DUE)
        .values(notices_count=Mail.notices_count + 1)
        .returning(Mail.id)
        .execution_options(synchronize_session=False)
    )
    return session.get(Mail, changed) if changed is not None else None


def read(session: Session, person_id: int, public_id: str | None, now: datetime) -> None:
    """Mark one notice of a person as read, or all of them."""
    which = [Notice.person_id == person_id, Notice.read_at.is_(None)]
    if public_id is not None:
        which.append(Notice.public_id == public_id)
    session.execute(update(Notice).where(*which).values(read_at=now))
    bus.tell(session, topic(person_id))


def choose(session: Session, person_id: int, group: Group, pace: Pace) -> None:
    """Keep how soon a person wants the mails of a group. Raises `Invalid` for those that always come."""
    if group in ALWAYS:
        raise Invalid(say("These mails always come: somebody waits for your answer, or the law asks for them."))
    session.merge(NoticeChoice(person_id=person_id, group=group, pace=pace))
    session.flush()
