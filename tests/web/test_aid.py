"""The aid of the place in the books of the month, and as a file."""

from fablab import db
from fablab.accounts.models import Person
from fablab.accounts.permissions import Role
from fablab.billing import aid
from tests.books import give_aid, make, open_books
from tests.people import order_cube


def test_the_treasurer_reads_what_the_place_has_paid_for_whom(site):
    with db.transaction() as session:
        bob = session.get(Person, site.cast.bob.id)
        bob.role = Role.TREASURER
        open_books(session)
    client = site.as_("bob")
    assert "Aid paid by the place" not in client.get("/books/month").text
    with db.transaction() as session:
        give_aid(session, 50)
        order = order_cube(session, session.get(Person, site.cast.alice.id))
        make(session, order, 1, session.get(Person, site.cast.carole.id))
        cents = aid.of(order)
    page = client.get("/books/month").text
    assert "Aid paid by the place" in page
    assert f"€{cents // 100}.{cents % 100:02d}" in page
    sheet = client.get("/books/aid")
    assert f";member;1;{cents // 100},{cents % 100:02d}" in sheet.text
    assert site.as_("alice").get("/books/aid").status_code == 403
