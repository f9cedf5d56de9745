"""Notices and pick-up in Chromium, on a phone: told, found by name, handed over, choices kept, mails read; with axe."""

import pytest
from playwright.sync_api import expect

from tests.browser.axe import problems
from tests.browser.somebody import open_page

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(400)]

WORDS = {
    "en": {
        "search": "Search",
        "handed": "Handed over",
        "done": "It was handed over",
        "read": "Mark all as read",
        "save": "Save",
        "saved": "Saved.",
    },
    "fr": {
        "search": "Chercher",
        "handed": "Remise",
        "done": "Elle a été remise",
        "read": "Tout marquer comme lu",
        "save": "Enregistrer",
        "saved": "Enregistré.",
    },
}
WHO = {"en": ("nadia", "Nadia"), "fr": ("denis", "Denis")}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_member_is_told_and_a_volunteer_hands_out_on_a_phone(chromium, demo, language):
    words, (sign_in, name) = WORDS[language], WHO[language]
    member = open_page(chromium, demo, sign_in, language=language, phone=True)
    expect(member.locator("#bell .count")).to_be_visible()
    member.click("#bell")
    expect(member.locator("#notices .unread")).not_to_have_count(0)
    assert problems(member) == []
    member.get_by_role("button", name=words["read"]).click()
    expect(member.locator("#bell .count")).to_have_count(0)
    member.goto("/notices/choices")
    assert problems(member) == []
    member.select_option("#group-orders", "daily")
    member.get_by_role("button", name=words["save"]).click()
    expect(member.get_by_role("status").filter(has_text=words["saved"])).to_be_visible()

    bob = open_page(chromium, demo, "bob", language=language, phone=True, javascript=language == "en")
    bob.goto("/pick-up/")
    bob.fill("#wanted", name)
    bob.get_by_role("button", name=words["search"]).click()
    expect(bob.locator("#shelf li")).to_have_count(1)
    if language == "en":  # axe is a program: it needs JavaScript
        assert problems(bob) == []
    bob.locator("#shelf a").click()
    label = bob.locator("a[href$='label.pdf']").get_attribute("href")
    assert bob.request.get(label).body().startswith(b"%PDF")
    bob.get_by_role("button", name=words["handed"]).click()
    expect(bob.locator("main")).to_contain_text(words["done"])
    if language == "en":
        assert problems(bob) == []


def test_the_mails_are_read_as_they_are_sent(chromium, demo):
    carole = open_page(chromium, demo, "carole", phone=True)
    carole.goto("/mail/")
    expect(carole.locator("main")).to_contain_text("No mail server is set")
    carole.locator("main table a").first.click()
    carole.locator("a[href$='as-sent']").click()
    expect(carole.locator("h1")).to_be_visible()
    assert problems(carole) == []
    assert carole.evaluate("document.documentElement.scrollWidth <= innerWidth")
