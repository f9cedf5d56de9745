"""What stands in fields and headings is written the way its reader writes it, and read either way."""

import re

import pytest

from fablab import db
from fablab.accounts.models import Person
from fablab.accounts.permissions import Role
from fablab.db import utcnow
from tests.books import open_books

FORMS = [
    ("/setup/tariffs/new", "per_hour"),
    ("/review/rules", "price"),
    ("/setup/wallets/", "cap"),
    ("/filament/products/new", "diameter_mm"),
]


def value_of(page, name):
    return re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)[1]


def language(browser, code):
    browser.post("/language", language=code, back="/orders/")
    return browser


@pytest.mark.parametrize(("address", "name"), FORMS)
def test_amounts_stand_in_their_fields_with_a_comma_in_french(site, address, name):
    carole = site.as_("carole")
    english = value_of(language(carole, "en").get(address).text, name)
    assert re.fullmatch(r"\d+\.\d+", english), english
    assert value_of(language(carole, "fr").get(address).text, name) == english.replace(".", ",")


@pytest.mark.parametrize("typed", ["61,50", "61.50", "61,5 €"])
def test_an_amount_is_read_either_way(site, typed):
    carole = language(site.as_("carole"), "fr")
    fields = {"size_mm": "200", "price": typed}
    assert carole.post("/review/rules", **fields).status_code == 302
    assert value_of(carole.get("/review/rules").text, "price") == "61,50"


def test_a_month_has_its_name_in_headings_and_its_number_in_addresses(site):
    with db.transaction() as session:
        session.get(Person, site.cast.bob.id).role = Role.TREASURER
        open_books(session)
    bob = language(site.as_("bob"), "fr")
    page = bob.get("/books/month?period=2026-08").text
    assert "<h1>Comptes\u00a0: août 2026</h1>" in page
    assert 'period=2026-07">juillet 2026</a>' in page
    assert "14 juil. 2026" in bob.get("/books/month?period=2026-07-14").text
    assert "<h1>Books: August 2026</h1>" in language(bob, "en").get("/books/month?period=2026-08").text
    assert f"{utcnow():%Y}" in bob.get("/books/").text
