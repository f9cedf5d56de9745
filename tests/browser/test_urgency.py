"""As soon as possible in Chromium, in French on a phone: the price follows the box, and the order stands in front."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import problems
from tests.browser.somebody import open_page

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]


def test_a_member_pays_for_an_urgent_print_and_the_board_says_so(chromium, demo):
    alice = open_page(chromium, demo, "alice", language="fr", phone=True)
    alice.locator("button.sample").first.click()
    alice.wait_for_url(re.compile("/orders/.+"))
    total = alice.locator("#price tfoot td")
    expect(alice.locator(".checking.done")).to_be_visible(timeout=60_000)
    usual = total.inner_text()
    alice.get_by_label("Au plus vite").check()
    expect(alice.locator("#price")).to_contain_text("Au plus vite : 1,00")
    expect(total).not_to_have_text(usual)
    assert problems(alice) == []
    assert alice.evaluate("document.documentElement.scrollWidth <= innerWidth")
    alice.get_by_label("Au plus vite").uncheck()
    expect(total).to_have_text(usual)
    alice.get_by_label("Au plus vite").check()
    expect(total).not_to_have_text(usual)
    alice.get_by_role("button", name="Confirmer").click()
    expect(alice.locator("main")).to_contain_text("Au plus vite")
    assert alice.errors == []
