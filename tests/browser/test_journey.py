"""From the upload to the sign-off in Chromium: a real slice, a real OctoPrint, phone and desktop, French and English."""

import re

import pytest
from playwright.sync_api import Page, expect

from fablab.printers.virtual import find_octoprint
from fablab.slicing.samples import write_samples
from fablab.slicing.slicer import find_slicer
from tests.browser.somebody import open_page
from tests.running import free_port, system

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo place with one real OctoPrint."""
    if find_octoprint() is None:
        pytest.skip("OctoPrint is not installed: make octoprint")
    if find_slicer() is None:
        pytest.skip("PrusaSlicer is not installed: the package prusa-slicer")
    folder = tmp_path_factory.mktemp("demo")
    with system(folder / "data", "--demo", "--octoprint", "1", "--octoprint-port", str(free_port())) as running:
        yield running


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("parts"))[0]


def hold(volunteer: Page, *names: str) -> None:
    """Let nothing start on those of these printers that are free."""
    for name in names:
        button = volunteer.locator(".machine", has_text=name).get_by_role("button", name="Hold", exact=True)
        if button.count():
            button.click()
            volunteer.wait_for_load_state()


def choose_octoprint_for_the_next_job(volunteer: Page) -> None:
    """Hold every other printer, and say that OctoPrint's plate is empty."""
    volunteer.goto("/board/")
    expect(volunteer.locator("#queue ol > li:not(.held)")).to_have_count(0, timeout=90_000)
    hold(volunteer, "Ada", "Grace", "Marie", "Sophie")
    card = volunteer.locator(".machine", has_text="octoprint-1")
    expect(card).not_to_contain_text("Offline", timeout=60_000)
    card.get_by_role("button", name="Plate is empty").click()


def test_from_the_upload_to_the_sign_off_on_a_real_octoprint(chromium, demo, part):
    bob = open_page(chromium, demo, "bob")
    choose_octoprint_for_the_next_job(bob)
    alice = open_page(chromium, demo, "alice", phone=True)

    alice.set_input_files("#file", part)
    alice.wait_for_url(re.compile("/orders/.+"))
    expect(alice.locator("[data-viewer-state=ready]")).to_be_visible()
    expect(alice.locator(".facts").first).to_contain_text("2.0 × 2.0 × 2.0 cm")
    expect(alice.locator(".checking.done")).to_be_visible(timeout=60_000)
    before = alice.locator("#price tfoot td").inner_text()
    alice.fill("#quantity", "9")
    expect(alice.locator("#price tfoot td")).not_to_have_text(before)
    alice.fill("#quantity", "1")
    expect(alice.locator("#price tfoot td")).to_have_text(before)
    alice.get_by_role("button", name="Confirm for").click()
    expect(alice.locator(".timeline [aria-current=step] > p:first-child strong")).to_have_text(
        re.compile("Confirmed|Being made")
    )
    expect(alice.locator("#progress")).to_contain_text("octoprint-1", timeout=60_000)
    expect(alice.locator(".timeline [aria-current=step] > p:first-child strong")).to_have_text(
        "Being made", timeout=60_000
    )

    card = bob.locator(".machine", has_text="octoprint-1")
    expect(card).to_contain_text("calibration-cube.stl")
    task = bob.locator(".task", has_text="octoprint-1")
    expect(task).to_contain_text("Finished, to be checked", timeout=120_000)
    task.get_by_role("button", name="All good (1 of 1)").click()
    expect(bob.locator("#queue")).to_contain_text("Waiting to be collected")

    expect(alice.locator(".timeline [aria-current=step] > p:first-child strong")).to_have_text(
        "Ready to collect", timeout=20_000
    )
    alice.goto("/wallet/")
    expect(alice.locator("table")).to_contain_text("Paid for prints")
    assert alice.errors == []
    assert bob.errors == []


def test_a_bad_plate_shows_what_follows_and_goes_back_to_the_front(chromium, demo):
    bob = open_page(chromium, demo, "bob")
    bob.goto("/board/")
    task = bob.locator(".task", has_text="Marie")
    expect(task).to_contain_text("Finished, to be checked", timeout=120_000)
    task.get_by_role("link", name="Something went wrong").click()
    bob.get_by_label("It came off the plate").check()
    expect(bob.locator("#consequence")).to_contain_text("go back to the front of the queue, free of charge")
    bob.fill("#good", "2")
    expect(bob.locator("#consequence")).to_contain_text("pays what was agreed")
    bob.fill("#good", "0")
    bob.get_by_role("button", name="Record it").click()
    printing = bob.locator(".machine", has_text="phone-stand.stl")
    # One that is stopped while its file is being sent is cancelled, and nothing is on the plate to be checked.
    expect(printing.get_by_role("button", name="Pause", exact=True)).to_be_visible(timeout=60_000)
    printing.get_by_role("button", name="Stop", exact=True).click()
    bob.locator("dialog[open]").get_by_role("button", name="Stop it").click()
    expect(bob.locator(".task", has_text="phone-stand.stl")).to_contain_text("Stopped, to be checked", timeout=60_000)
    assert bob.errors == []


def test_the_whole_path_without_javascript_in_french(chromium, demo, part):
    bob = open_page(chromium, demo, "bob")
    bob.goto("/board/")
    hold(bob, "Ada", "Grace", "Marie", "Sophie", "octoprint-1")  # what is printed already cannot be cancelled
    emilie = open_page(chromium, demo, "emilie", language="fr", javascript=False)
    emilie.set_input_files("#file", part)
    emilie.get_by_role("button", name="Voir le prix").click()
    expect(emilie.locator("h1")).to_have_text("calibration-cube.stl")
    emilie.fill("#quantity", "2")
    emilie.get_by_role("button", name="Mettre le prix à jour").click()
    expect(emilie.locator("#quantity")).to_have_value("2")
    emilie.get_by_role("button", name="Confirmer pour").click()
    expect(emilie.locator("#progress")).to_contain_text("2 exemplaires")
    emilie.get_by_role("button", name="Annuler la commande").click()
    expect(emilie.locator("#progress")).to_contain_text("Annulée")


def test_a_wrong_file_is_told_in_the_drop_zone(chromium, demo, tmp_path):
    wrong = tmp_path / "page.stl"
    wrong.write_text("<html><body>404</body></html>")
    alice = open_page(chromium, demo, "alice", language="fr")
    alice.set_input_files("#file", wrong)
    expect(alice.locator("[data-drop-error]")).to_contain_text("page web")
    assert alice.url.endswith("/orders/")


def test_the_board_is_worked_by_keyboard_alone(chromium, demo):
    page = open_page(chromium, demo, "bob")
    page.goto("/board/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.machine button') !== null"):
            break
    assert page.evaluate("document.activeElement.closest('.machine') !== null")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
