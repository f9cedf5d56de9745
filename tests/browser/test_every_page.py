"""Every page as its people see it, in French and English, on a phone and a desktop, light and dark: axe finds nothing."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from fablab import bus, db
from fablab.db import utcnow
from fablab.jobs import handprints
from fablab.machines.models import Machine
from fablab.web import create_app
from tests.browser import axe
from tests.browser.pages import ADMINISTRATOR, SEEN_BY, SIGNED_OUT, VOLUNTEER, Crawler
from tests.browser.somebody import open_page
from tests.conftest import Recorder, environment
from tests.running import system

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SEVERAL = {"orders.show": 4, "invoices.show": 2, "spools.show": 2, "threads.show": 2}
"""Pages that look quite different from one thing to the next: how many of them are looked at."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demo place in which nobody has done anything yet: a plate waits to be checked, a request to be answered."""
    with system(tmp_path_factory.mktemp("demo") / "data", "--demo") as running:
        yield running


@pytest.fixture(scope="module")
def addresses(demo):
    """Where each page is, for each kind of person."""
    with environment(data_dir=str(demo.data_dir)), bus.using(Recorder()):
        with db.transaction() as session:
            machine = session.scalars(sa.select(Machine.id)).first()
            handprints.follow(session, machine, "vase.gcode", "pi", 0.5, utcnow())
            handprints.follow(session, machine, None, None, None, utcnow())
        routes = create_app().url_map.bind("localhost")
    found = {who: Crawler(demo.url, routes, who).crawl() for who in SEEN_BY}
    found[SIGNED_OUT] |= {"mails.ask_stop": found[ADMINISTRATOR]["mails.ask_stop"]}  # who reads a mail is not signed in
    return found


def signed_out(chromium, demo, language):
    page = chromium.new_context(viewport=DESKTOP, locale=language, base_url=demo.url).new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    return page


def problems_of(page):
    """What axe finds on a desktop and, after the window became a phone, of what depends on its size; and what is too wide."""
    found = axe.problems(page)
    found += wider(page)
    page.set_viewport_size(PHONE)
    found += axe.problems(page, rules=axe.OF_THE_SIZE)
    found += wider(page)
    page.set_viewport_size(DESKTOP)
    return found


def wider(page):
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{wide} px too wide"] if wide > 0 else []


def test_the_menu_of_an_administrator_takes_one_line_of_an_ordinary_screen(chromium, demo):
    page = open_page(chromium, demo, ADMINISTRATOR, language="fr")
    page.goto("/setup/")
    assert page.locator(".top nav a").count() >= 10
    assert page.evaluate("document.querySelector('.top').offsetHeight") < 80


@pytest.mark.parametrize("address", ["/s/of-another-place", "/p/of-another-place", "/nowhere"])
def test_an_address_that_leads_nowhere_is_a_page_too(chromium, demo, address):
    page = open_page(chromium, demo, VOLUNTEER, language="fr")
    assert page.goto(address).status == 404
    assert problems_of(page) == []


@pytest.mark.parametrize("who", SEEN_BY, ids=lambda who: who or "signed out")
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_page_fits_its_screen_and_shuts_nobody_out(chromium, demo, addresses, who, language):
    """French is looked at by day, English in the dark."""
    page = open_page(chromium, demo, who, language=language) if who else signed_out(chromium, demo, language)
    page.emulate_media(color_scheme="dark" if language == "en" else "light", reduced_motion="reduce")
    wrong = []
    for endpoint in SEEN_BY[who].split():
        assert addresses[who].get(endpoint), f"no link leads {who} to {endpoint}"
        for address in addresses[who][endpoint][: SEVERAL.get(endpoint, 1)]:
            answer = page.goto(address)
            assert answer.status == 200, address
            assert page.get_attribute("html", "lang") == language
            wrong += [f"{address}: {problem}" for problem in problems_of(page)]
    assert wrong == []
    assert [error for error in page.errors if not re.search("camera", error)] == []
