"""As soon as possible, in the pages: only where prices have it, in the price at once, kept through every change."""

import pytest

from fablab import db
from fablab.billing import tariffs
from fablab.billing.pricing import Rules
from fablab.jobs import queries as jobs
from fablab.orders.models import Order
from tests.people import draft_cube
from tests.web.test_member_pages import CHOICES, seen_cents
from tests.web.test_tariffs import WHOLE

PRICES = tariffs.TariffData("Standard", 100, 80, 200, {"PLA": 4000}, Rules(urgent_percent=50, urgent_cents=100))


@pytest.fixture
def draft(site):
    with db.transaction() as session:
        tariffs.set_tariff(session, PRICES, None)
        return draft_cube(session, site.cast.alice)


def test_it_is_a_line_of_the_price_and_the_order_goes_ahead(site, draft):
    alice, address = site.as_("alice"), f"/orders/{draft.public_id}"
    usual = alice.get(f"{address}/price", query_string=CHOICES).text
    urgent = alice.get(f"{address}/price", query_string={**CHOICES, "urgent": "y"}).text
    assert "As soon as possible" not in usual
    for text in ("As soon as possible: 50 per cent of", "As soon as possible: €1.00 per order", "urgent=y"):
        assert text in urgent
    page = alice.get(address, query_string={**CHOICES, "urgent": "y"}).text
    assert 'name="urgent" value="y" checked' in page
    assert seen_cents(page) == seen_cents(urgent)
    refused = alice.post(f"{address}/confirm", **CHOICES, urgent="y", seen_cents=seen_cents(usual))
    assert refused.status_code == 409
    assert alice.post(f"{address}/confirm", **CHOICES, urgent="y", seen_cents=seen_cents(urgent)).status_code == 302
    assert "As soon as possible" in alice.get(address).text
    assert "As soon as possible" in site.as_("bob").get("/board/").text
    with db.reading() as session:
        assert session.get_one(Order, draft.id).urgent
        assert [job.urgent for job in jobs.of_order(session, draft.id)] == [True]


def test_without_a_surcharge_nobody_is_asked_and_who_asks_anyway_is_told(site):
    with db.transaction() as session:
        draft = draft_cube(session, site.cast.alice)
    alice, address = site.as_("alice"), f"/orders/{draft.public_id}"
    page = alice.get(address).text
    assert 'name="urgent"' not in page
    assert "without urgent orders" in alice.get(f"{address}/price", query_string={**CHOICES, "urgent": "y"}).text
    answer = alice.post(f"{address}/confirm", **CHOICES, urgent="y", seen_cents=seen_cents(page))
    assert (answer.status_code, "without urgent orders" in answer.text) == (409, True)
    with db.reading() as session:
        assert not session.get_one(Order, draft.id).urgent


def test_the_administrator_tries_it_with_the_example_and_wrong_ones_are_said_beside_their_field(site):
    carole = site.as_("carole")
    values = WHOLE | {"urgent_percent": "25", "urgent": "2"}
    shown = carole.get("/setup/tariffs/example", query_string=values).text
    tried = carole.get("/setup/tariffs/example", query_string={**values, "example_urgent": "y"}).text
    assert "As soon as possible" not in shown
    assert "As soon as possible: 25 per cent of €3.20" in tried
    assert "As soon as possible: €2.00 per order" in tried
    wrong = carole.post("/setup/tariffs/new", **(values | {"urgent_percent": "900"}))
    assert (wrong.status_code, "between 0 and 300" in wrong.text, 'value="900"' in wrong.text) == (422, True, True)
    assert carole.post("/setup/tariffs/new", **values).status_code == 302
    assert "€2.00 more per order" in carole.get("/setup/tariffs/").text
    assert 'name="urgent_percent" type="number" value="25"' in carole.get("/setup/tariffs/new?group=outside").text
