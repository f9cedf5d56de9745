"""Checking the closings: their chain, their sequence, and that the bookings are still those they closed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab import files
from fablab.billing.closed import ClosedBooks
from fablab.bookkeeping.closings import PARTS, parts_of
from fablab.bookkeeping.models import Archive, Closing, Span
from fablab.bookkeeping.periods import Period, following
from fablab.bookkeeping.statement import Statement, from_text, hash_of
from fablab.bookkeeping.totals import added, booked_between
from fablab.invoicing import verifying
from fablab.invoicing.chain import START
from fablab.invoicing.models import Document, DocumentFile
from fablab.words import Sentence, say


@dataclass
class Seen:
    """What was seen so far along the closings."""

    position: int = 0
    hash: str = START
    last: dict[Span, Statement] = field(default_factory=dict)


def everything(session: Session) -> Iterator[Sentence]:
    """Tell what is wrong with the books: documents with their bookings and PDFs, then closings and archives."""
    yield from verifying.findings(session)
    yield from _papers(session)
    yield from findings(session)


def _papers(session: Session) -> Iterator[Sentence]:
    """Check that a PDF that was kept is still the one that was made; one that is gone is made again when asked for."""
    numbered = select(Document.number, DocumentFile.sha256).join(DocumentFile, DocumentFile.document_id == Document.id)
    for number, sha256 in session.execute(numbered.order_by(Document.position)):
        if files.was_changed(sha256):
            yield say("The PDF of {number} was changed after it was made: take it from a backup.", number=number)


def findings(session: Session) -> Iterator[Sentence]:
    """Tell what is wrong with the closings, the first broken one first: nothing, if all are as they were made."""
    seen = Seen()
    for closing in session.scalars(select(Closing).order_by(Closing.position)):
        yield from _link(closing, seen)
        try:
            said = from_text(closing.payload)
        except ValueError:
            yield say("Closing {number} cannot be read any more.", number=closing.position)
            continue
        yield from _says(session, closing, said, seen)
        seen.last[said.span] = said
    yield from _end(session, seen)
    yield from _archives(session)


def _link(closing: Closing, seen: Seen) -> Iterator[Sentence]:
    if closing.position != seen.position + 1:
        yield say("Closing {number} is missing.", number=seen.position + 1)
    if closing.previous_hash != seen.hash:
        yield say(
            "Closing {number} does not follow the one before it: the chain is broken here.", number=closing.position
        )
    if hash_of(closing.previous_hash, closing.payload) != closing.hash:
        yield say("Closing {number} was changed after it was made: its digest is another one.", number=closing.position)
    seen.position, seen.hash = closing.position, closing.hash


def _says(session: Session, closing: Closing, said: Statement, seen: Seen) -> Iterator[Sentence]:
    number = closing.position
    if (said.span, said.first_on, said.last_on) != (closing.span, closing.first_on, closing.last_on):
        yield say("Closing {number}: what the list says differs from the closing.", number=number)
    before = seen.last.get(said.span)
    if before is not None and not _follows(before, said):
        yield say("Closing {number} leaves a gap after the period before it.", number=number)
    if said.perpetual != added([*(before.perpetual if before else ()), *said.period]):
        yield say("Closing {number}: its perpetual totals do not continue those before it.", number=number)
    if not _is_booked(session, said):
        yield say(
            "Closing {number}: what is booked from {first} to {last} is not what was closed.",
            number=number,
            first=said.first_on.isoformat(),
            last=said.last_on.isoformat(),
        )
    if not _documents_stand(session, said):
        yield say("Closing {number}: the chain of documents was another one when it was made.", number=number)


def _follows(before: Statement, said: Statement) -> bool:
    expected = following(Period(before.span, before.first_on, before.last_on))
    return (said.first_on, said.from_at) == (expected.first_on, before.until_at)


def _is_booked(session: Session, said: Statement) -> bool:
    """Tell whether a day is what is booked on it, and a longer period the sum of its parts."""
    if said.span in PARTS:
        parts = [from_text(each.payload) for each in parts_of(session, Period(said.span, said.first_on, said.last_on))]
        bookings = sum(each.bookings for each in parts)
        return (bookings, added(total for each in parts for total in each.period)) == (said.bookings, said.period)
    booked = booked_between(session, said.from_at, said.until_at)
    return (booked.bookings, booked.totals, booked.digest) == (said.bookings, said.period, said.digest)


def _documents_stand(session: Session, said: Statement) -> bool:
    found = session.scalar(select(Document.hash).where(Document.position == said.documents))
    return (found or START) == said.last_document


def _end(session: Session, seen: Seen) -> Iterator[Sentence]:
    books = session.get_one(ClosedBooks, 1)
    if (books.length, books.hash) != (seen.position, seen.hash):
        yield say(
            "The closings end at {found}, but {made} were made: the end is missing or was replaced.",
            found=seen.position,
            made=books.length,
        )
    ends = {span: seen.last[span].last_on if span in seen.last else None for span in Span}
    if (books.day, books.month) != (ends[Span.DAY], ends[Span.MONTH]):
        yield say("The books say that they are closed until another day than the last closing.")


def _archives(session: Session) -> Iterator[Sentence]:
    """Check the journal of archiving: its chain, and that a file that is still here is the one that was made."""
    position, previous = 0, START
    for archive in session.scalars(select(Archive).order_by(Archive.position)):
        said, year = json.loads(archive.payload), str(archive.year)
        told = (said["year"], said["sha256"], said["size_bytes"])
        is_its_own = told == (archive.year, archive.sha256, archive.size_bytes)
        follows = (archive.position, archive.previous_hash) == (position + 1, previous)
        if not (is_its_own and follows and hash_of(previous, archive.payload) == archive.hash):
            yield say("The record of the archive of {year} was changed, or one before it is missing.", year=year)
        if files.was_changed(archive.sha256):
            yield say("The file of the archive of {year} was changed.", year=year)
        position, previous = archive.position, archive.hash
