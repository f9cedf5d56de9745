"""Giving a document as PDF: made outside any transaction, once, and kept as it was."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy.exc import IntegrityError

from fablab import db
from fablab.invoicing import paper
from fablab.invoicing.content import from_text
from fablab.invoicing.models import Document


def pdf_of(document_id: int) -> bytes:
    """Return the PDF of an issued document; the first time it is made, and kept from then on. Raises `PressMissing`."""
    with db.reading() as session:
        found = paper.kept(session, document_id)
        payload = session.get_one(Document, document_id).payload
    if found is not None:
        return found
    made = paper.make_pdf(from_text(payload))
    with suppress(IntegrityError), db.transaction() as session:  # somebody else may have made it meanwhile
        paper.keep(session, document_id, made)
    with db.reading() as session:
        return paper.kept(session, document_id) or made
