"""Somebody in front of a browser, in a language: goes to pages that have to look well, and presses buttons by name."""

from __future__ import annotations

from pathlib import Path

from babel.support import Translations
from playwright.sync_api import Page, expect

from fablab import web
from tests.browser.axe import problems

PASSWORD = "fablab-demo"


def open_page(chromium, demo, who, *, language="en", phone=False, javascript=True) -> Page:
    """Return a page of somebody of the demo place who has signed in."""
    size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 900}
    context = chromium.new_context(
        viewport=size, locale=language, java_script_enabled=javascript, base_url=demo.url, reduced_motion="reduce"
    )  # a part that turns all the time keeps a processor busy where there is no graphics card
    context.set_default_timeout(30_000)
    typed = {"email": f"{who}@demo.example", "password": PASSWORD}
    assert context.request.post("/sign-in", form=typed, max_redirects=0).status == 302
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
    page.goto("/")
    return page


class Somebody:
    """A person of the demo place; `word` is what a button says in their language."""

    def __init__(self, chromium, demo, who, language, *, phone=True, javascript=True):
        self.words = Translations.load(Path(web.__file__).parent / "translations", [language])
        self.page = open_page(chromium, demo, who, language=language, phone=phone, javascript=javascript)

    def word(self, english):
        return self.words.gettext(english)

    def at(self, address):
        self.page.goto(address)
        self.looks_well()

    def looks_well(self):
        found = self._problems() and self._problems()  # what was pale while it was fetched again is not found twice
        assert found == [], found
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), self.page.url

    def _problems(self):
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0)
        return [f"{self.page.url}: {problem}" for problem in problems(self.page)]

    def press(self, english, within=None, role="button"):
        (within or self.page).get_by_role(role, name=self.word(english)).first.click()
        self.page.wait_for_load_state()


def focus(page, target):
    """Reach something by the tabulator key alone."""
    for _ in range(150):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{target} is never reached")
