"""The treasurer's pages of the books: closing a month, the digest to print or mail, the check."""

import io
import subprocess
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from fablab import db
from fablab.accounts.models import Person
from fablab.accounts.permissions import Role
from fablab.billing import closed, ledger, seller
from fablab.bookkeeping.models import Closing, Span
from fablab.settings import settings
from tests.books import SELLER, open_books
from tests.running import FABLAB


@pytest.fixture
def books(site, monkeypatch):
    """Something was booked forty days ago, so the month before this one is over; Bob is the treasurer."""
    then = datetime.now(UTC) - timedelta(days=40)
    monkeypatch.setattr(closed, "utcnow", lambda: then)
    with db.transaction() as session:
        session.get(Person, site.cast.bob.id).role = Role.TREASURER
        open_books(session)
        ledger.top_up(session, site.cast.charlie, 1234, site.cast.carole.id, "earlier")
    monkeypatch.undo()
    return then


def newest(span):
    with db.reading() as session:
        return session.scalars(sa.select(Closing).filter_by(span=span).order_by(Closing.position.desc())).first()


def test_a_month_is_closed_printed_and_checked(site, books):
    bob = site.as_("bob")
    month = f"{books:%Y-%m}"
    page = bob.get("/books/")
    assert f"Close {books:%B %Y}" in page.text
    answer = bob.post("/books/close", period=month)
    made = newest(Span.MONTH)
    page = bob.get(answer.location)
    assert made.hash in page.text
    assert "€12.34" in page.text
    assert f"Digest of this closing: {made.hash}" in page.text
    assert bob.post("/books/close", period=month).location == f"/books/?year={books.year}"
    assert newest(Span.MONTH).position == made.position
    assert f"/books/closings/{made.position}" in bob.get(f"/books/?year={books.year}").text
    assert "all closings are as they were written" in bob.post("/books/verify").text


def test_a_month_that_is_not_over_and_a_word_that_is_none_are_refused_in_words(site, books):
    bob = site.as_("bob")
    answer = bob.post("/books/close", period=f"{datetime.now(UTC):%Y-%m}")
    assert answer.status_code == 409
    assert "not over yet" in answer.text
    assert bob.post("/books/close", period="november").status_code == 422
    assert bob.get("/books/closings/99").status_code == 404


def test_the_command_closes_and_verifies(site, books, place):
    environment = {"FABLAB_DATA_DIR": str(place), "FABLAB_DATABASE_URL": settings().database()}

    def run(*words):
        command = [FABLAB, "billing", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    made = run("close", f"{books:%Y-%m}")
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[-1].split() == [f"{books:%Y-%m}", newest(Span.MONTH).hash]
    assert "closed already" in run("close", f"{books:%Y-%m}").stdout
    assert run("verify").returncode == 0
    wrong = run("close", "yesterday")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    with db.engine().begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER closing_no_update")
        connection.exec_driver_sql("UPDATE closing SET payload = replace(payload, '1234', '1235') WHERE position = 1")
    bad = run("verify")
    assert bad.returncode == 1
    assert "Closing 1 was changed after it was made" in bad.stderr.splitlines()[0]


def test_the_journals_are_downloaded_and_checked(site, books, tmp_path):
    bob = site.as_("bob")
    answer = bob.get(f"/books/fec/{books.year}")
    name = answer.headers["Content-Disposition"].split('"')[1]
    assert name == f"732829320FEC{books.year}1231.zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        archive.extractall(tmp_path)
    journals = tmp_path / name.replace(".zip", ".txt")

    def check(*words):
        command = [FABLAB, "billing", "check-fec", str(journals), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (check().returncode, check().stderr) == (0, "")
    good = journals.read_bytes()
    journals.write_bytes(good.replace(b"12,34", b"12,35", 1))
    assert (check().returncode, check().stderr) == (1, "Entry 1 of journal CA does not balance.\n")
    journals.write_bytes(good)
    after = bob.get(f"/books/fec/{books.year + 1}")
    (tmp_path / "after.zip").write_bytes(after.data)
    continued = subprocess.run(
        [FABLAB, "billing", "check-fec", str(tmp_path / "after.zip"), "--before", str(journals)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (continued.returncode, continued.stderr) == (0, "")
    journal = bob.get(f"/books/journal?period={books:%Y-%m}")
    assert "12,34" in journal.text
    assert bob.get("/books/journal?period=x").status_code == 422


def test_an_association_without_a_siren_is_told_what_the_tax_office_asks_for(site, books):
    with db.transaction() as session:
        seller.set_identity(
            session, replace(SELLER, valid_from=date(2021, 1, 1), siren="", siret="", vat_number=""), None
        )
    bob = site.as_("bob")
    for page in ("/books/", "/books/month"):
        assert "asks for a SIREN" in bob.get(page).text
    assert "W263001234FEC" in bob.get(f"/books/fec/{books.year}").headers["Content-Disposition"]


@pytest.mark.parametrize("period", ["9999", "9999-12", "9999-12-31", "0001", "0001-01-01"])
@pytest.mark.parametrize("page", ["month", "vat", "e-reporting", "journal"])
def test_a_period_at_the_ends_of_the_calendar_is_refused_in_words(site, page, period):
    answer = site.as_("carole").get(f"/books/{page}?period={period}")
    assert (answer.status_code, "is not a day" in answer.text) == (422, True)
