"""The price of a draft on the page: about, being checked, checked, or a sentence why it cannot be made."""

import re
from urllib.parse import urlencode

import pytest

from fablab import db
from fablab.db import utcnow
from fablab.jobs import queries as jobs
from fablab.jobs import slices
from fablab.jobs.states import JobState
from fablab.slicing.dialect import Fault
from fablab.words import say
from tests.people import draft_cube, slice_next_preview

pytestmark = pytest.mark.usefixtures("stand_in_slicer")

CHOICES = {"filament": "PLA|", "quality": "normal", "infill": "20", "quantity": "1"}


@pytest.fixture
def site(site, stand_in_slicer):
    from fablab.settings import settings

    settings.cache_clear()  # the site was made before the slicer was named
    return site


@pytest.fixture
def address(site):
    with db.transaction() as session:
        return f"/orders/{draft_cube(session, site.cast.alice).public_id}"


def price(browser, address, **choices):
    return browser.get(f"{address}/price", query_string={**CHOICES, **choices}).text


def check(browser, address, **choices):
    return browser.post(f"{address}/check?{urlencode({**CHOICES, **choices})}").text


def slice_it(**figures):
    with db.transaction() as session:
        return slice_next_preview(session, **figures)


def fail_it(fault):
    with db.transaction() as session:
        request = slices.take_next(session, utcnow())
        slices.failed(session, request.id, request.token, say("Nothing touches the build plate: turn it."), fault)


def seen(html):
    return re.search(r'name="seen_cents" value="(\d+)"', html).group(1)


def test_a_draft_is_checked_as_soon_as_it_is_shown_and_on_every_update_without_javascript(site, address, recorder):
    alice = site.as_("alice")
    first = alice.get(address).text
    assert "Being checked" in first
    assert "data-check=" not in first
    assert ("preview", ()) in recorder.asked
    slice_it(time_s=1500)
    assert "Checked: prepared exactly" in alice.get(address).text
    changed = alice.get(address, query_string={**CHOICES, "quantity": "2"}).text
    assert "Being checked" in changed
    assert slice_it().copies == 2


def test_the_script_asks_only_when_the_choices_rest(site, address, recorder):
    alice = site.as_("alice")
    for copies in ("2", "3", "4"):
        shown = price(alice, address, quantity=copies)
        assert "data-check=" in shown
        assert f"quantity={copies}" in re.search(r'data-check="([^"]+)"', shown).group(1)
    assert ("preview", ()) not in recorder.asked
    assert "Being checked" in check(alice, address, quantity="4")
    assert slice_it().copies == 4
    assert "data-check=" not in price(alice, address, quantity="4")


def test_the_fragment_is_fetched_again_for_the_choices_it_shows(site, address):
    alice = site.as_("alice")
    html = price(alice, address, quantity="3", supports="y", filament="PLA|white")
    fragment = re.search(r'data-fragment="([^"]+)"', html).group(1).replace("&amp;", "&")
    again = alice.get(fragment).text
    assert seen(again) == seen(html)
    assert re.search(r'data-topics="order-\d+"', html)


def test_estimates_have_margins_and_checked_figures_have_none(site, address):
    alice = site.as_("alice")
    html = check(alice, address)
    assert "about" in html
    assert "±" in html
    slice_it(mass_g=4.0, time_s=1500)
    html = price(alice, address)
    assert "±" not in html
    for text in ("25\u00a0min", "4.0\u00a0g"):
        assert text in html


def test_several_plates_have_a_table(site, address):
    alice = site.as_("alice")
    html = price(alice, address, quantity="70")
    assert "63 fit on one" in html
    rows = re.findall(r'<th scope="row">(\d+)</th><td class="number">(\d+)</td>', html)
    assert rows == [("1", "63"), ("1", "7")]
    assert "Copies on each" not in price(alice, address, quantity="7")
    alice.post("/language", language="fr")
    assert "tiennent sur un plateau" in price(alice, address, quantity="70")


def test_a_checked_price_is_confirmed_and_the_job_is_not_sliced_again(site, address, recorder):
    alice = site.as_("alice")
    alice.get(address)
    slice_it(mass_g=8.0, time_s=4000)
    html = alice.get(address).text
    recorder.asked.clear()
    assert alice.post(f"{address}/confirm", **CHOICES, seen_cents=seen(html)).status_code == 302
    assert not [task for task, _ in recorder.asked if task == "slice"]
    with db.reading() as session:
        (job,) = jobs.open_jobs(session)
        assert (job.state, job.slice.mass_g) == (JobState.QUEUED, 8.0)
    page = alice.get(address).text
    assert "Prepared:" in page
    assert "Estimated" in page


def test_a_price_that_rises_while_it_is_confirmed_is_shown_again(site, address):
    alice = site.as_("alice")
    html = alice.get(address).text
    slice_it(mass_g=150)
    answer = alice.post(f"{address}/confirm", **CHOICES, seen_cents=seen(html))
    assert answer.status_code == 409
    assert "please look at it and confirm again" in answer.text


def test_a_part_that_cannot_be_made_says_why_and_has_no_button(site, address):
    alice = site.as_("alice")
    cents = seen(alice.get(address).text)
    fail_it(Fault.PART)
    html = alice.get(address).text
    assert "Nothing touches the build plate: turn it. It cannot be ordered like this" in html
    assert "Confirm for" not in html
    assert alice.post(f"{address}/confirm", **CHOICES, seen_cents=cents).status_code == 409
    assert "Confirm for" in price(alice, address, quantity="2")


def test_our_own_failure_is_admitted_and_the_button_stays(site, address):
    alice = site.as_("alice")
    alice.get(address)
    fail_it(Fault.PLACE)
    html = alice.get(address).text
    assert "could not be checked in advance" in html
    assert "Confirm for" in html
    assert "Nothing touches" not in html


def test_a_slicer_without_settings_for_the_plate_checks_nothing_and_stops_nobody(site, address, stand_in_slicer):
    stand_in_slicer.write_text("#!/bin/sh\necho OrcaSlicer-2.4.2:\n")
    alice = site.as_("alice")
    html = alice.get(address).text
    assert "could not be checked in advance" in html
    assert "could not be checked in advance" in check(alice, address)
    assert alice.post(f"{address}/confirm", **CHOICES, seen_cents=seen(html)).status_code == 302


def test_only_its_owner_may_have_a_draft_checked(site, address, recorder):
    for name in ("charlie", "bob"):
        answer = site.as_(name).post(f"{address}/check?{urlencode(CHOICES)}")
        assert answer.status_code == 404
    assert site.as_("alice").post(f"{address}/check?quantity=many").status_code == 422
    assert ("preview", ()) not in recorder.asked
