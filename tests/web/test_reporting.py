"""The page of e-reporting: what is due, its file, and writing down that it was handed over."""

import pytest
import sqlalchemy as sa

from fablab import db
from fablab.accounts.models import Person
from fablab.accounts.permissions import Role
from fablab.billing import seller
from fablab.bookkeeping.models import EReport
from fablab.db import utcnow
from tests.books import FRANCHISE, open_books
from tests.conftest import environment


@pytest.fixture
def bob(site, place):
    """The treasurer of a place under the exemption that has reported since the year before."""
    with db.transaction() as session:
        session.get(Person, site.cast.bob.id).role = Role.TREASURER
        open_books(session, FRANCHISE)
    begins_on = f"{seller.today(utcnow()).year - 1}-01-01"
    with environment(data_dir=str(place), e_reporting_from=begins_on):
        yield site.as_("bob"), begins_on


def test_a_period_is_due_downloaded_and_written_down(bob):
    client, first_on = bob
    books = client.get("/books/").text
    assert "had to be handed over by" in books
    page = client.get("/books/e-reports/").text
    assert "every two months" in page
    assert "late: it was due" in page
    sheet = client.get(f"/books/e-reports/sales/{first_on}")
    assert sheet.headers["Content-Disposition"].split('"')[1].startswith(f"e-reporting-sales-{first_on}_")
    assert sheet.text.lstrip("\ufeff").startswith("what;date;operation")
    id_ = f"sales-{first_on}-"
    today = seller.today(utcnow()).isoformat()
    sent = {f"{id_}handed_on": today, f"{id_}reference": "AR-1234"}
    for _ in range(2):
        assert client.post(f"/books/e-reports/sales/{first_on}", **sent).status_code == 302
    assert "AR-1234" in client.get("/books/e-reports/").text
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(EReport.id))) == 1


def test_what_cannot_be_is_said_beside_its_field(bob):
    client, first_on = bob
    id_ = f"sales-{first_on}-"
    answer = client.post(
        f"/books/e-reports/sales/{first_on}", **{f"{id_}handed_on": "2099-01-01", f"{id_}reference": "AR-99"}
    )
    assert answer.status_code == 422
    assert "not after today" in answer.text
    assert "AR-99" in answer.text
    for wrong in ("sales/2027-13-01", "presents/2027-01-01", f"payments/{first_on}"):
        assert client.get(f"/books/e-reports/{wrong}").status_code == 404


def test_before_it_begins_nothing_is_due(site):
    with db.transaction() as session:
        session.get(Person, site.cast.bob.id).role = Role.TREASURER
        open_books(session, FRANCHISE)
    client = site.as_("bob")
    assert "handed over by" not in client.get("/books/").text
    page = client.get("/books/e-reports/").text
    assert "It begins on" in page
    assert "Nothing is to be handed over now." in page
    assert site.as_("alice").get("/books/e-reports/").status_code == 403
