"""What is owed and given back, in Chromium on a phone and a desktop, in both languages, with axe."""

import pytest
from playwright.sync_api import expect

from tests.browser.axe import problems
from tests.browser.test_journey import open_page
from tests.running import system

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(400)]

WORDS = {
    "en": {
        "ask": "Ask for money back or a new print",
        "refund": "Money back",
        "send": "Send the request",
        "answers": "The place looks at it",
        "todo": "Refunds and reprints",
        "give": "Give back",
        "again": "Print again",
        "refunded": "Refunded",
        "new": "See the new print",
    },
    "fr": {
        "ask": "Demander un remboursement ou une réimpression",
        "refund": "Remboursement",
        "send": "Envoyer la demande",
        "answers": "L’atelier regarde",
        "todo": "Remboursements et réimpressions",
        "give": "Rembourser",
        "again": "Réimprimer",
        "refunded": "Remboursé",
        "new": "Voir la nouvelle impression",
    },
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with system(tmp_path_factory.mktemp("demo") / "data", "--demo") as running:
        yield running


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_member_asks_on_a_phone_and_a_volunteer_answers_with_one_click(chromium, demo, language):
    words = WORDS[language]
    member = open_page(chromium, demo, "denis", language=language, phone=True)
    member.goto("/orders/")
    order = member.locator("li:has(.state-ready) h3 a").first
    member.goto(order.get_attribute("href"))
    address = member.url
    member.get_by_text(words["ask"]).click()
    member.fill("#what", "The top is rough.")
    member.get_by_label(words["refund"]).check()
    assert problems(member) == []
    member.get_by_role("button", name=words["send"]).click()
    expect(member.locator("main")).to_contain_text(words["answers"])

    bob = open_page(chromium, demo, "bob", language=language, phone=language == "fr")
    bob.goto("/board/")
    expect(bob.locator("main")).to_contain_text(words["todo"])
    bob.goto("/refunds/")
    assert problems(bob) == []
    assert bob.evaluate("document.documentElement.scrollWidth <= innerWidth")
    button = words["give"] if language == "en" else words["again"]
    bob.get_by_role("button", name=button).click()
    expect(bob.locator("main .empty")).to_be_visible()
    assert problems(bob) == []

    member.goto(address)
    expect(member.locator("main")).to_contain_text(words["refunded"] if language == "en" else words["new"])
    assert problems(member) == []
