"""Who is told of documents and payments: the person who pays, or everybody who acts for the company that does."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fablab.accounts import companies
from fablab.accounts.models import Person
from fablab.invoicing.models import Document, Payment
from fablab.invoicing.models import Kind as DocumentKind
from fablab.notices import services as notices
from fablab.notices.kinds import Kind
from fablab.notices.services import News
from fablab.words import Euros


def issued(session: Session, document: Document) -> None:
    """Tell that an invoice or a credit note was issued."""
    kind = Kind.CREDIT_NOTE if document.kind == DocumentKind.CREDIT_NOTE else Kind.INVOICE
    _tell(session, document, kind, f"document-{document.id}", document.gross_cents)


def paid(session: Session, invoice: Document, payment: Payment) -> None:
    """Tell that money came for an invoice."""
    if payment.amount_cents > 0:
        _tell(session, invoice, Kind.PAYMENT, f"payment-{payment.id}", payment.amount_cents)


def _tell(session: Session, document: Document, kind: Kind, key: str, cents: int) -> None:
    params = {"number": document.number, "amount": Euros(cents)}
    for person in _people(session, document):
        notices.tell(session, person, News(kind, key, f"/invoices/{document.public_id}", params))


def _people(session: Session, document: Document) -> list[Person]:
    if document.company_id is not None:
        return [member.person for member in companies.people_of(session, document.company_id)]
    return [session.get_one(Person, document.person_id)] if document.person_id is not None else []
