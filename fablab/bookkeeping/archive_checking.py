"""Checking an archived year by its file alone, without a database; the first wrong member is named first."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fablab.bookkeeping import archive_format as form
from fablab.bookkeeping.archive_format import Manifest
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.statement import Statement, from_text, hash_of
from fablab.words import Sentence, say


def findings(path: Path, digest: str | None = None) -> Iterator[Sentence]:
    """Tell what is wrong with an archive: nothing, if it is as it was made, with the digest that was written down."""
    if digest is not None and form.digest(path.read_bytes()) != digest.strip().lower():
        yield say("The file has another digest than the one that was written down: it is not the same file.")
    try:
        with zipfile.ZipFile(path) as archive:
            yield from _archive(archive)
    except (zipfile.BadZipFile, EOFError):
        yield say("{member}: this is no archive, or it is damaged.", member=path.name)


def _archive(archive: zipfile.ZipFile) -> Iterator[Sentence]:
    names = Counter(archive.namelist())
    try:
        manifest = form.manifest_from(archive.read(form.MANIFEST))
    except (KeyError, ValueError, zipfile.BadZipFile):
        yield say("{member} is missing, or cannot be read.", member=form.MANIFEST)
        return
    wrong = list(_members(archive, manifest, names))
    yield from wrong
    if wrong:
        return
    try:
        yield from _chains(archive, manifest)
        yield from _days(archive)
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        yield say("{member}: what it says cannot be read ({error}).", member=form.CLOSINGS, error=str(error)[:120])


def _members(archive: zipfile.ZipFile, manifest: Manifest, names: Counter[str]) -> Iterator[Sentence]:
    for member in manifest.members:
        if names.pop(member.name, 0) != 1:
            yield say("{member} is missing, or is there twice.", member=member.name)
        elif not _is(archive, member):
            yield say("{member} was changed after the archive was made.", member=member.name)
    lines = [f"{each.sha256}  {each.name}\n" for each in manifest.members]
    sums = "".join([*lines, f"{form.digest(archive.read(form.MANIFEST))}  {form.MANIFEST}\n"])
    if names.pop(form.SUMS, 0) != 1 or archive.read(form.SUMS) != sums.encode():
        yield say("{member} was changed after the archive was made.", member=form.SUMS)
    names.pop(form.MANIFEST, None)
    for name in sorted(names):
        yield say("{member} does not belong to the archive.", member=name)
    for name in (form.DOCUMENTS, form.CLOSINGS, form.ENTRIES):
        if name not in {each.name for each in manifest.members}:
            yield say("{member} is missing, or is there twice.", member=name)


def _is(archive: zipfile.ZipFile, member: form.Member) -> bool:
    size = archive.getinfo(member.name).file_size
    if size != member.size_bytes or size > form.LARGEST_MEMBER_BYTES:
        return False
    try:
        return form.digest(archive.read(member.name)) == member.sha256
    except zipfile.BadZipFile:  # its own checksum is wrong already
        return False


def _chains(archive: zipfile.ZipFile, manifest: Manifest) -> Iterator[Sentence]:
    """Check that documents and closings chain from where the manifest says to where it says."""
    ends = {
        form.DOCUMENTS: (manifest.documents_before, manifest.documents_after),
        form.CLOSINGS: (manifest.closings_before, manifest.closings_after),
    }
    for name, (start, after) in ends.items():
        before, place = start, None
        for row in _rows(archive, name):
            follows = place is None or row["position"] == place + 1
            if row["previous_hash"] != before or hash_of(before, row["payload"]) != row["hash"] or not follows:
                yield say("{member}: the chain is broken at {place}.", member=name, place=row["position"])
                return
            before, place = row["hash"], row["position"]
        if before != after:
            yield say("{member}: the end of the chain is missing.", member=name)


def _rows(archive: zipfile.ZipFile, name: str) -> Iterator[dict[str, Any]]:
    for line in archive.read(name).decode().splitlines():
        yield json.loads(line)


def _days(archive: zipfile.ZipFile) -> Iterator[Sentence]:
    """Check that the bookings are those the closed days have the digest of, and that each balances."""
    text = io.StringIO(archive.read(form.ENTRIES).decode(), newline="")
    rows = list(csv.DictReader(text, delimiter=";"))
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row["entry"]] += int(row["amount_cents"])
    for entry, cents in sums.items():
        if cents:
            yield say("{member}: booking {entry} does not balance.", member=form.ENTRIES, entry=entry)
    closed = [from_text(each["payload"]) for each in _rows(archive, form.CLOSINGS)]
    year = next(each for each in reversed(closed) if each.span == Span.YEAR)
    for day in closed:
        if day.span == Span.DAY and year.first_on <= day.first_on <= year.last_on and _digest(rows, day) != day.digest:
            yield say(
                "{member}: what is booked on {day} is not what was closed.",
                member=form.ENTRIES,
                day=day.first_on.isoformat(),
            )


def _digest(rows: list[dict[str, str]], day: Statement) -> str:
    found = hashlib.sha256()
    for row in rows:
        if day.from_at.isoformat() <= row["at"] < day.until_at.isoformat():
            said = [int(row["entry"]), row["key"], row["kind"], _number(row["document_id"]), _number(row["order_id"])]
            said += [row["at"], row["account"], _number(row["holder_id"]), int(row["amount_cents"])]
            found.update(f"{json.dumps(said)}\n".encode())
    return found.hexdigest()


def _number(text: str) -> int | None:
    return int(text) if text else None
