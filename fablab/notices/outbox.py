"""A mail's way out: taken, handed over once, and what became of it. Every step is a compare-and-swap on its row.

A sender that goes away before it hands the mail over is replaced; one that goes away while handing leaves a mail of
which nobody knows whether it arrived: it is never sent again by itself (docs/decisions/0010).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, update
from sqlalchemy.orm import Session

from fablab import bus, leases
from fablab.errors import Conflict
from fablab.notices.models import UNDELIVERED, Mail, MailState
from fablab.notices.timing import pause_after
from fablab.words import Sentence, say


def take(session: Session, mail_id: int, now: datetime) -> Mail | None:
    """Take a mail that is due for sending; None when it is not, or somebody else has it."""
    waiting = (Mail.state == MailState.DUE) & (Mail.due_at <= now)
    orphaned = (Mail.state == MailState.SENDING) & leases.over(Mail.lease_until, now)
    values = {"state": MailState.SENDING, "token": Mail.token + 1, "lease_until": now + leases.LEASE}
    if not _swap(session, mail_id, or_(waiting, orphaned), values):
        return None
    return session.get(Mail, mail_id, populate_existing=True)


def hand_over(session: Session, mail_id: int, token: int, now: datetime) -> bool:
    """Note that the server is given the text now; False when another sender took the mail meanwhile."""
    mine = (Mail.state == MailState.SENDING) & (Mail.token == token)
    return _swap(session, mail_id, mine, {"state": MailState.HANDING, "lease_until": now + leases.LEASE})


def sent(session: Session, mail_id: int, token: int, now: datetime) -> None:
    """Note that the server took the mail."""
    _end(session, mail_id, token, {"state": MailState.SENT, "sent_at": now, "problem": None})


def failed(session: Session, mail_id: int, token: int, problem: Sentence) -> None:
    """Note that the mail cannot be sent."""
    _end(session, mail_id, token, {"state": MailState.FAILED, "problem": problem})


def not_known(session: Session, mail_id: int, token: int) -> None:
    """Note that nobody knows whether the mail arrived."""
    _end(session, mail_id, token, {"state": MailState.UNKNOWN, "problem": _unsure()})


def try_later(session: Session, mail: Mail, token: int, problem: Sentence, now: datetime) -> None:
    """Let a mail be tried again after a pause, or fail when it was tried often enough."""
    tries = mail.tries + 1
    pause = pause_after(tries)
    if pause is None:
        _end(session, mail.id, token, {"state": MailState.FAILED, "tries": tries, "problem": problem})
        return
    _end(session, mail.id, token, {"state": MailState.DUE, "tries": tries, "due_at": now + pause, "problem": problem})


def give_up_stale(session: Session, now: datetime) -> None:
    """Mark the mails whose sender went away while handing them over."""
    session.execute(
        update(Mail)
        .where(Mail.state == MailState.HANDING, leases.over(Mail.lease_until, now))
        .values(state=MailState.UNKNOWN, problem=_unsure())
        .execution_options(synchronize_session=False)
    )


def send_again(session: Session, mail: Mail, now: datetime) -> None:
    """Let a mail that did not arrive for certain be sent once more. Raises `Conflict` when it is no such mail."""
    values = {"state": MailState.DUE, "due_at": now, "tries": 0, "problem": None}
    if not _swap(session, mail.id, Mail.state.in_(UNDELIVERED), values):
        raise Conflict(say("This mail is on its way already, or was sent."))
    bus.ask(session, "send_mail", mail.id)


def _end(session: Session, mail_id: int, token: int, values: dict[str, Any]) -> None:
    """End this sender's turn; a turn that was given to somebody else ends nothing."""
    open_ = Mail.state.in_((MailState.SENDING, MailState.HANDING, MailState.UNKNOWN))
    _swap(session, mail_id, open_ & (Mail.token == token), {**values, "lease_until": None})


def _swap(session: Session, mail_id: int, seen: ColumnElement[bool], values: dict[str, Any]) -> bool:
    changed = session.execute(
        update(Mail).where(Mail.id == mail_id, seen).values(**values).execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount == 1)  # type: ignore[attr-defined]


def _unsure() -> Sentence:
    return say("The line was cut while the mail was handed over: perhaps it arrived. Send it again only if it did not.")
