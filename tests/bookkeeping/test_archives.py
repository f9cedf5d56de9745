"""A closed year is archived once, recorded, readable without the program, and checked without the database."""

import io
import json
import os
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from fablab import db, files
from fablab.billing import ledger, seller
from fablab.bookkeeping import archive_checking, archiving, cash, checking, closings, fec_handed
from fablab.bookkeeping import archive_format as form
from fablab.bookkeeping.cash import CountData
from fablab.bookkeeping.closings import Closer
from fablab.bookkeeping.models import Archive, Span
from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.invoicing import crediting, issuing, payments
from fablab.invoicing.crediting import Credit
from fablab.invoicing.issuing import Command
from fablab.invoicing.models import Document, DocumentFile, Method
from fablab.invoicing.payments import PaymentData
from fablab.web import papers
from tests.books import business, draft_of
from tests.people import add_person
from tests.running import FABLAB

YEAR = seller.today(utcnow()).year
NEXT = datetime(YEAR + 1, 1, 2, 12, tzinfo=UTC)


def close(session, span=Span.YEAR):
    closings.close(session, span, seller.today(NEXT - timedelta(days=5)), Closer(None, NEXT))


@pytest.fixture
def books(any_place):
    """A year with an invoice that is partly credited and paid, a top-up, a cash count, and a closing."""
    with db.transaction() as session:
        _, acme = business(session)
        made = issuing.issue(session, draft_of(10_000, company=acme), Command("one", None, utcnow()))
        crediting.issue(session, made, Credit(1_200, "Rayure; profonde"), Command("note", None, utcnow()))
        day = seller.today(utcnow())
        payments.pay(session, made, PaymentData(Method.CASH, 5_000, day, "=1+1", "paid"), None, utcnow())
        ledger.top_up(session, add_person(session, "Dora"), 700, 1, "=cmd|top-up")
        cash.count(session, CountData("count", cash.expected_cents(session), 4_000, reason="Compté"), 1)
        close(session)
    return made


@pytest.fixture
def archive(books, tmp_path):
    """The file of the year."""
    with db.transaction() as session:
        made = archiving.record(session, YEAR, archiving.build(session, YEAR), Closer(None, NEXT))
        path = tmp_path / archiving.name_of(made)
        path.write_bytes(archiving.content_of(made))
    return path


def found(path, digest=None):
    return [str(each) for each in archive_checking.findings(path, digest)]


def changed(path, name, change):
    """The same archive with one member changed, its sums and its manifest left as they were."""
    target = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for each in old.namelist():
            content = change(old.read(each)) if each == name else old.read(each)
            if content is not None:
                new.writestr(each, content)
    path.write_bytes(target.getvalue())
    return path


def forged(path, name, change):
    """The same archive with one member changed by somebody who writes the manifest and the sums again."""
    with zipfile.ZipFile(path) as old:
        manifest = form.manifest_from(old.read(form.MANIFEST))
        members = {each.name: old.read(each.name) for each in manifest.members}
    members[name] = change(members[name])
    path.write_bytes(form.written(manifest, members))
    return path


def test_it_is_right_and_can_be_read_without_the_program(archive, tmp_path):
    assert found(archive) == []
    folder = tmp_path / "out"
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    subprocess.run(["sha256sum", "-c", "--quiet", form.SUMS], cwd=folder, check=True)
    first = json.loads((folder / form.DOCUMENTS).read_text().splitlines()[0])
    assert json.loads(first["payload"])["number"] == f"F-{YEAR}-00001"
    assert f"A-{YEAR}-00001" in (folder / "documents/documents.csv").read_text()
    assert "'=1+1" in (folder / "payments.csv").read_text()
    assert "Compté" in (folder / "cash_counts.csv").read_text()
    assert "293 B" in (folder / "legal/legal_mentions.json").read_text() or (folder / "legal/sellers.json").exists()
    (journals,) = (folder / "entries").glob("*FEC????????.txt")
    files = fec_handed.read(journals)
    assert [str(each) for each in (*fec_handed.findings(files), *fec_handed.warnings(files))] == []
    assert "sha256sum -c" in (folder / form.README).read_text()
    for private in ("Dora", "dora@example.org", "Alice"):
        assert private not in (folder / form.ENTRIES).read_text()


def test_the_same_year_makes_the_same_bytes_and_is_archived_once(archive):
    with db.transaction() as session:
        again = archiving.build(session, YEAR)
        assert again == archive.read_bytes()
        first = archiving.of_year(session, YEAR)
        assert archiving.record(session, YEAR, b"something else", Closer(None, NEXT)).id == first.id
        assert first.sha256 == form.digest(again)
        assert session.scalar(sa.select(sa.func.count(Archive.id))) == 1
        assert list(checking.findings(session)) == []


def test_a_year_that_is_open_is_not_archived(any_place):
    with db.transaction() as session:
        business(session)
        with pytest.raises(Conflict, match="Close the year"):
            archiving.build(session, YEAR)


def test_two_years_follow_each_other(archive, tmp_path):
    with db.transaction() as session:
        closer = Closer(None, NEXT.replace(year=YEAR + 2))
        closings.close(session, Span.YEAR, closer.now.date().replace(year=YEAR + 1), closer)
        second = archiving.record(session, YEAR + 1, archiving.build(session, YEAR + 1), closer)
        assert second.previous_hash == archiving.of_year(session, YEAR).hash
        path = tmp_path / archiving.name_of(second)
        path.write_bytes(archiving.content_of(second))
        assert list(checking.findings(session)) == []
    assert found(path) == []


@pytest.mark.parametrize("name", [form.README, form.DOCUMENTS, form.ENTRIES, form.CLOSINGS, "payments.csv", form.SUMS])
def test_a_member_that_was_changed_is_named(archive, name):
    assert found(changed(archive, name, lambda content: content.replace(b"0", b"1", 1) + b" "))[0].startswith(name)


def test_a_member_that_is_missing_or_was_added_is_named(archive):
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("more.txt", "x")
    assert found(archive) == ["more.txt does not belong to the archive."]
    assert found(changed(archive, form.ENTRIES, lambda _: None))[0].startswith(form.ENTRIES)
    assert found(changed(archive, form.MANIFEST, lambda _: None))[0].startswith(form.MANIFEST)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (form.DOCUMENTS, b"Pi\xc3\xa8ce", b"Pieces"),
        (form.DOCUMENTS, b"Rayure", b"Rayons"),
        (form.CLOSINGS, b"perpetual", b"perpetuel"),
        (form.ENTRIES, b";10000;", b";10001;"),
        (form.ENTRIES, b"top_up", b"payment"),
        (form.ENTRIES, b"\r\n", b"\r\n" * 2),
    ],
)
def test_who_writes_manifest_and_sums_again_does_not_get_by_the_chains(archive, name, old, new):
    with zipfile.ZipFile(archive) as opened:
        assert old in opened.read(name)
    if old == b"\r\n":
        rows = lambda content: b"\r\n".join(content.split(b"\r\n")[:-2]) + b"\r\n"  # noqa: E731 - the last booking is cut
        assert found(forged(archive, name, rows))[0].startswith(name)
    else:
        assert found(forged(archive, name, lambda content: content.replace(old, new, 1)))[0].startswith(name)


def test_the_end_of_a_chain_cannot_be_cut_off(archive):
    cut = lambda content: b"".join(content.splitlines(keepends=True)[:-1])  # noqa: E731
    assert found(forged(archive, form.DOCUMENTS, cut)) == [f"{form.DOCUMENTS}: the end of the chain is missing."]


def test_the_digest_that_was_written_down_tells_another_file(archive):
    digest = form.digest(archive.read_bytes())
    assert found(archive, digest.upper()) == []
    again = forged(archive, form.README, lambda content: content + b"!")
    assert found(again) == []
    assert len(found(again, digest)) == 1


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 and then nothing"])
def test_what_is_no_archive_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "archive.zip"
    path.write_bytes(content)
    assert len(found(path)) == 1


def test_the_commands_write_and_check_it_and_the_check_needs_no_database(books, tmp_path):
    done = subprocess.run(
        [FABLAB, "billing", "archive", str(YEAR), "--folder", tmp_path], check=True, capture_output=True, text=True
    )
    path = tmp_path / f"fablab-archive-{YEAR}.zip"
    digest = form.digest(path.read_bytes())
    assert done.stdout.split() == [digest, str(path)]
    with zipfile.ZipFile(path) as opened:
        assert sum(name.endswith(".pdf") for name in opened.namelist()) == 2
    nowhere = {**os.environ, "FABLAB_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"}
    check = [FABLAB, "billing", "check-archive", path, "--digest", digest]
    right = subprocess.run(check, check=False, capture_output=True, text=True, env=nowhere)
    assert (right.returncode, right.stderr) == (0, "")
    changed(path, form.ENTRIES, lambda content: content + b"1")
    wrong = subprocess.run(check[:-2], check=False, capture_output=True, text=True, env=nowhere)
    assert wrong.returncode == 1
    assert wrong.stderr.startswith(form.ENTRIES)


def test_asked_again_the_same_file_is_given(books):
    first, second = (papers.archive_of(YEAR, Closer(None, NEXT)) for _ in range(2))
    assert first.id == second.id


def test_a_file_that_was_changed_in_the_store_and_a_forged_record_are_found(archive):
    with db.reading() as session:
        made = archiving.of_year(session, YEAR)
        path = files.path_of(made.sha256)
    path.chmod(0o644)
    path.write_bytes(b"other")
    with db.transaction() as session:
        assert [str(each) for each in checking.findings(session)] == [f"The file of the archive of {YEAR} was changed."]
        with pytest.raises(sa.exc.DBAPIError), session.begin_nested():
            session.execute(sa.update(Archive).values(size_bytes=1))


def test_a_pdf_that_was_changed_in_the_store_is_found_and_not_given(books):
    with db.reading() as session:
        first = session.scalars(sa.select(Document).order_by(Document.position).limit(1)).one()
    made = papers.pdf_of(first.id)
    with db.reading() as session:
        path = files.path_of(session.get_one(DocumentFile, first.id).sha256)
        assert list(checking.everything(session)) == []
    path.chmod(0o644)
    path.write_bytes(b"%PDF-1.7 forged")
    with db.reading() as session:
        (found,) = checking.everything(session)
    assert str(found) == f"The PDF of {first.number} was changed after it was made: take it from a backup."
    assert papers.pdf_of(first.id).startswith(made[:8])
    assert b"forged" not in papers.pdf_of(first.id)
