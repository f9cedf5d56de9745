"""The list of what to do now: every kind of line, its order, and the notes between shifts."""

from datetime import timedelta

import pytest

from fablab import bus, db
from fablab.db import utcnow
from fablab.filament import services as filament
from fablab.jobs.models import Attempt
from fablab.machines.models import Machine, MachineEvent, Operation, Plate, Service
from tests.people import add_machine, queued_order
from tests.web.test_board_and_setup import finished, printing


def lines(site):
    """Return the text of the list, as a volunteer gets it."""
    return site.as_("bob").get("/board/todo").text


def becomes(site, **values):
    with db.transaction() as session:
        ada = session.get(Machine, site.cast.ada.id)
        for name, value in values.items():
            setattr(ada, name, value)


def test_a_paused_print_goes_on_with_one_tap(site):
    _, _, attempt = printing(site)
    with db.transaction() as session:
        session.get(Attempt, attempt.id).state = "paused"
    assert "is paused" in lines(site)
    site.as_("bob").post(f"/board/attempts/{attempt.public_id}/resume")
    assert "is paused" not in lines(site), "it was asked for already"


@pytest.mark.parametrize("operation", [Operation.ERROR, Operation.OFFLINE])
def test_a_printer_that_is_away_or_has_an_error_is_connected_again(site, operation, recorder):
    becomes(site, operation=operation, seen_at=utcnow())
    assert "Connect again" in lines(site)
    with bus.using(recorder):
        site.as_("bob").post(f"/board/machines/{site.cast.ada.public_id}/connect")
    assert ("connect", (site.cast.ada.id,)) in recorder.asked
    with db.reading() as session:
        (event,) = session.query(MachineEvent).filter_by(kind="connect_asked")
        assert event.person_id == site.cast.bob.id


def test_a_printer_out_of_service_asks_for_nothing(site):
    becomes(site, operation=Operation.ERROR, service=Service.OUT_OF_SERVICE, plate=Plate.HELD)
    assert "Nothing to do" in lines(site)


def test_a_spool_to_change_is_one_line_however_many_plates_wait_for_it(site):
    with db.transaction() as session:
        filament.unload(session, site.cast.ada.id, site.cast.bob.id)
        for _ in range(3):
            queued_order(session, site.cast.alice)
    assert lines(site).count("a spool to change") == 1


def test_who_waits_longest_comes_first(site):
    _, _, attempt = finished(site)
    with db.transaction() as session:
        add_machine(session, "Grace").plate = Plate.HELD
        session.get(Attempt, attempt.id).ended_at = utcnow() - timedelta(hours=2)
    page = lines(site)
    assert page.index("<strong>Ada</strong>") < page.index("<strong>Grace</strong>")
    with db.transaction() as session:
        session.get(Attempt, attempt.id).ended_at = utcnow() + timedelta(hours=2)
    page = lines(site)
    assert page.index("<strong>Grace</strong>") < page.index("<strong>Ada</strong>")


def test_a_note_stays_until_the_next_one_and_is_never_lost(site):
    bob = site.as_("bob")
    assert bob.post("/board/note", text="The door of Ada <sticks>.\nPull hard.").status_code == 302
    assert "The door of Ada &lt;sticks&gt;." in bob.get("/board/").text
    bob.post("/board/note", text="All is well.")
    board, notes = bob.get("/board/").text, bob.get("/board/note").text
    assert "sticks" not in board
    assert "All is well." in board
    assert "sticks" in notes
    bob.post("/board/note", text="  ")
    assert "All is well." not in bob.get("/board/").text
    too_long = bob.post("/board/note", text="x" * 1001)
    assert too_long.status_code == 422
    assert "x" * 1001 in too_long.text
