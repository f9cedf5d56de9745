"""A member's whole order in Chromium, on a phone in both languages: from several files to the same order again."""

import re

import pytest
from playwright.sync_api import expect

from fablab.slicing.drawing import prism
from fablab.slicing.samples import write_samples
from fablab.slicing.stl import write_stl
from tests.browser.somebody import Somebody
from tests.waiting import wait_until

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

WANTED_ON = "2031-05-17"
COMPANY = "Menuiserie Faure"


@pytest.fixture
def parts(tmp_path, language):
    """A cube, and a bar: in French one of a length that the rules of the place have somebody look at."""
    length = 205 if language == "fr" else 60
    bar = prism([(0, 0), (length, 0), (length, 8), (0, 8)], 4)
    cube = write_samples(tmp_path)[0].rename(tmp_path / f"cube-{language}.stl")
    return [cube, write_stl(tmp_path / f"bar-{language}.stl", bar)]


def send_several_parts(member, parts):
    member.at("/orders/")
    member.page.set_input_files("#file", parts)
    member.page.wait_for_url(re.compile("/orders/.+"), timeout=60_000)
    expect(member.page.locator(".parts-of-order li")).to_have_count(2)
    member.looks_well()


def choose_for_each(member):
    page = member.page
    page.locator("label.pill", has_text=member.word("fine")).first.click()
    page.fill("#quantity", "2")
    page.locator(".parts-of-order").get_by_role("button", name=member.word("Choose")).click()
    page.wait_for_load_state()
    expect(page.locator("#choices h2")).to_contain_text("bar")
    page.locator("label.pill", has_text=member.word("orange")).first.click()
    page.fill("#wanted_on", WANTED_ON)
    expect(page.locator(".parts-of-order li").first).to_contain_text("2 ")


def say_who_pays(member, *, company):
    pays = re.compile(COMPANY) if company else member.word("Me, from the wallet")
    member.page.get_by_label(pays).check()
    expect(member.page.locator("#price")).not_to_have_attribute("aria-busy", "true")


def see_the_price_explained_and_confirm(member):
    page = member.page
    expect(page.locator(".checking.done")).to_be_visible(timeout=120_000)
    expect(page.locator("#price tbody tr")).not_to_have_count(0)
    member.looks_well()
    total = page.locator("#price tfoot tr").first.locator("td").inner_text()
    confirm = page.locator("#price button.primary")
    assert total in confirm.inner_text()
    confirm.click()
    expect(page.locator("#progress")).to_be_visible()
    member.looks_well()


def step(member):
    """Where the order of the page is now."""
    return member.page.locator(".timeline [aria-current=step] > p:first-child strong")


def accept(bob, order):
    bob.at("/review/")
    request = bob.page.locator(".request").filter(has=bob.page.locator(f"a[href*='{order}']"))
    bob.press("Accept", request)
    expect(request).to_have_count(0)


def sign_off_until_ready(bob, member):
    """Whatever is printed is good, until the order is ready; the member's page follows without a reload."""
    bob.page.goto("/board/")
    finished = bob.page.locator(".task", has_text=bob.word("Finished, to be checked"))
    ready = step(member).filter(has_text=member.word("Ready to collect"))
    while not ready.count():
        wait_until(lambda: finished.count() or ready.count(), 90)
        if finished.count():
            printer = finished.first.locator("strong").inner_text()
            task = finished.filter(has_text=printer)
            task.get_by_role("button").first.click()
            expect(task).to_have_count(0)


def find_the_code(member):
    """On the page of the order and, before that, in the bell; the order opens from its notice."""
    page, order = member.page, member.page.url
    expect(page.locator("#bell .count")).to_be_visible()
    page.click("#bell")
    member.looks_well()
    ready = member.word("“{file}” is ready to collect").partition("{file}")[2]
    page.locator("#notices .unread", has_text=ready).first.click()
    page.wait_for_url(order)
    return page.locator(".timeline .notice strong.big").inner_text()


def hand_out(bob, code):
    bob.at("/pick-up/")
    bob.page.fill("#wanted", code)
    bob.press("Search")
    expect(bob.page.locator("#shelf li")).to_have_count(1)
    bob.page.locator("#shelf a").click()
    bob.looks_well()
    bob.press("Handed over")
    expect(bob.page.locator("main")).to_contain_text(bob.word("It was handed over."))


def order_again(member, parts):
    expect(step(member)).to_have_text(member.word("Collected"))
    member.looks_well()
    member.press("Order the same again")
    expect(member.page.locator(".parts-of-order li")).to_have_count(len(parts))
    expect(member.page.locator("#price tfoot td").first).to_be_visible()
    member.looks_well()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_whole_order_on_a_phone(chromium, demo, parts, language):
    """In French a company pays, and a rule of the place has somebody look at the order first."""
    french = language == "fr"
    member = Somebody(chromium, demo, "emilie" if french else "alice", language)
    bob = Somebody(chromium, demo, "bob", language)
    send_several_parts(member, parts)
    choose_for_each(member)
    say_who_pays(member, company=french)
    see_the_price_explained_and_confirm(member)
    if french:
        expect(step(member)).to_have_text(member.word("Being looked at"))
        accept(bob, member.page.url.rsplit("/", 1)[1])
    sign_off_until_ready(bob, member)
    hand_out(bob, find_the_code(member))
    order_again(member, parts)
    assert member.page.errors + bob.page.errors == []
