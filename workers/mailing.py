"""Sending a mail: taken in one transaction, handed over outside any, recorded in another."""

from __future__ import annotations

from fablab import db
from fablab.db import utcnow
from fablab.invoicing import pdfs, sending
from fablab.notices import letters, outbox, post
from fablab.notices.letters import Attachment
from fablab.notices.models import Mail
from fablab.press import PressMissing
from fablab.settings import settings
from fablab.words import say


def send(mail_id: int) -> None:
    """Send a mail, if it is due and nobody else does."""
    with db.transaction() as session:
        mail = outbox.take(session, mail_id, utcnow())
    if mail is None:
        return
    token = mail.token
    try:
        handed = _deliver(mail, token)
    except post.TryLater as problem:
        with db.transaction() as session:
            outbox.try_later(session, mail, token, problem.sentence, utcnow())
    except post.Refused as problem:
        with db.transaction() as session:
            outbox.failed(session, mail_id, token, problem.sentence)
    except post.Unsure:
        with db.transaction() as session:
            outbox.not_known(session, mail_id, token)
    else:
        if handed:
            with db.transaction() as session:
                outbox.sent(session, mail_id, token, utcnow())


def _deliver(mail: Mail, token: int) -> bool:
    if mail.person is not None and not mail.person.active:
        raise post.Refused(say("The account of this person is closed."))
    if not settings().mail_server:
        raise post.Refused(say("Not sent: no mail server is set."))
    letter = letters.compose(mail, _attachments(mail.id))

    def hand_over() -> bool:
        with db.transaction() as session:
            return outbox.hand_over(session, mail.id, token, utcnow())

    return post.deliver(letter, settings().mail_server, settings().mail_timeout_s, hand_over)


def _attachments(mail_id: int) -> list[Attachment]:
    """Return what goes with a mail; a document's PDF is made now, unless it was."""
    with db.reading() as session:
        document = sending.carried_by(session, mail_id)
    if document is None:
        return []
    try:
        return [Attachment(f"{document.number}.pdf", pdfs.pdf_of(document.id))]
    except PressMissing as problem:
        raise post.TryLater(problem.sentence) from problem
