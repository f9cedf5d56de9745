"""Failed prints that are not all free: said with the price, before the verdict, on the order, and on a quote."""

import pytest

from fablab import db
from fablab.billing import tariffs
from fablab.billing.pricing import Rules
from fablab.jobs import dispatch
from fablab.jobs import queries as jobs
from fablab.jobs.judging import Judgement
from fablab.jobs.signoff import Reason
from fablab.quotes.content import from_text
from fablab.quotes.paper import html_of
from tests.books import add_company, make, open_books
from tests.people import draft_cube, order_cube, slice_job
from tests.quoting import quoted
from tests.web.test_member_pages import CHOICES, seen_cents
from tests.web.test_tariffs import WHOLE, held

RULE = "Prints that fail because of their file: 1 in twelve months free of charge"
FREE = "A failed print costs you nothing"


def prices(session, free):
    data = tariffs.TariffData("Fixed", 400, 0, 0, {"PLA": 0}, Rules(free_failures=free))
    tariffs.set_tariff(session, data, None)


@pytest.fixture
def one_free(site):
    with db.transaction() as session:
        prices(session, 1)


def test_the_rule_is_tried_kept_told_and_offered_again(site):
    carole, typed = site.as_("carole"), {**WHOLE, "tariff_group": "member", "free_failures": "1"}
    tried = carole.get("/setup/tariffs/example", query_string=typed).text
    assert "Fails halfway because of its file: €1.60, unless" in tried
    assert "Fails halfway" not in carole.get("/setup/tariffs/example", query_string=WHOLE).text
    assert carole.post("/setup/tariffs/new", **typed).status_code == 302
    assert held().rules["free_failures"] == 1
    assert RULE in carole.get("/setup/tariffs/").text
    assert 'name="free_failures" type="number" value="1"' in carole.get("/setup/tariffs/new").text
    assert carole.post("/setup/tariffs/new", **{**typed, "free_failures": "0"}).status_code == 302
    assert "because of its file costs what was printed of it" in carole.get("/setup/tariffs/").text
    assert 'name="free_failures" type="number" value="0"' in carole.get("/setup/tariffs/new").text
    for wrong in ("-1", "101", "some"):
        refused = carole.post("/setup/tariffs/new", **{**typed, "free_failures": wrong})
        assert refused.status_code == 422
        assert 'id="free_failures-error"' in refused.text


def test_who_orders_reads_the_rule_and_how_many_free_ones_are_left(site, one_free):
    with db.transaction() as session:
        draft = draft_cube(session, site.cast.alice)
    alice, address = site.as_("alice"), f"/orders/{draft.public_id}/price"
    page = alice.get(address, query_string=CHOICES).text
    assert f"{RULE}" in page
    assert "Left of these: 1." in page
    assert FREE not in page
    with db.transaction() as session:
        make(session, order_cube(session, site.cast.alice, 2), 0, site.cast.bob, Reason.FILE, 0.5)
    assert "Left of these: 0." in alice.get(address, query_string=CHOICES).text
    with db.transaction() as session:
        prices(session, None)
    page = alice.get(address, query_string=CHOICES).text
    assert "because of" not in page
    assert FREE in page


def test_a_volunteer_reads_what_a_verdict_costs_and_the_order_says_what_it_did(site, one_free):
    with db.transaction() as session:
        make(session, order_cube(session, site.cast.alice, 2), 0, site.cast.bob, Reason.FILE, 0.5)
        order = order_cube(session, site.cast.alice, 2)
        (job,) = jobs.of_order(session, order.id)
        slice_job(session, job)
        (attempt,) = dispatch.schedule(session, db.utcnow())
        dispatch.sending(session, attempt)
        dispatch.about_to_start(session, attempt, db.utcnow())
        for judgement in (Judgement.PRINTING, Judgement.FINISHED):
            dispatch.record(session, attempt, judgement, {}, db.utcnow())
        half_g = attempt.slice.mass_g / 2
    bob, address = site.as_("bob"), f"/board/attempts/{attempt.public_id}"
    verdict = {"good": 0, "reason": "file", "used_g": half_g}
    said = bob.get(f"{address}/consequence", query_string=verdict).text
    assert "(0 of 2) and €2.00 for what was printed of the others" in said
    assert "There were 2 copies" in bob.get(f"{address}/consequence", query_string={**verdict, "good": 9}).text
    assert bob.post(f"{address}/check", **verdict, plate_cleared="y").status_code == 302
    alice = site.as_("alice")
    page = alice.get(f"/orders/{order.public_id}").text
    assert "cube.stl: 2 failed because of the file, 50 % of the plate was printed. This costs €2.00." in page
    assert "€2.00 paid." in page
    assert "Nothing was charged for it" not in page
    assert "cannot be printed like this" in alice.get("/notices/").text
    assert "2 failed because of the file" in alice.get("/wallet/").text


def test_a_rule_that_was_not_seen_binds_nobody(site, one_free):
    with db.transaction() as session:
        draft = draft_cube(session, site.cast.alice)
    alice, address = site.as_("alice"), f"/orders/{draft.public_id}"
    page = alice.get(f"{address}/price", query_string=CHOICES).text
    seen = {"seen_cents": seen_cents(page), "seen_free_failures": "1"}
    assert 'name="seen_free_failures" value="1"' in page
    with db.transaction() as session:
        prices(session, 0)
    for to in (f"{address}/confirm", f"/quotes/order/{draft.public_id}"):
        for unseen in (seen, {"seen_cents": seen["seen_cents"]}):
            refused = alice.post(to, **CHOICES, **unseen)
            assert refused.status_code == 409
            assert "What failed prints cost has changed" in refused.text
    with db.transaction() as session:
        prices(session, None)
    assert alice.post(f"{address}/confirm", **CHOICES, **seen).status_code == 302


def test_a_quote_says_the_rule_on_the_page_and_on_paper(site, one_free):
    with db.transaction() as session:
        open_books(session)
        acme = add_company(session, buyer=site.cast.alice)
        quote = quoted(session, draft_cube(session, site.cast.alice), site.cast.alice, acme)
    assert RULE in site.as_("alice").get(f"/quotes/{quote.public_id}").text
    with db.transaction() as session:
        prices(session, None)
    assert "Impressions ratées" in html_of(from_text(quote.payload))
