"""Giving people a document as PDF, or a year as an archive: made outside any transaction, once, and kept as it was."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy.exc import IntegrityError

from fablab import db
from fablab.bookkeeping import archiving
from fablab.bookkeeping.closings import Closer
from fablab.bookkeeping.models import Archive
from fablab.invoicing import paper
from fablab.invoicing.content import from_text
from fablab.invoicing.models import Document
from fablab.invoicing.paper import PressMissing


def archive_of(year: int, closer: Closer) -> Archive:
    """Return the archive of a closed year, made now if it was not: documents are printed first where they can be."""
    with db.reading() as session:
        found = archiving.of_year(session, year)
        documents = archiving.documents_of(session, year) if found is None else []
    if found is not None:
        return found
    with suppress(PressMissing):
        for each in documents:
            pdf_of(each.id)
    with db.snapshot() as session:
        content = archiving.build(session, year)
    with db.transaction() as session:
        return archiving.record(session, year, content, closer)


def pdf_of(document_id: int) -> bytes:
    """Return the PDF of an issued document; the first time it is made, and kept from then on."""
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
