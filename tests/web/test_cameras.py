"""The pictures of the cameras on the board: for volunteers only, kept for some seconds, nothing when there is none."""

import pytest

from fablab import db
from fablab.errors import Problem
from fablab.machines.models import Machine
from fablab.printers import cameras
from fablab.printers.cameras import Picture
from fablab.words import say

ADDRESS = "http://192.168.1.20/webcam/?action=snapshot"


@pytest.fixture
def camera(site):
    """The address of Ada's picture on the board; Ada is no simulated printer and her plate is held."""
    with db.transaction() as session:
        ada = session.get(Machine, site.cast.ada.id)
        ada.driver, ada.snapshot, ada.plate = "octoprint", ADDRESS + f"&{ada.public_id}", "held"
        return f"/board/printers/{ada.public_id}/camera"


def test_a_simulated_printer_is_drawn(site):
    answer = site.as_("bob").get(f"/board/printers/{site.cast.ada.public_id}/camera")
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert "private" in answer.headers["Cache-Control"]


def test_members_do_not_look_into_the_room(site, camera):
    assert site.as_("alice").get(camera).status_code == 403


def test_all_who_look_share_one_picture_for_some_seconds(site, camera, monkeypatch):
    asked = []
    monkeypatch.setattr(cameras, "fetch", lambda address, _: asked.append(address) or Picture(b"now", "image/jpeg"))
    assert camera in site.as_("bob").get("/board/machines").text
    assert [site.as_(name).get(camera).data for name in ("bob", "carole", "bob")] == [b"now"] * 3
    assert len(asked) == 1


def test_a_camera_that_fails_is_no_picture_and_is_left_in_peace_for_some_seconds(site, camera, monkeypatch):
    asked = []

    def broken(address, _networks):
        asked.append(address)
        raise Problem(say("The camera does not answer."))

    monkeypatch.setattr(cameras, "fetch", broken)
    assert [site.as_("bob").get(camera).status_code for _ in range(2)] == [404, 404]
    assert len(asked) == 1


def test_a_printer_without_a_camera_has_no_place_for_one(site, camera):
    with db.transaction() as session:
        session.get(Machine, site.cast.ada.id).snapshot = ""
    assert camera not in site.as_("bob").get("/board/machines").text


@pytest.mark.parametrize("address", ["file:///etc/passwd", "http://203.0.113.9/picture.jpg"])
def test_an_address_where_no_camera_may_be_is_said_beside_its_field(site, address):
    form = {"name": "Ida", "profile": "mk3", "driver": "octoprint", "address": "http://192.168.1.20"}
    answer = site.as_("carole").post("/setup/printers/new", **form, snapshot=address)
    assert answer.status_code == 422
    assert 'id="snapshot-error"' in answer.text
    assert address in answer.text
