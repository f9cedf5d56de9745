"""Quotes through the pages: from the draft to the answer, signed in and by a link, and what is wrong in words."""

import re

import pytest

from fablab import db
from fablab.orders import review
from fablab.orders.models import Order, OrderState
from fablab.quotes import issuing, links
from tests.books import add_company, open_books
from tests.people import draft_cube
from tests.quoting import quoted, rules

CHOICES = {"filament": "PLA|", "quality": "normal", "infill": "20", "quantity": "2"}
YES = {"name": "Zoé Achats", "agreed": "y", "po_number": "BC 12"}


@pytest.fixture
def acme(site):
    with db.transaction() as session:
        open_books(session)
        review.set_rules(session, rules())
        return add_company(session, buyer=site.cast.alice)


@pytest.fixture
def quote(site, acme):
    with db.transaction() as session:
        return quoted(session, draft_cube(session, site.cast.alice), site.cast.alice, acme)


@pytest.fixture
def link(site, quote):
    with db.transaction() as session:
        return links.path(links.send(session, quote, "Zoé", "zoe@acme.example", site.cast.alice, quote.issued_at))


def order_of(quote):
    with db.reading() as session:
        return session.get_one(Order, quote.order_id)


def test_a_draft_becomes_a_quote_at_the_price_that_was_seen(site, acme):
    with db.transaction() as session:
        order = draft_cube(session, site.cast.alice)
    alice = site.as_("alice")
    fields = {**CHOICES, "payer": acme.public_id, "po_number": "BC 9"}
    page = alice.get(f"/orders/{order.public_id}", query_string=fields).text
    assert "Ask for a quote" in page
    seen = re.search(r'name="seen_cents" value="(\d+)"', page).group(1)
    answer = alice.post(f"/quotes/order/{order.public_id}", **fields, seen_before_vat="y", seen_cents=seen)
    assert answer.status_code == 302
    page = alice.get(answer.location).text
    assert "Quote D-" in page
    assert "BC 9" in page
    assert "Quote to be answered" in alice.get(f"/orders/{order.public_id}").text
    assert "D-" in alice.get("/quotes/").text
    pdf = alice.get(f"{answer.location}/quote.pdf")
    assert pdf.data.startswith(b"%PDF")


def test_a_price_that_was_not_seen_is_not_quoted(site, acme):
    with db.transaction() as session:
        order = draft_cube(session, site.cast.alice)
    answer = site.as_("alice").post(f"/quotes/order/{order.public_id}", **CHOICES, seen_cents="1")
    assert answer.status_code == 409
    with db.reading() as session:
        assert issuing.latest(session, order) is None


def test_without_a_seller_no_quote_is_offered(site):
    with db.transaction() as session:
        order = draft_cube(session, site.cast.alice)
    assert "Ask for a quote" not in site.as_("alice").get(f"/orders/{order.public_id}").text


def test_the_buyer_accepts_and_the_order_is_made(site, quote):
    alice = site.as_("alice")
    assert alice.post(f"/quotes/{quote.public_id}/accept", **YES).status_code == 302
    order = order_of(quote)
    assert (order.state, order.price_cents, order.po_number) == (OrderState.ACCEPTED, quote.cents, "BC 12")
    assert "Accepted by Zoé Achats" in alice.get(f"/quotes/{quote.public_id}").text
    again = alice.post(f"/quotes/{quote.public_id}/accept", **YES)
    assert again.status_code == 409
    assert "answered already" in again.text


def test_without_a_tick_nothing_is_accepted_and_what_was_typed_stays(site, quote):
    answer = site.as_("alice").post(f"/quotes/{quote.public_id}/accept", name="Zoé", po_number="BC 77")
    assert answer.status_code == 422
    assert "BC 77" in answer.text
    assert order_of(quote).state == OrderState.OFFERED


def test_a_quote_is_withdrawn_to_change_its_order(site, quote):
    alice = site.as_("alice")
    answer = alice.post(f"/quotes/{quote.public_id}/change")
    assert answer.location.endswith(f"/orders/{order_of(quote).public_id}")
    assert order_of(quote).state == OrderState.DRAFT
    assert "cannot be accepted any more" in alice.get(f"/quotes/{quote.public_id}").text


def test_who_has_the_link_reads_and_accepts_without_an_account(site, quote, link):
    nobody = site.as_(None)
    page = nobody.get(link).text
    assert quote.number in page
    assert "à la demande de Alice" in page
    assert all(f"{link}/{verb}" in page for verb in ("quote.pdf", "accept", "refuse"))
    assert nobody.get(f"{link}/quote.pdf").data.startswith(b"%PDF")
    assert nobody.post(f"{link}/accept", **YES).status_code == 302
    assert order_of(quote).state == OrderState.ACCEPTED
    assert "Accepté par Zoé Achats" in nobody.get(link).text
    assert nobody.post(f"{link}/accept", **YES).status_code == 409


def test_who_has_the_link_refuses_with_a_reason(site, quote, link):
    nobody = site.as_(None)
    assert nobody.post(f"{link}/refuse", name="Zoé", reason="Too late").status_code == 302
    assert "Too late" in site.as_("alice").get(f"/quotes/{quote.public_id}").text
    assert order_of(quote).state == OrderState.DRAFT


def test_a_link_that_is_not_complete_opens_nothing(site, quote, link):
    for path in (link[:-1], link[:-1] + "x", "/q/x/y"):
        answer = site.as_(None).get(path)
        assert answer.status_code == 404
        assert quote.number not in answer.text


def test_a_link_opens_nothing_once_its_quote_was_withdrawn(site, quote, link):
    site.as_("alice").post(f"/quotes/{quote.public_id}/change")
    for path in (link, f"{link}/quote.pdf"):
        answer = site.as_(None).get(path)
        assert answer.status_code == 404
        assert "ne peut plus recevoir de réponse" in answer.text
        assert quote.number not in answer.text
    assert site.as_(None).post(f"{link}/accept", **YES).status_code == 409


def test_a_wrong_address_is_said_beside_its_field(site, quote):
    answer = site.as_("alice").post(f"/quotes/{quote.public_id}/send", name="Zoé", email="nowhere")
    assert answer.status_code == 422
    assert "is not an e-mail address" in answer.text


def test_two_accept_one_quote_and_one_of_them_is_told_who_was_faster(site, quote, link):
    assert site.as_(None).post(f"{link}/accept", **YES).status_code == 302
    answer = site.as_("alice").post(f"/quotes/{quote.public_id}/accept", name="Alice", agreed="y")
    assert answer.status_code == 409
    assert "by Zoé Achats" in answer.text


def test_the_desk_is_told_that_a_quote_is_wanted(site, acme):
    with db.transaction() as session:
        review.set_rules(session, rules(company=True))
        order = draft_cube(session, site.cast.alice)
        quoted(session, order, site.cast.alice, acme)
    bob = site.as_("bob")
    assert "A quote is asked for" in bob.get("/review/").text
    assert bob.post(f"/review/{order.public_id}", verdict="accept", reason="").status_code == 302
    with db.reading() as session:
        made = issuing.latest(session, order)
        assert made.cents == session.get_one(Order, order.id).price_cents
