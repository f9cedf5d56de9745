"""The pages of the shelf: found by code, handed over, labelled, given up, and a label of another place."""

from datetime import timedelta

import pytest

from fablab import db
from fablab.db import utcnow
from fablab.orders import handing, shelf
from tests.books import make
from tests.people import order_cube


@pytest.fixture
def ready(site):
    """An order of Alice on the shelf: its address and its code."""
    with db.transaction() as session:
        order = make(session, order_cube(session, site.cast.alice), 1, site.cast.bob)
        return order.public_id, handing.of_order(session, order.public_id).code


def test_a_volunteer_finds_an_order_by_its_code_and_hands_it_over_once(site, ready):
    public_id, code = ready
    bob = site.as_("bob")
    assert "cube.stl" in bob.get(f"/pick-up/?wanted={code.lower()}").text
    for _ in range(2):
        assert bob.post(f"/pick-up/{public_id}/hand-out").status_code == 302
    assert "It was handed over." in bob.get(f"/p/{public_id}").text
    assert "The shelf is empty." in bob.get("/pick-up/").text


def test_an_unknown_code_gets_a_clear_sentence(site, ready):
    assert "Nothing waits under “ZZZZ”" in site.as_("bob").get("/pick-up/?wanted=ZZZZ").text


def test_the_member_sees_the_code_on_the_order(site, ready):
    public_id, code = ready
    assert code in site.as_("alice").get(f"/orders/{public_id}").text


def test_a_label_of_another_place_gets_a_clear_sentence(site):
    answer = site.as_("bob").get("/p/elsewhere")
    assert answer.status_code == 404
    assert "This label is not from here" in answer.text


def test_giving_up_without_a_reason_is_said_beside_the_field(site, ready):
    public_id, _ = ready
    bob = site.as_("bob")
    answer = bob.post(f"/pick-up/{public_id}/abandon", reason=" ")
    assert answer.status_code == 422
    assert 'id="reason-error"' in answer.text
    assert bob.post(f"/pick-up/{public_id}/abandon", reason="broken in the box").status_code == 302
    assert "broken in the box" in site.as_("alice").get(f"/orders/{public_id}").text


def test_the_place_can_be_changed(site, ready):
    public_id, code = ready
    bob = site.as_("bob")
    assert bob.post(f"/pick-up/{public_id}/place", place="B2").status_code == 302
    assert "B2" in bob.get(f"/pick-up/?wanted={code}").text
    assert bob.post(f"/pick-up/{public_id}/place", place="moon").status_code == 422


def test_the_label_is_a_pdf(site, ready):
    answer = site.as_("bob").get(f"/pick-up/{ready[0]}/label.pdf")
    assert answer.data.startswith(b"%PDF")


def test_the_administrator_names_the_places(site):
    carole = site.as_("carole")
    good = {"places": "window\ndoor", "remind_after_days": "5", "most_reminders": "2"}
    answer = carole.post("/pick-up/rules", **{**good, "places": "window\nwindow"})
    assert answer.status_code == 422
    assert "Two places have the same name." in answer.text
    assert carole.post("/pick-up/rules", **good).status_code == 302
    assert "door" in carole.get("/pick-up/rules").text


def test_what_nobody_comes_for_although_they_were_reminded_is_a_line_of_the_board(site, ready):
    public_id, _ = ready
    bob = site.as_("bob")
    link = f'href="/p/{public_id}"'
    assert link not in bob.get("/board/machines").text
    with db.transaction() as session:
        row, rules = handing.of_order(session, public_id), shelf.rules(session)
        row.reminders = rules.most_reminders
        row.reminded_at = utcnow() - timedelta(days=rules.remind_after_days + 1)
    assert link in bob.get("/board/machines").text
    assert "nobody has come for it" in bob.get("/board/machines").text
    bob.post(f"/pick-up/{public_id}/hand-out")
    assert link not in bob.get("/board/machines").text
