"""Prices in Chromium: a ready-made tariff is taken, changed with its example, and what cannot be is told in its place."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import problems
from tests.browser.somebody import open_page

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

WORDS = {
    "en": {"use": "Use these prices", "half": "2.00", "minutes": "A slot needs both"},
    "fr": {"use": "Appliquer ces prix", "half": "2,00", "minutes": "Une tranche"},
}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_prices_by_the_half_hour_are_tried_with_an_example_and_hold_for_companies(chromium, demo, language):
    words = WORDS[language]
    page = open_page(chromium, demo, "carole", language=language, phone=True)
    page.goto("/setup/tariffs/")
    assert problems(page) == []
    page.locator("a[href*='ready=by-the-slot']").click()
    assert problems(page) == []
    example = page.locator("#example")
    page.fill("[name=example_mass_g]", "20")
    page.fill("[name=example_minutes]", "31")
    expect(example).to_contain_text(words["half"])
    page.fill("[name=example_minutes]", "61")
    expect(example).to_contain_text(words["half"].replace("2", "3"))
    page.select_option("[name=tariff_group]", "company")
    page.fill("[name=slot]", "")
    page.get_by_role("button", name=words["use"]).click()
    expect(page.locator(".error").first).to_contain_text(words["minutes"])
    expect(page.locator("[name=example_minutes]")).to_have_value("61")
    page.fill("[name=slot]", "1")
    page.get_by_role("button", name=words["use"]).click()
    expect(page.locator("section[aria-labelledby=group-company]")).to_contain_text(re.compile(r"1[.,]00\s*€|€1[.,]00"))
    assert [each for each in page.errors if "422" not in each] == []
