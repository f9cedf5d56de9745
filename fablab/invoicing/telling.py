"""Who is told of documents and payments: the person who pays, or everybody who acts for the company that does.

The billing contact of a company gets the document itself (`fablab.invoicing.sending`).
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from fablab.accounts import companies
from fablab.accounts.models import Person
from fablab.invoicing import sending
from fablab.invoicing.content import Content
from fablab.invoicing.models import Document, Payment
from fablab.invoicing.models import Kind as DocumentKind
from fablab.notices import services as notices
from fablab.notices.kinds import Kind
from fablab.notices.services import News
from fablab.words import Euros


def issued(session: Session, document: Document, content: Content) -> None:
    """Tell that an invoice or a credit note was issued; who gets it by mail is told of it in the page alone."""
    kind = Kind.CREDIT_NOTE if document.kind == DocumentKind.CREDIT_NOTE else Kind.INVOICE
    written_to = sending.on_issue(session, document, content, document.issued_at)
    _tell(session, document, kind, f"document-{document.id}", document.gross_cents, written_to)


def paid(session: Session, invoice: Document, payment: Payment) -> None:
    """Tell that money came for an invoice; that of a top-up says so itself."""
    if payment.amount_cents > 0 and invoice.kind != DocumentKind.VOUCHER:
        _tell(session, invoice, Kind.PAYMENT, f"payment-{payment.id}", payment.amount_cents)


def _tell(session: Session, document: Document, kind: Kind, key: str, cents: int, written_to: str = "") -> None:
    params = {"number": document.number, "amount": Euros(cents)}
    for person in _people(session, document):
        news = News(kind, key, f"/invoices/{document.public_id}", params, by_mail=person.email != written_to)
        notices.tell(session, person, news)


def _people(session: Session, document: Document) -> list[Person]:
    if document.company_id is not None:
        return [member.person for member in companies.people_of(session, document.company_id)]
    return [session.get_one(Person, document.person_id)] if document.person_id is not None else []
