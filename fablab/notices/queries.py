"""Questions about notices and mails."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from fablab import leases
from fablab.errors import NotFound
from fablab.notices.kinds import ALWAYS, Group, Pace
from fablab.notices.models import UNDELIVERED, Mail, MailState, Notice, NoticeChoice

MOST_SHOWN = 100
MOST_AT_ONCE = 20


def pace_of(session: Session, person_id: int, group: Group) -> Pace:
    """Return how soon a person wants the mails of a group."""
    choice = session.get(NoticeChoice, (person_id, group))
    return Pace(choice.pace) if choice is not None else Pace.AT_ONCE


def paces_of(session: Session, person_id: int) -> dict[Group, Pace]:
    """Return what a person chose for every group there is a choice for."""
    return {group: pace_of(session, person_id, group) for group in Group if group not in ALWAYS}


def unread(session: Session, person_id: int) -> int:
    """Count what a person has not read yet."""
    count = select(func.count()).where(Notice.person_id == person_id, Notice.read_at.is_(None))
    return session.scalar(count) or 0


def newest(session: Session, person_id: int) -> Sequence[Notice]:
    """Return the newest notices of a person."""
    mine = select(Notice).where(Notice.person_id == person_id)
    return session.scalars(mine.order_by(Notice.id.desc()).limit(MOST_SHOWN)).all()


def of_person(session: Session, person_id: int, public_id: str) -> Notice:
    """Return one of a person's notices; raises `NotFound`."""
    found = session.scalar(select(Notice).where(Notice.person_id == person_id, Notice.public_id == public_id))
    if found is None:
        raise NotFound
    return found


def mails(session: Session, *, undelivered: bool) -> Sequence[Mail]:
    """Return the newest mails, all of them or those that did not arrive for certain."""
    wanted = select(Mail).order_by(Mail.id.desc()).limit(MOST_SHOWN)
    return session.scalars(wanted.where(Mail.state.in_(UNDELIVERED)) if undelivered else wanted).all()


def mail_by_public_id(session: Session, public_id: str) -> Mail:
    """Return a mail; raises `NotFound`."""
    mail = session.scalar(select(Mail).where(Mail.public_id == public_id))
    if mail is None:
        raise NotFound
    return mail


def due(session: Session, now: datetime) -> Sequence[int]:
    """Return mails to be sent now: those that are due, and those whose sender went away before handing them over."""
    waiting = (Mail.state == MailState.DUE) & (Mail.due_at <= now)
    orphaned = (Mail.state == MailState.SENDING) & leases.over(Mail.lease_until, now)
    return session.scalars(
        select(Mail.id).where(or_(waiting, orphaned)).order_by(Mail.due_at).limit(MOST_AT_ONCE)
    ).all()
