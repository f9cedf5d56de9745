"""The watcher on a real OctoPrint: what is pressed there shows on the board, with nobody asking."""

import pytest

from fablab import db
from fablab.db import utcnow
from fablab.jobs import dispatch
from fablab.jobs.models import Attempt
from fablab.machines import services as machines
from fablab.machines.models import Machine, Operation, Plate, Service
from fablab.machines.services import MachineData
from fablab.printers import PrinterState, open_printer
from tests.people import add_spool, queued_order, small_place
from tests.printers.octoprint_server import octoprint_server
from tests.waiting import wait_until
from tests.watching.conftest import watcher
from workers import printing

GCODE = "G28\nG1 X50 Y50 Z0.2 E5\n" + "G4 P100\n" * 600 + "; estimated printing time (normal mode) = 0h 1m 0s\n"

pytestmark = [pytest.mark.xdist_group("octoprint"), pytest.mark.timeout(180)]


@pytest.fixture
def octoprint(tmp_path):
    with octoprint_server(tmp_path / "octoprint") as server:
        yield server


def test_a_pause_pressed_in_octoprint_shows_on_the_board(place, recorder, octoprint):
    with db.transaction() as session:
        cast = small_place(session)
        session.get(Machine, cast.ada.id).service = Service.RETIRED
        data = MachineData("Berta", "octoprint", octoprint.address, "mk3", octoprint.key)
        berta = machines.add(session, data, None)
        add_spool(session, berta)
        berta.plate, berta.operation = Plate.CLEAR, Operation.READY
        queued_order(session, cast.alice, gcode=GCODE)
        (attempt,) = dispatch.schedule(session, utcnow())

    def found():
        with db.reading() as session:
            return session.get(Attempt, attempt.id)

    printing.dispatch(attempt.id)
    at_the_printer = open_printer("octoprint", octoprint.address, octoprint.key)
    with watcher():
        wait_until(lambda: (found().progress or 0) >= 0.02, 60)
        recorder.told.clear()
        at_the_printer.pause()
        wait_until(lambda: found().state == "paused", 60)
        assert "board" in recorder.told
        wait_until(lambda: at_the_printer.look().state == PrinterState.PAUSED, 30)  # a resume before that is dropped
        at_the_printer.resume()
        wait_until(lambda: found().state == "printing", 60)
