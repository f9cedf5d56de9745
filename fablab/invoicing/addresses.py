"""Who is named on an invoice that nobody fills in a form for: what the person has entered, or else their last one."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.accounts.addresses import InvoiceAddress
from fablab.accounts.models import Person
from fablab.invoicing.content import Buyer, from_text
from fablab.invoicing.models import Document
from fablab.settings import settings


def buyer_of(session: Session, person: Person) -> Buyer:
    """Return how a person is named and addressed; a consumer may also be named without an address."""
    kept = session.get(InvoiceAddress, person.id)
    if kept is not None:
        return Buyer(kept.name, kept.street, kept.postcode, kept.city)
    return _last_buyer(session, person.id) or Buyer(person.name, "", "", "")


def _last_buyer(session: Session, person_id: int) -> Buyer | None:
    """Return how a person was named and addressed on their last invoice."""
    query = select(Document).where(Document.person_id == person_id, Document.company_id.is_(None))
    found = session.scalars(query.order_by(Document.position.desc()).limit(1)).first()
    return from_text(found.payload).buyer if found else None


def language_of(person: Person) -> str:
    """Return the language of a person's invoices: theirs, or that of the place."""
    return person.language or settings().language
