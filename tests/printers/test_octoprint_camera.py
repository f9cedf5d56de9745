"""The camera an OctoPrint names in its settings: found on a real server, kept for the board, reached from here."""

import pytest

from fablab import db
from fablab.db import utcnow
from fablab.machines import services as machines
from fablab.machines.models import Machine, Operation
from fablab.machines.services import MachineData, Report
from fablab.printers import PRIVATE_NETWORKS, NotSent, open_printer
from fablab.printers.octoprint_camera import picture_of
from tests.printers.test_octoprint import server, words
from workers import cameras

pytestmark = pytest.mark.xdist_group("octoprint")


def name_a_camera(octoprint, snapshot, *, enabled=True):
    said = {"webcam": {"webcamEnabled": enabled}, "plugins": {"classicwebcam": {"snapshot": snapshot}}}
    assert octoprint.as_owner("/api/settings", **said) == 200


@pytest.fixture
def with_camera(octoprint):
    name_a_camera(octoprint, "http://127.0.0.1:8080/?action=snapshot")
    yield octoprint
    name_a_camera(octoprint, "", enabled=False)


@pytest.fixture
def berta(place, with_camera):
    with db.transaction() as session:
        data = MachineData("Berta", "octoprint", with_camera.address, "mk3", with_camera.key)
        return machines.add(session, data, None).id


def test_octoprint_says_where_its_camera_is_and_the_test_of_the_connection_tells(with_camera):
    printer = with_camera.opened()
    assert printer.camera() == "http://127.0.0.1:8080/?action=snapshot"
    assert any("action=snapshot" in str(each.sentence) for each in printer.check())
    name_a_camera(with_camera, "/webcam/?action=snapshot")
    assert printer.camera() == f"{with_camera.address}/webcam/?action=snapshot"
    name_a_camera(with_camera, "/webcam/?action=snapshot", enabled=False)
    assert printer.camera() == ""


def test_the_camera_is_kept_for_the_board_and_what_was_entered_goes_first(berta, with_camera, recorder):
    cameras.find(berta)
    with db.transaction() as session:
        machine = session.get(Machine, berta)
        assert machine.has_camera
        assert machine.picture_address == "http://127.0.0.1:8080/?action=snapshot"
        machine.snapshot = "http://192.168.1.20/picture.jpg"
        assert machine.picture_address == machine.snapshot
        machine.snapshot = ""
    name_a_camera(with_camera, "", enabled=False)
    cameras.find(berta)
    with db.reading() as session:
        assert not session.get(Machine, berta).has_camera


def test_it_is_asked_for_when_a_printer_is_seen_again_and_kept_while_nobody_answers(berta, recorder):
    cameras.find(berta)
    for before, asked in ((Operation.UNSEEN, True), (Operation.READY, False), (Operation.OFFLINE, True)):
        recorder.asked.clear()
        with db.transaction() as session:
            machine = session.get(Machine, berta)
            machine.operation = before
            machines.record_report(session, machine, Report(Operation.READY), utcnow())
        assert (("find_camera", (berta,)) in recorder.asked) is asked
    with db.transaction() as session:
        session.get(Machine, berta).address = "http://127.0.0.1:9"
    cameras.find(berta)
    with db.reading() as session:
        assert session.get(Machine, berta).has_camera


def test_a_key_that_may_not_read_settings_finds_no_camera_and_a_server_that_is_away_is_told():
    with server(lambda _path, _headers: words({"error": "no"}, 403)) as (address, _):
        assert open_printer("octoprint", address, "key").camera() == ""
    with pytest.raises(NotSent):
        open_printer("octoprint", "http://127.0.0.1:9", "key").camera()


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("http://127.0.0.1:8080/?action=snapshot", "http://192.168.1.20:8080/?action=snapshot"),
        ("http://localhost/webcam/?action=snapshot", "http://192.168.1.20/webcam/?action=snapshot"),
        ("/webcam/?action=snapshot", "http://192.168.1.20:5000/webcam/?action=snapshot"),
        ("http://192.168.1.30/snap.jpg", "http://192.168.1.30/snap.jpg"),
        ("http://8.8.8.8/snap.jpg", ""),
        ("http://me:secret@192.168.1.30/snap.jpg", ""),
        ("rtsp://192.168.1.30/live", ""),
        ("http://127.0.0.1:port/", ""),
        ("http://192.168.1.30/" + "a" * 600, ""),
        ("  ", ""),
        (None, ""),
        (17, ""),
    ],
)
def test_what_octoprint_calls_its_own_machine_is_its_machine_for_us(named, found):
    said = {"webcam": {"snapshotUrl": named}}
    assert picture_of(said, "http://192.168.1.20:5000", PRIVATE_NETWORKS) == found


@pytest.mark.parametrize("said", [{}, {"webcam": {}}, {"webcam": None}, {"webcam": ["x"]}])
def test_settings_without_a_camera_name_none(said):
    assert picture_of(said, "http://192.168.1.20:5000", PRIVATE_NETWORKS) == ""
