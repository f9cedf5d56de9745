"""Messages through the pages: Alice writes, Bob answers, Charlie sees nothing of it."""

import io

import pytest

from fablab import db
from tests.people import draft_cube, order_cube
from tests.web.test_member_pages import stl


@pytest.fixture
def order(site):
    with db.transaction() as session:
        return order_cube(session, site.cast.alice).public_id


def test_a_message_is_read_on_the_order_and_counted_until_then(site, order):
    alice, bob = site.as_("alice"), site.as_("bob")
    alice.post(f"/messages/about/{order}", text="Is <i>Friday</i> possible?")
    assert '<span class="badge">1' in bob.get("/board/").text
    assert "Is &lt;i&gt;Friday&lt;/i&gt; possible?" in bob.get(f"/orders/{order}").text
    assert "badge" not in bob.get("/board/").text
    bob.post(f"/messages/about/{order}", text="Yes.")
    page = alice.get("/orders/").text
    assert page.count('<span class="badge">1') == 2
    assert "Yes." in alice.get(f"/messages/about/{order}").text
    assert "badge" not in alice.get("/orders/").text


def test_a_message_tells_the_open_pages(site, order, recorder):
    site.as_("alice").post(f"/messages/about/{order}", text="Hello")
    assert "threads" in recorder.told
    assert any(topic.startswith("order-") for topic in recorder.told)


@pytest.mark.parametrize("text", ["", "long " * 500])
def test_a_bad_message_is_shown_again_with_what_is_wrong(site, order, text):
    answer = site.as_("alice").post(f"/messages/about/{order}", text=text)
    assert answer.status_code == 422
    assert text[:200] in answer.text
    assert 'class="error"' in answer.text


def test_help_without_a_file_becomes_the_members_draft(site, tmp_path):
    alice, bob = site.as_("alice"), site.as_("bob")
    assert "I need help with a design" in alice.get("/orders/").text
    address = alice.post("/messages/new", subject="A knob", text="For an old oven.").location
    assert "For an old oven." in bob.get(address).text
    bob.post(address, text="I drew one.")
    sent = bob.post(f"{address}/order", files={"file": (io.BytesIO(stl(tmp_path)), "knob.stl")})
    assert sent.status_code == 302
    assert "I drew one." in bob.get(address).text
    draft = alice.get(address).location
    page = alice.get(draft).text
    assert "knob.stl" in page
    assert "How should it be?" in page
    assert "I drew one." in page


def test_help_is_closed_and_says_so(site):
    alice = site.as_("alice")
    address = alice.post("/messages/new", subject="A knob", text="For an old oven.").location
    site.as_("bob").post(f"{address}/close")
    assert "This request is closed." in alice.get(address).text
    assert alice.post(address, text="Still there?").status_code == 409


def test_help_without_words_says_what_is_missing_and_keeps_the_rest(site):
    answer = site.as_("alice").post("/messages/new", subject="A knob", text="")
    assert answer.status_code == 422
    assert 'value="A knob"' in answer.text


def test_a_stranger_sees_no_thread_in_the_list(site, order):
    site.as_("alice").post(f"/messages/about/{order}", text="Hello")
    assert "cube.stl" not in site.as_("charlie").get("/messages/").text
    assert "cube.stl" in site.as_("bob").get("/messages/").text


def test_a_volunteer_may_write_about_a_draft(site):
    with db.transaction() as session:
        draft = draft_cube(session, site.cast.alice).public_id
    bob = site.as_("bob")
    page = bob.get(bob.post(f"/messages/about/{draft}", text="Shall we help?").location)
    assert "Shall we help?" in page.text
    assert "Shall we help?" in site.as_("alice").get(f"/orders/{draft}").text
