"""The page of the place and the screen of the room: for everybody, and nothing of anybody."""

from datetime import timedelta

import pytest

from fablab import db
from fablab.db import utcnow
from fablab.jobs import dispatch
from fablab.jobs.judging import Judgement
from fablab.jobs.queries import Outlook
from fablab.machines import services as machines
from fablab.machines.models import HouseRules, Machine, Operation
from fablab.web.pages.place import wait_in_words
from tests.people import order_cube, queued_order

ALWAYS = "mon-sun 0:00-12:00, 12:00-24:00"
ENGLISH = {"Accept-Language": "en"}
PAGES = ("/place", "/place/now", "/wall", "/wall/now")


def opening(site, hours):
    with db.transaction() as session:
        rules = HouseRules(opening_hours=hours, quiet_hours="", heating_at_once=0, heating_minutes=5)
        machines.set_rules(session, rules, None)


def test_everybody_sees_whether_the_place_is_open(site):
    nobody = site.as_(None)
    assert "Opening hours are not known here" in nobody.get("/place", headers=ENGLISH).text
    opening(site, ALWAYS)
    assert "Open until" in nobody.get("/place", headers=ENGLISH).text
    now = utcnow()
    opening(site, f"{(now + timedelta(days=3)):%a} 10:00-12:00")
    page = nobody.get("/place", headers=ENGLISH).text
    assert "Closed; opens" in page
    assert "10:00–12:00" in page


def test_neither_names_nor_parts_are_shown_to_everybody(site):
    with db.transaction() as session:
        queued_order(session, site.cast.alice)
        queued_order(session, site.cast.charlie)
        (attempt,) = dispatch.schedule(session, utcnow())
        dispatch.sending(session, attempt)
        dispatch.about_to_start(session, attempt, utcnow())
        dispatch.record(session, attempt, Judgement.PRINTING, {}, utcnow())
        session.get_one(Machine, site.cast.ada.id).operation = Operation.BUSY
    for path in PAGES:
        page = site.as_(None).get(path, headers=ENGLISH).text
        assert not [word for word in ("Alice", "Charlie", "cube", attempt.public_id) if word in page], path


def test_the_wall_says_the_state_of_each_printer_in_words(site):
    with db.transaction() as session:
        session.get_one(Machine, site.cast.ada.id).operation = Operation.OFFLINE
    page = site.as_(None).get("/wall", headers=ENGLISH).text
    assert "Offline" in page
    assert "no printer is in reach" in page


def test_a_wait_that_is_not_known_to_its_end_is_a_least_one(site):
    with db.transaction() as session:
        order_cube(session, site.cast.alice)
    assert "waits at least" in site.as_(None).get("/place", headers=ENGLISH).text


@pytest.mark.parametrize(("minutes", "words"), [(3, "at once"), (52, "about 45 min"), (200, "about 3 h 15")])
def test_a_wait_is_said_as_exactly_as_it_is_known(minutes, words):
    now = utcnow()
    assert words in str(wait_in_words(Outlook([], [], now + timedelta(minutes=minutes), 0), now))
