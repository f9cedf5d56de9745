"""Whole journeys by keyboard alone: a member orders, a volunteer signs off and hands out."""

import re

import pytest
from playwright.sync_api import expect

from fablab.slicing.samples import write_samples
from tests.browser.somebody import Somebody, focus
from tests.waiting import wait_until

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]


class Typist(Somebody):
    """Somebody without a mouse, at a desk."""

    def __init__(self, chromium, demo, who):
        super().__init__(chromium, demo, who, "en", phone=False)

    def press(self, english, within=None, role="button", key="Enter"):
        focus(self.page, (within or self.page).get_by_role(role, name=self.word(english)).first)
        self.page.keyboard.press(key)
        self.page.wait_for_load_state()

    def type(self, field, text):
        focus(self.page, self.page.locator(field))
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)


def order(member, part):
    page = member.page
    page.on("filechooser", lambda asked: asked.set_files(part))  # before the key, or the question may be missed
    page.bring_to_front()
    focus(page, page.locator("#file"))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/orders/.+"), timeout=60_000)
    focus(page, page.locator("[name=quality]:checked"))
    before = page.locator("[name=quality]:checked").get_attribute("value")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[name=quality]:checked")).not_to_have_value(before)
    total = page.locator("#price tfoot td").first
    seen = total.inner_text()
    member.type("#quantity", "2")
    expect(total).not_to_have_text(seen)
    expect(page.locator(".checking.done")).to_be_visible(timeout=120_000)
    focus(page, page.locator("#price button.primary"))
    page.keyboard.press("Enter")
    expect(page.locator("#progress")).to_be_visible()


def sign_off_until_ready(bob, ready):
    page = bob.page
    page.goto("/board/")
    finished = page.locator(".task", has_text="Finished, to be checked")
    while not ready.count():
        wait_until(lambda: finished.count() or ready.count(), 90)
        if finished.count():
            task = finished.filter(has_text=finished.first.locator("strong").inner_text())
            bob.press("All good", task)
            expect(task).to_have_count(0)


def hand_out(bob, code):
    bob.press("Pick-up", bob.page.locator(".top nav"), role="link")
    bob.type("#wanted", code)
    bob.page.keyboard.press("Enter")
    expect(bob.page.locator("#shelf li")).to_have_count(1)
    bob.press("Handed over")
    expect(bob.page.locator("#shelf li")).to_have_count(0)


def test_a_member_orders_and_a_volunteer_hands_out_without_a_mouse(chromium, demo, tmp_path):
    part = write_samples(tmp_path)[0].rename(tmp_path / "by-keyboard.stl")
    alice, bob = Typist(chromium, demo, "alice"), Typist(chromium, demo, "bob")
    order(alice, part)
    ready = alice.page.locator(".timeline [aria-current=step]", has_text="Ready to collect")
    sign_off_until_ready(bob, ready)
    hand_out(bob, ready.locator("strong.big").inner_text())
    expect(alice.page.locator(".timeline [aria-current=step]")).to_contain_text("Collected")
    alice.type("#talk textarea", "Thank you!")
    alice.press("Send")
    expect(alice.page.locator("#messages")).to_contain_text("Thank you!")
    alice.press("Order the same again")
    expect(alice.page.locator("#quantity")).to_have_value("2")
    alice.press("Discard this draft")
    alice.press("Discard it", alice.page.locator("dialog[open]"))
    alice.page.wait_for_url("**/orders/*")
    assert alice.page.errors + bob.page.errors == []
