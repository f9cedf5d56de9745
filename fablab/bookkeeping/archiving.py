"""Archiving a closed year: one file with all that was issued, booked and closed in it, and a record of doing so."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab import files
from fablab.billing import closed, seller
from fablab.billing.models import LedgerEntry, LedgerLine, LegalMention, SellerIdentity, VatRegime, WalletRules
from fablab.bookkeeping import archive_format as form
from fablab.bookkeeping import fec_package, journal_csv
from fablab.bookkeeping.archive_format import Manifest
from fablab.bookkeeping.cash import CashCount
from fablab.bookkeeping.closings import Closer
from fablab.bookkeeping.journal_csv import harmless
from fablab.bookkeeping.models import Archive, Closing, Span
from fablab.bookkeeping.periods import period
from fablab.bookkeeping.statement import Statement, from_text, hash_of
from fablab.errors import Conflict, NotFound
from fablab.invoicing import paper
from fablab.invoicing.chain import START
from fablab.invoicing.models import Document, Payment
from fablab.words import say

LEGAL: dict[str, Any] = {
    "sellers": SellerIdentity,
    "vat_regimes": VatRegime,
    "legal_mentions": LegalMention,
    "wallet_rules": WalletRules,
}
LINK = ("position", "payload", "previous_hash", "hash")
PRIVATE = ("created_by_id", "by_id", "issued_by_id")


@dataclass(frozen=True)
class Year:
    """A closed year: its closing, what it says, and its first and last day."""

    closing: Closing
    said: Statement

    @property
    def number(self) -> int:
        """The year."""
        return self.said.first_on.year


def years(session: Session) -> list[tuple[int, Archive | None]]:
    """Return the closed years, the newest first, each with its archive if it was made."""
    archives = {each.year: each for each in session.scalars(select(Archive))}
    query = select(Closing.first_on).where(Closing.span == Span.YEAR).order_by(Closing.first_on.desc())
    return [(first_on.year, archives.get(first_on.year)) for first_on in session.scalars(query)]


def of_year(session: Session, year: int) -> Archive | None:
    """Return the archive of a year, if it was made."""
    return session.scalar(select(Archive).where(Archive.year == year))


def name_of(archive: Archive) -> str:
    """Return the name of an archive's file."""
    return f"fablab-archive-{archive.year}.zip"


def content_of(archive: Archive) -> bytes:
    """Return the file of an archive. Raises `NotFound` when it is not in the store any more."""
    path = files.path_of(archive.sha256)
    if not path.exists():
        raise NotFound(say("The file of this archive is not here any more: restore it from a backup."))
    return path.read_bytes()


def documents_of(session: Session, year: int) -> Sequence[Document]:
    """Return the documents of a year, in the order of the chain."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    query = select(Document).where(Document.issued_on.between(first, last)).order_by(Document.position)
    return session.scalars(query).all()


def build(session: Session, year: int) -> bytes:
    """Return the file of a year. Raises `Conflict` when it is not closed yet: until then it may still change."""
    found = _closed(session, year)
    documents, closings = documents_of(session, year), _closings(session, found)
    manifest = Manifest(
        year=year,
        seller=seller.identity_on(session, found.said.last_on).name,
        version=version("fablab"),
        documents_before=documents[0].previous_hash if documents else START,
        documents_after=documents[-1].hash if documents else START,
        closings_before=closings[0].previous_hash,
        closings_after=closings[-1].hash,
        members=(),
    )
    readme = form.EXPLANATION.format(year=year, seller=manifest.seller, version=manifest.version)
    members = {
        form.README: readme.encode(),
        form.DOCUMENTS: form.lines_of(_row(each, LINK) for each in documents),
        form.CLOSINGS: form.lines_of(_row(each, LINK) for each in closings),
        form.ENTRIES: form.sheet(form.ENTRY_HEAD, _entries(session, found.said)),
        **_for_people(session, year, documents),
        **_legal(session),
    }
    return form.written(manifest, members)


def _closed(session: Session, year: int) -> Year:
    query = select(Closing).where(Closing.span == Span.YEAR, Closing.first_on == date(year, 1, 1))
    closing = session.scalar(query)
    if closing is None:
        raise Conflict(say("Close the year {year} first: until then it may still change.", year=str(year)))
    return Year(closing, from_text(closing.payload))


def _closings(session: Session, year: Year) -> Sequence[Closing]:
    """Return the closings of a year and all between them, up to its own: a stretch of the chain without a gap."""
    inside = select(Closing.position).where(Closing.last_on.between(year.said.first_on, year.said.last_on))
    first = min(session.scalars(inside))
    query = select(Closing).where(Closing.position.between(first, year.closing.position))
    return session.scalars(query.order_by(Closing.position)).all()


def _entries(session: Session, said: Statement) -> Iterator[Sequence[object]]:
    numbers: dict[int, str] = dict(session.execute(select(Document.id, Document.number)).all())
    columns = (LedgerEntry.id, LedgerEntry.key, LedgerEntry.kind, LedgerEntry.document_id, LedgerEntry.order_id)
    query = (
        select(*columns, LedgerEntry.at, LedgerLine.account, LedgerLine.holder_id, LedgerLine.amount_cents)
        .join(LedgerLine, LedgerLine.entry_id == LedgerEntry.id)
        .where(LedgerEntry.at >= said.from_at, LedgerEntry.at < said.until_at)
        .order_by(LedgerEntry.id, LedgerLine.id)
    )
    for row in session.execute(query):
        said_of = (row.id, row.key, row.kind, row.document_id, row.order_id, row.at.isoformat())
        yield (*said_of, row.account, row.holder_id, row.amount_cents, numbers.get(row.document_id or 0, ""))


def _for_people(session: Session, year: int, documents: Sequence[Document]) -> dict[str, bytes]:
    """Return what can be read without a program: lists, journals, and the documents as they were printed."""
    whole = period(Span.YEAR, date(year, 1, 1))
    head = ("number", "kind", "issued_on", "due_on", "regime", "net_cents", "vat_cents", "gross_cents", "hash")
    members = {
        "documents/documents.csv": form.sheet(head, ([getattr(each, name) for name in head] for each in documents)),
        "entries/journal.csv": journal_csv.export(session, whole).content,
        "payments.csv": _payments(session, whole.first_on, whole.last_on),
        "cash_counts.csv": _cash_counts(session, year),
    }
    identity = seller.identity_on(session, whole.last_on)
    if identity.siren or identity.rna:
        members |= {f"entries/{each.name}": each.content for each in fec_package.files(session, year)}
    for each in documents:
        kept = paper.kept(session, each.id)
        if kept is not None:
            members[f"documents/{each.position:06d}-{each.number}.pdf"] = kept
    return members


def _payments(session: Session, first_on: date, last_on: date) -> bytes:
    query = select(Payment, Document.number).join(Document, Document.id == Payment.document_id)
    query = query.where(Payment.received_on.between(first_on, last_on)).order_by(Payment.id)
    rows = [
        (number, each.received_on, each.method, each.amount_cents, harmless(each.reference), each.entry_id)
        for each, number in session.execute(query)
    ]
    return form.sheet(("document", "received_on", "method", "amount_cents", "reference", "entry"), rows)


def _cash_counts(session: Session, year: int) -> bytes:
    counts = session.scalars(select(CashCount).order_by(CashCount.id)).all()
    rows = [
        (each.at.isoformat(), each.expected_cents, each.counted_cents, harmless(each.reason), each.entry_id)
        for each in counts
        if seller.today(each.at).year == year
    ]
    return form.sheet(("at", "expected_cents", "counted_cents", "reason", "entry"), rows)


def _legal(session: Session) -> dict[str, bytes]:
    return {
        f"legal/{name}.json": form.lines_of(_row(each) for each in session.scalars(select(table).order_by(table.id)))
        for name, table in LEGAL.items()
    }


def _row(row: Any, names: Sequence[str] = ()) -> Mapping[str, Any]:
    """Return the columns of a row as JSON takes them, without who wrote it."""
    keys = names or [each.key for each in row.__table__.columns if each.key not in PRIVATE]
    values = {key: getattr(row, key) for key in keys}
    return {key: each.isoformat() if isinstance(each, date | datetime) else each for key, each in values.items()}


def record(session: Session, year: int, content: bytes, closer: Closer) -> Archive:
    """Keep the file of a year and write down that it was archived. A year is archived once: made again, it is found."""
    closed.hold(session)
    found = of_year(session, year)
    if found is not None:
        return found
    said = _closed(session, year)
    last = session.scalars(select(Archive).order_by(Archive.position.desc()).limit(1)).first()
    with files.receiving(io.BytesIO(content), len(content) + 1) as incoming:
        incoming.keep()
        sha256 = incoming.sha256
    facts = {"year": year, "sha256": sha256, "size_bytes": len(content), "closing": said.closing.hash}
    payload = json.dumps({**facts, "made_at": closer.now.isoformat()}, sort_keys=True, separators=(",", ":"))
    previous = last.hash if last else START
    made = Archive(
        position=(last.position if last else 0) + 1,
        year=year,
        sha256=sha256,
        size_bytes=len(content),
        payload=payload,
        previous_hash=previous,
        hash=hash_of(previous, payload),
        made_at=closer.now,
        by_id=closer.by_id,
    )
    session.add(made)
    session.flush()
    return made
