"""Digests that leave the place by mail, to people outside who keep them.

Months and years leave at once. Days are gathered and leave with that of Sunday: each digest contains the one before,
so the newest proves all, and 65 letters a year are read where 378 are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.accounts.emails import read_email
from fablab.billing import closed
from fablab.bookkeeping import letters
from fablab.bookkeeping.digest_models import DigestMail, DigestReaders
from fablab.bookkeeping.models import Closing, Span
from fablab.errors import Conflict, Invalid
from fablab.languages import Language
from fablab.notices import services as notices
from fablab.notices.models import Mail, MailState
from fablab.notices.services import Outsider
from fablab.settings import settings
from fablab.words import Sentence, say

MOST_READERS = 5
SUNDAY = 6
LATE_AFTER = timedelta(days=7)  # a day waits at most six and some hours for its letter


def readers(session: Session) -> list[str]:
    """Return the addresses digests go to."""
    newest = next(iter(history(session)), None)
    return newest.addresses.splitlines() if newest is not None else []


def history(session: Session) -> Sequence[DigestReaders]:
    """Return who the readers are and were, the newest first."""
    return session.scalars(select(DigestReaders).order_by(DigestReaders.id.desc())).all()


def set_readers(session: Session, typed: str, by_id: int | None, now: datetime) -> None:
    """Let digests go to these addresses from now on, one a line; to nobody when there is none. Raises `Invalid`."""
    addresses = list(dict.fromkeys(read_email(line, "addresses") for line in typed.splitlines() if line.strip()))
    if len(addresses) > MOST_READERS:
        raise Invalid(say("At most {most} addresses, please.", most=MOST_READERS), field="addresses")
    if addresses != readers(session):
        session.add(DigestReaders(addresses="\n".join(addresses), by_id=by_id, at=now))
        session.flush()


def after_closing(session: Session, made: Iterable[Closing], now: datetime) -> None:
    """Queue the letter of what was just closed, if something of it ends a week or is longer than a day."""
    if any(each.span != Span.DAY or each.last_on.weekday() == SUNDAY for each in made):
        _queue(session, now)


def send_now(session: Session, now: datetime) -> None:
    """Queue a letter of what was closed since the last one, without waiting for Sunday. Raises `Conflict`."""
    if not readers(session):
        raise Conflict(say("Nobody outside is named who keeps the digests: enter an address first."))
    closed.hold(session)  # nobody closes meanwhile, and two presses are one letter
    if not _queue(session, now):
        raise Conflict(say("Every digest was sent, or is on its way."))


def _queue(session: Session, now: datetime) -> bool:
    """Write each reader a mail with the closings no mail carries yet; what could not be sent is carried again."""
    to, closings = readers(session), waiting(session)
    if not to or not closings:
        return False
    language = Language(settings().language)
    letter = letters.of_closings(closings, settings().place_name, language)
    for address in to:
        mail = notices.write_to(session, Outsider(address, address, language.code), letter.subject, letter.text, now)
        session.add(
            DigestMail(mail_id=mail.id, first_position=closings[0].position, last_position=closings[-1].position)
        )
    session.flush()
    return True


def waiting(session: Session) -> Sequence[Closing]:
    """Return the closings whose digests no mail carries that left or may still leave, in their order."""
    carried = select(func.max(DigestMail.last_position)).join(Mail).where(Mail.state != MailState.FAILED)
    new = select(Closing).where(Closing.position > (session.scalar(carried) or 0))
    return session.scalars(new.order_by(Closing.position)).all()


def mails_of(session: Session, position: int) -> list[DigestMail]:
    """Return the mails that carry the digest of a closing: to each address the newest, which is the one that counts."""
    carries = (DigestMail.first_position <= position, DigestMail.last_position >= position)
    found = session.scalars(select(DigestMail).where(*carries).order_by(DigestMail.mail_id))
    return list({each.mail.address: each for each in found}.values())


def left_at(session: Session, closings: Sequence[Closing]) -> dict[int, datetime]:
    """Return when the digest of each closing left first, by its place in the chain; those that did not are missing."""
    positions = {each.position for each in closings}
    found: dict[int, datetime] = {}
    if not positions:
        return found
    among = (DigestMail.first_position <= max(positions), DigestMail.last_position >= min(positions))
    sent = select(DigestMail).join(Mail).where(Mail.state == MailState.SENT, *among)
    for each in session.scalars(sent.order_by(Mail.sent_at.desc())):
        for position in positions.intersection(range(each.first_position, each.last_position + 1)):
            if each.mail.sent_at is not None:
                found[position] = each.mail.sent_at
    return found


def newest_left(session: Session) -> DigestMail | None:
    """Return the mail that carried the newest digest of all that left."""
    sent = select(DigestMail).join(Mail).where(Mail.state == MailState.SENT)
    return session.scalars(sent.order_by(DigestMail.last_position.desc()).limit(1)).first()


def late(session: Session, now: datetime) -> Sentence | None:
    """Say what is wrong when something was closed a week ago and no digest has left that would prove it."""
    newest = newest_left(session)
    unproved = Closing.position > (newest.last_position if newest else 0)
    oldest = session.scalar(select(func.min(Closing.made_at)).where(unproved))
    if oldest is None or now - oldest <= LATE_AFTER:
        return None
    if not readers(session):
        return say("Days of the books are closed, but their digests stay here: name somebody outside who keeps them.")
    return say("For more than 7 days no digest of a closing has left the place: its mails wait or did not arrive.")
