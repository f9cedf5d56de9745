"""Giving people a year as an archive: made outside any transaction, once, and kept as it was."""

from __future__ import annotations

from contextlib import suppress

from fablab import db
from fablab.bookkeeping import archiving
from fablab.bookkeeping.closings import Closer
from fablab.bookkeeping.models import Archive
from fablab.invoicing.pdfs import pdf_of
from fablab.press import PressMissing


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
