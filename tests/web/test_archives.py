"""The page of archives: made once the year is closed, with its digest, and downloaded by who keeps the books."""

from fablab import db
from fablab.accounts.permissions import Role
from fablab.bookkeeping import archive_format as form
from tests.bookkeeping.test_archives import YEAR, close
from tests.books import open_books
from tests.people import add_person


def test_a_treasurer_makes_and_downloads_it_on_its_page(site):
    with db.transaction() as session:
        open_books(session)
        add_person(session, "Tess", Role.TREASURER)
    tess = site.as_("tess")
    assert "No year is closed yet" in tess.get("/books/archives/").text
    assert tess.post(f"/books/archives/{YEAR}").status_code == 409
    with db.transaction() as session:
        close(session)
    assert tess.get(f"/books/archives/{YEAR}.zip").status_code == 404
    for _ in range(2):
        assert tess.post(f"/books/archives/{YEAR}").status_code == 302
    page = tess.get("/books/archives/").text
    answer = tess.get(f"/books/archives/{YEAR}.zip")
    assert form.digest(answer.data) in page
    assert site.as_("alice").get("/books/archives/").status_code in (302, 403)
