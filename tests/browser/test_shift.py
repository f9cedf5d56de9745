"""A volunteer's whole shift in Chromium, on a phone in both languages, and the board's main actions by keyboard alone."""

import re

import pytest
from playwright.sync_api import expect

from fablab.slicing.samples import write_samples
from tests.browser.somebody import Somebody, focus
from tests.running import system
from tests.waiting import wait_until

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

WAITING = {"en": "Émilie Roux", "fr": "Denis Faure"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with system(tmp_path_factory.mktemp("demo") / "data", "--demo") as running:
        yield running


class Shift(Somebody):
    """A volunteer, mostly with a phone."""

    def __init__(self, chromium, demo, language, *, phone=True):
        super().__init__(chromium, demo, "bob", language, phone=phone)

    def finished(self):
        """The tasks of plates that are printed and wait for a look."""
        task = self.page.locator(".task", has_text=self.word("Finished, to be checked"))
        expect(task.first).to_be_visible(timeout=120_000)
        return task.first


def clear_a_plate(shift):
    grace = shift.page.locator(".machine", has_text="Grace")
    shift.press("Hold", grace)
    task = shift.page.locator(".task", has_text="Grace")
    expect(task).to_contain_text(shift.word("is the plate empty?"))
    shift.press("Plate is empty", task)
    expect(task).to_have_count(0)


def sign_off_a_good_one(shift):
    shift.at("/board/")
    name = shift.finished().locator("strong").inner_text()
    finished = shift.page.locator(".task", has_text=name).filter(has_text=shift.word("Finished, to be checked"))
    finished.get_by_role("button").first.click()
    expect(finished).to_have_count(0)


def sign_off_a_bad_one(shift):
    shift.press("Something went wrong", shift.finished(), role="link")
    shift.page.get_by_label(shift.word("It came off the plate")).check()
    expect(shift.page.locator("#consequence")).not_to_be_empty()
    shift.looks_well()
    shift.press("Record it")
    shift.page.wait_for_url("**/board/")


def change_a_spool(shift):
    shift.press("Change spool", shift.page.locator(".machine", has_text="Sophie"), role="link")
    shift.looks_well()
    free = shift.page.locator(".pick", has_text=re.compile("A2|A3")).first  # on the shelf, on no other printer
    free.get_by_role("link", name=shift.word("This one")).click()
    shift.looks_well()
    shift.page.locator("main form button.primary").click()
    shift.page.wait_for_url("**/board/")


def review_a_request(shift, *, accept):
    shift.at("/review/")
    request = shift.page.locator(".request").first
    name = request.locator("strong").inner_text()
    if not accept:
        request.locator("textarea").fill("C'est trop pour notre bobine.")
    shift.press("Accept" if accept else "Decline", request)
    expect(shift.page.locator(".request", has_text=name)).to_have_count(0)


def walk_in(shift, part):
    shift.at("/walk-in/")
    shift.page.fill("#name", "Yvonne Clerc")
    shift.page.fill("#contact", "04 75 00 00 00")
    shift.page.set_input_files("#file", part)
    shift.press("See the price")
    shift.page.wait_for_url(re.compile("/orders/.+"))
    shift.page.fill("#amount", "20")
    shift.press("Put into the wallet")
    shift.looks_well()
    expect(shift.page.locator(".checking.done")).to_be_visible(timeout=90_000)
    shift.page.locator("#price button.primary").click()
    expect(shift.page.locator("#progress")).to_be_visible()


def hand_out(shift, name):
    shift.at("/pick-up/")
    shift.page.fill("#wanted", name)
    shift.press("Search")
    shift.page.locator("#shelf a").first.click()
    shift.looks_well()
    shift.press("Handed over")
    expect(shift.page.locator("main")).to_contain_text(shift.word("It was handed over."))


def hand_over_and_close(shift, text):
    shift.at("/board/")
    shift.page.locator("aside.note a").click()
    shift.looks_well()
    shift.page.fill("#text", text)
    shift.press("Put it on the board")
    expect(shift.page.locator("aside.note")).to_contain_text(text)
    assert shift.page.errors == []  # what is asked for while somebody signs out may be refused
    shift.press("Sign out")
    expect(shift.page.locator("#password")).to_be_visible()


def test_the_picture_of_a_camera_is_renewed_and_leaves_its_place_empty_when_it_fails(chromium, demo):
    page = Shift(chromium, demo, "en").page
    page.goto("/board/")
    place = page.locator(".machine", has_text="Hedy").locator(".camera")
    place.scroll_into_view_if_needed()
    picture = place.locator("img")
    expect(picture).to_have_attribute("src", re.compile(r"/camera\?\d+"))
    wait_until(lambda: picture.evaluate("image => image.naturalWidth") > 0, 30)
    height = place.evaluate("element => element.offsetHeight")
    page.route("**/camera?*", lambda route: route.abort())
    expect(picture).to_be_hidden()
    assert place.evaluate("element => element.offsetHeight") == height > 100
    page.unroute("**/camera?*")
    expect(picture).to_be_visible()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_whole_shift_on_a_phone(chromium, demo, tmp_path, language):
    part = write_samples(tmp_path)[0].rename(tmp_path / f"knob-{language}.stl")
    shift = Shift(chromium, demo, language)
    shift.at("/board/")
    clear_a_plate(shift)
    sign_off_a_good_one(shift)
    sign_off_a_bad_one(shift)
    change_a_spool(shift)
    review_a_request(shift, accept=language == "en")
    walk_in(shift, part)
    hand_out(shift, WAITING[language])
    hand_over_and_close(shift, f"Everything is clean ({language}).")


def test_the_main_actions_of_the_board_need_no_mouse(chromium, demo):
    page = Shift(chromium, demo, "en", phone=False).page
    page.goto("/board/")
    grace = page.locator(".machine", has_text="Grace")
    focus(page, grace.get_by_role("button", name="Hold", exact=True))
    page.keyboard.press("Enter")
    empty = page.locator(".task", has_text="Grace").get_by_role("button", name="Plate is empty")
    expect(empty).to_be_visible()
    focus(page, empty)
    page.keyboard.press("Enter")
    expect(page.locator(".task", has_text="Grace")).to_have_count(0)
    focus(page, page.locator("aside.note a"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/hand-over/")
    focus(page, page.locator("#text"))
    page.keyboard.press("Control+a")
    page.keyboard.type("By keyboard.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("aside.note")).to_contain_text("By keyboard.")
    assert page.errors == []
