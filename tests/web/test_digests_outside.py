"""The pages of digests that leave: who keeps them, what has left, and what is missing."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from fablab import db
from fablab.accounts.permissions import Role
from fablab.billing import closed
from fablab.bookkeeping import closings
from fablab.bookkeeping.digest_models import DigestMail
from fablab.db import utcnow
from fablab.invoicing import issuing
from fablab.notices.models import Mail
from tests.books import add_company, draft_of, open_books
from tests.conftest import environment
from tests.mailserver import mail_server
from tests.people import add_person
from workers import mailing


@pytest.fixture
def books(site, monkeypatch):
    """The days since a booking thirty days ago are closed; they were closed ten days ago."""
    then = utcnow() - timedelta(days=30)
    with monkeypatch.context() as patched, db.transaction() as session:
        patched.setattr(closed, "utcnow", lambda: then)
        open_books(session)
        add_person(session, "Tess", Role.TREASURER, cents=0)
        acme = add_company(session)
        issuing.issue(session, draft_of(12_000, company=acme), issuing.Command("one", None, then))
    with db.transaction() as session:
        closings.close_days(session, utcnow() - timedelta(days=10))
    return site


def test_a_treasurer_reads_what_is_missing_names_readers_and_sends(books):
    tess = books.as_("tess")
    page = tess.get("/books/").text
    assert "their digests stay here" in page
    assert "/books/digests" in page
    assert "not yet" in page
    assert "It stays here" in tess.get("/books/closings/1").text

    wrong = tess.post("/books/digests", addresses="cabinet@compta.example\nnot <one>")
    assert wrong.status_code == 422
    assert "“not &lt;one&gt;” is not an e-mail address" in wrong.text
    assert "cabinet@compta.example" in wrong.text
    assert tess.post("/books/digests", addresses="cabinet@compta.example").status_code == 302
    assert "Not left yet" in tess.get("/books/closings/1").text

    assert tess.post("/books/digests/send").status_code == 302
    again = tess.post("/books/digests/send")
    assert again.status_code == 409
    assert "on its way" in again.text
    assert "Waiting to be sent to cabinet@compta.example" in tess.get("/books/closings/1").text
    with mail_server() as server, environment(mail_server=server.address):
        with db.transaction() as session:
            (mail_id,) = session.scalars(sa.select(DigestMail.mail_id)).all()
            session.get(Mail, mail_id).due_at = utcnow()
        mailing.send(mail_id)
        assert [to for to, _ in server.taken] == ["cabinet@compta.example"]

    page = tess.get("/books/").text
    assert "their digests stay here" not in page
    assert "not yet" not in page
    assert "Left the system on" in tess.get("/books/closings/1").text
    page = tess.get("/books/digests").text
    assert "to cabinet@compta.example." in page
    assert "Tess" in page


def test_nobody_else_says_where_digests_go(books):
    for stranger in ("alice", "bob"):
        visitor = books.as_(stranger)
        assert visitor.get("/books/digests").status_code == 403
        assert visitor.post("/books/digests", addresses="me@home.example").status_code == 403
        assert visitor.post("/books/digests/send").status_code == 403
