"""Documents that leave by mail: to the billing contact when they are issued, again when a bookkeeper asks for it.

The mail is written in the transaction of what it is about; the outbox sends it once, with the PDF.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.accounts.emails import read_email
from fablab.accounts.models import Company
from fablab.errors import NotFound
from fablab.invoicing import chain, covering
from fablab.invoicing.content import Content, from_text
from fablab.invoicing.mail_models import DocumentMail
from fablab.invoicing.models import Document
from fablab.notices import services as notices
from fablab.notices.models import Mail
from fablab.notices.services import Outsider


def on_issue(session: Session, document: Document, content: Content, now: datetime) -> str:
    """Write to the billing contact of the company a document was just issued to; return the address, or nothing."""
    if document.company_id is None:
        return ""
    company = session.get_one(Company, document.company_id)
    if company.contact_email:
        _write(session, document, content, contact_of(company, content), f"issued-{document.id}", None, now)
    return company.contact_email


def again(session: Session, document: Document, typed: str, key: str, by_id: int, now: datetime) -> None:
    """Send a company's document once more, there or to another address. With the same key it is sent once.

    Raises `Invalid` when that is no address.
    """
    if document.company is None:
        raise NotFound
    email = read_email(typed, "email")
    chain.hold(session)  # two presses at once wait for each other
    kept = f"again-{document.id}-{key}"
    if session.scalar(select(DocumentMail.mail_id).where(DocumentMail.key == kept)) is not None:
        return
    content = from_text(document.payload)
    to = contact_of(document.company, content)
    if email != to.email:
        to = Outsider(document.company.name, email, content.language)
    _write(session, document, content, to, kept, by_id, now)


def contact_of(company: Company, content: Content) -> Outsider:
    """Return who is written to about a company's document."""
    return Outsider(company.contact_name or company.name, company.contact_email, content.language)


def attach(session: Session, mail: Mail, document: Document, key: str, by_id: int | None) -> None:
    """Let a mail carry the PDF of a document."""
    session.add(DocumentMail(mail_id=mail.id, document_id=document.id, key=key, by_id=by_id))
    session.flush()


def _write(
    session: Session, document: Document, content: Content, to: Outsider, key: str, by_id: int | None, now: datetime
) -> None:
    mail = notices.write_to(session, to, covering.subject(content), covering.body(content), now)
    attach(session, mail, document, key, by_id)


def mails_of(session: Session, document_id: int) -> Sequence[DocumentMail]:
    """Return the mails that carry a document, the oldest first."""
    return session.scalars(
        select(DocumentMail).where(DocumentMail.document_id == document_id).order_by(DocumentMail.mail_id)
    ).all()


def carried_by(session: Session, mail_id: int) -> Document | None:
    """Return the document a mail carries, if it carries one."""
    return session.scalar(select(Document).join(DocumentMail).where(DocumentMail.mail_id == mail_id))
