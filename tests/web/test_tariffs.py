"""Prices in the browser: by group and date, tried with an example, ready to use."""

from datetime import timedelta

import pytest

from fablab import db
from fablab.billing import queries, seller
from fablab.billing.models import Group
from fablab.db import utcnow

WHOLE = {
    "name": "By the slot",
    "tariff_group": "outside",
    "valid_from": "",
    "slot_minutes": "30",
    "slot": "1,50",
    "setup": "1",
    "minimum": "3",
    "breaks": "10: 10, 50: 20 %",
    "aid_percent": "50",
    "rounding": "0,10",
    "rate-PLA": "0",
    "example_material": "PLA",
    "example_mass_g": "40",
    "example_minutes": "95",
    "example_copies": "10",
}


def held(group=Group.MEMBER):
    with db.reading() as session:
        return queries.current_tariff(session, group)


def test_prices_are_tried_without_being_kept_and_then_hold_for_their_group(site):
    carole = site.as_("carole")
    tried = carole.post("/setup/tariffs/new", show="y", **WHOLE)
    assert tried.status_code == 200
    for text in (
        "slots of 30 min begun, 4 at €1.50",
        "10 per cent off from 10 copies on",
        "of the real cost of €6.40",
        "€3.20",
    ):
        assert text in tried.text
    assert held(Group.OUTSIDE).id == held().id
    fragment = carole.get("/setup/tariffs/example", query_string=WHOLE).text
    assert fragment.strip() in tried.text
    assert carole.post("/setup/tariffs/new", **WHOLE).status_code == 302
    assert held(Group.OUTSIDE).name == "By the slot"
    assert held().name == "Standard"
    page = carole.get("/setup/tariffs/").text
    for text in ("By the slot", "€1.50 for each 30 min begun", "PLA: included", "The place pays 50 per cent of it"):
        assert text in page


def test_a_least_number_of_slots_is_tried_kept_told_and_offered_again(site):
    carole = site.as_("carole")
    quarters = {**WHOLE, "slot_minutes": "15", "least_slots": "2", "example_minutes": "10", "example_copies": "1"}
    assert "slots of 15 min, at least 2, at €1.50" in carole.get("/setup/tariffs/example", query_string=quarters).text
    assert carole.post("/setup/tariffs/new", **quarters).status_code == 302
    assert "At least 2 of them: 30 min" in carole.get("/setup/tariffs/").text
    again = carole.get("/setup/tariffs/new?group=outside").text
    assert 'name="least_slots" type="number" value="2"' in again


def test_prices_of_a_coming_day_are_shown_as_such_and_the_form_starts_from_what_holds(site):
    carole = site.as_("carole")
    day = seller.today(utcnow()) + timedelta(days=40)
    fields = {**WHOLE, "tariff_group": "member", "valid_from": day.isoformat()}
    assert carole.post("/setup/tariffs/new", **fields).status_code == 302
    assert held().name == "Standard"
    assert "By the slot, from" in carole.get("/setup/tariffs/").text
    assert 'value="0.80"' in carole.get("/setup/tariffs/new").text


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("slot", "much", "is not an amount in euros"),
        ("rate-PLA", "-4", "no negative prices"),
        ("rate-PLA", "NaN", "is not an amount in euros"),
        ("breaks", "ten", "Write copies and per cent like"),
        ("breaks", "10: 20, 20: 10", "Quantity prices go up"),
        ("aid_percent", "100", "between 0 and 99"),
        ("slot", "", "needs both its minutes and its price"),
        ("least_slots", "0", "Between 1 and 100 slots"),
        ("valid_from", "2020-01-01", "This day has passed"),
        ("name", " ", "give the tariff a name"),
        ("example_copies", "0", "between 1 and 100"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_that_was_typed_is_lost(site, field, text, sentence):
    carole = site.as_("carole")
    answer = carole.post("/setup/tariffs/new", **{**WHOLE, field: text})
    assert answer.status_code == 422
    beside = answer.text.split(f'id="{field}-error"')[1].split("</p>")[0]
    assert sentence in beside
    kept = "aid_percent" if field != "aid_percent" else "slot_minutes"
    assert f'name="{kept}" type="number" value="{WHOLE[kept]}"' in answer.text
    assert held(Group.OUTSIDE).name == "Standard"


def test_an_example_that_has_no_price_says_so_instead_of_showing_one(site):
    carole = site.as_("carole")
    nothing = {**WHOLE, "slot": "", "slot_minutes": "", "setup": "", "minimum": ""}
    assert "everything would be free" in carole.get("/setup/tariffs/example", query_string=nothing).text
    unread = carole.get("/setup/tariffs/example", query_string={**WHOLE, "example_mass_g": "x"}).text
    assert "has to be corrected first" in unread


def test_a_ready_made_tariff_holds_after_one_press_or_is_changed_first(site):
    carole = site.as_("carole")
    assert "10.00" not in carole.get("/setup/tariffs/new").text
    assert "100.00" in carole.get("/setup/tariffs/new?ready=by-the-gram").text
    assert carole.post("/setup/tariffs/ready/by-the-gram").status_code == 302
    assert held().rates["PLA"] == 10_000
    assert "Earlier: Standard" in carole.get("/setup/tariffs/").text
    assert carole.post("/setup/tariffs/ready/nothing").status_code == 404


def test_a_person_pays_the_prices_of_a_group_from_a_date_on(site):
    carole, alice = site.as_("carole"), site.cast.alice.public_id
    address = f"/setup/tariffs/people/{alice}"
    assert address in carole.get(f"/people/{alice}").text
    today = seller.today(utcnow()).isoformat()
    assert carole.post(address, tariff_group="partner", valid_from=today).status_code == 302
    assert "<strong>Members of a partner place</strong>" in carole.get(address).text
    late = carole.post(address, tariff_group="outside", valid_from="2020-01-01")
    assert late.status_code == 422
    assert "This day has passed" in late.text


@pytest.mark.parametrize(
    "path", ["/setup/tariffs/", "/setup/tariffs/new?group=company", "/setup/tariffs/new?ready=helped"]
)
def test_the_pages_are_whole_in_both_languages_and_for_administrators_only(site, path):
    carole = site.as_("carole")
    for language in ("fr", "en"):
        carole.post("/language", language=language)
        assert carole.get(path).status_code == 200
    assert site.as_("alice").get(path).status_code == 403
