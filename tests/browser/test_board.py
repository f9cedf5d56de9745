"""The board on an old phone and a slow line: how much it weighs, that it follows, and that it works without JavaScript."""

import pytest
from playwright.sync_api import expect

from tests.browser.somebody import Somebody

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

MOST_BYTES = 100_000
WORDS = ("document", "stylesheet", "script", "fetch")
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 20_000}  # bytes a second


@pytest.fixture
def bob(chromium, demo):
    return Somebody(chromium, demo, "bob", "en")


def test_the_board_weighs_at_most_a_hundred_kilobytes_without_pictures(bob):
    page, answers = bob.page.context.new_page(), []
    page.on("response", lambda answer: answers.append(answer) if answer.request.resource_type in WORDS else None)
    with page.expect_event("response", lambda answer: answer.url.endswith("/board/machines")):
        page.goto("/board/")  # the fragments are fetched once more when the stream of changes begins
    page.wait_for_load_state("load")
    weights = {each.url: len(each.body()) for each in answers}
    assert sum(weights.values()) <= MOST_BYTES, weights
    assert sum(url.endswith(".js") for url in weights) > 5


def test_a_button_of_the_board_works_on_a_slow_line(bob):
    bob.page.context.new_cdp_session(bob.page).send("Network.emulateNetworkConditions", SLOW)
    bob.page.goto("/board/")
    sophie = bob.page.locator(".machine", has_text="Sophie")
    sophie.get_by_role("button", name="Hold", exact=True).click()
    task = bob.page.locator(".task", has_text="Sophie")
    expect(task).to_contain_text("is the plate empty?")
    task.get_by_role("button", name="Plate is empty").click()
    expect(task).to_have_count(0)


def test_the_board_works_without_javascript(chromium, demo):
    bob = Somebody(chromium, demo, "bob", "fr", javascript=False)
    page = bob.page
    page.goto("/board/")
    sophie = page.locator(".machine", has_text="Sophie")
    bob.press("Hold", sophie)
    task = page.locator(".task", has_text="Sophie")
    expect(task).to_contain_text(bob.word("is the plate empty?"))
    bob.press("Plate is empty", task)
    expect(task).to_have_count(0)
    finished = page.locator(".task", has_text=bob.word("Finished, to be checked")).first
    printer = finished.locator("strong").inner_text()
    bob.press("Something went wrong", finished, role="link")
    page.get_by_label(bob.word("It came off the plate")).check()
    bob.press("Record it")
    page.wait_for_url("**/board/")
    expect(page.locator(".task", has_text=printer).filter(has_text=bob.word("Finished, to be checked"))).to_have_count(
        0
    )
    page.locator("aside.note a").click()
    page.fill("#text", "Sans JavaScript.")
    bob.press("Put it on the board")
    expect(page.locator("aside.note")).to_contain_text("Sans JavaScript.")
    bob.press("Change spool", page.locator(".machine", has_text="Sophie"), role="link")
    expect(page.locator("h1")).to_contain_text("Sophie")
