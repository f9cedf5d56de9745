"""The pages of refunds and reprints: asked on the order's page, seen on the board, answered on the desk."""

import pytest

from fablab import db
from fablab.billing import ledger
from tests.books import make
from tests.people import order_cube

WHAT = {"what": "A layer has slipped.", "wish": "refund"}


@pytest.fixture
def made(site):
    """An order of Alice that was printed and paid: its address and its price."""
    with db.transaction() as session:
        order = make(session, order_cube(session, site.cast.alice), 1, site.cast.bob)
        return order.public_id, order.price_cents


def request_of(page):
    (form,) = [each for each in page.forms if "/refunds/" in (each.get("action") or "")]
    return form["action"]


def test_a_member_asks_once_and_reads_the_answer_on_the_orders_page(site, made):
    public_id, cents = made
    alice, bob = site.as_("alice"), site.as_("bob")
    assert "Ask for money back or a new print" in alice.get(f"/orders/{public_id}").text
    for _ in range(2):
        assert alice.post(f"/refunds/order/{public_id}", **WHAT).status_code == 302
    page = alice.get(f"/orders/{public_id}").text
    assert page.count("A layer has slipped.") == 1
    assert "Ask for money back or a new print" not in page
    board = bob.get("/board/").text
    assert "to be answered: 1" in board
    assert "/refunds/" in board
    desk = bob.get("/refunds/").text
    assert "A layer has slipped." in desk
    address = request_of(bob.page)
    for _ in range(2):
        answer = bob.post(address, answer="refund", amount="1,00", copies="1", reason="Sorry.")
        assert answer.status_code == 302
    with db.reading() as session:
        assert ledger.balance_cents(session, site.cast.alice.id) == 2000 - cents + 100
    page = alice.get(f"/orders/{public_id}").text
    assert "Refunded €1.00" in page
    assert "Sorry." in page
    assert "to be answered" not in bob.get("/board/").text


def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(site, made):
    public_id, _ = made
    alice, bob = site.as_("alice"), site.as_("bob")
    answer = alice.post(f"/refunds/order/{public_id}", what="  ", wish="refund")
    assert answer.status_code == 422
    answer = alice.post(f"/refunds/order/{public_id}", what="It is <b>bent</b>")
    assert answer.status_code == 422
    assert "It is &lt;b&gt;bent&lt;/b&gt;" in answer.text
    alice.post(f"/refunds/order/{public_id}", **WHAT)
    bob.get("/refunds/")
    address = request_of(bob.page)
    for fields, words in (
        ({"answer": "refund", "amount": "99.00"}, "At most"),
        ({"answer": "refund", "amount": "a lot"}, "amount"),
        ({"answer": "reprint", "copies": "7"}, "Between 1 and 1 copies"),
        ({"answer": "refuse"}, "Please say why"),
    ):
        answer = bob.post(address, **fields)
        assert answer.status_code == 422, fields
        assert words in answer.text
        assert fields.get("amount", "") in answer.text
    assert bob.post(address, answer="nothing").status_code == 422


def test_a_reprint_leads_to_a_new_order_that_costs_nothing(site, made):
    public_id, _ = made
    alice, bob = site.as_("alice"), site.as_("bob")
    alice.post(f"/refunds/order/{public_id}", what="One is cracked", wish="reprint")
    bob.get("/refunds/")
    bob.post(request_of(bob.page), answer="reprint", copies="1")
    page = alice.get(f"/orders/{public_id}")
    assert "See the new print" in page.text
    assert (
        "Printed again free of charge" in alice.get("/notices/").text
        or "is printed again" in alice.get("/notices/").text
    )
    assert "€0.00" in bob.get(page.text.split("See the new print")[0].rsplit('href="', 1)[1].split('"')[0]).text


def test_nobody_asks_about_the_order_of_another_and_members_see_no_desk(site, made):
    public_id, _ = made
    charlie = site.as_("charlie")
    assert charlie.post(f"/refunds/order/{public_id}", **WHAT).status_code == 404
    assert charlie.get("/refunds/").status_code == 403
