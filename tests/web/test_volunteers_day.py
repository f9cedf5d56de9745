"""The board as a volunteer's day: what to do now, the note between shifts, the order of the queue."""

from datetime import timedelta

from fablab import db
from fablab.billing import ledger
from fablab.db import utcnow
from fablab.filament import services as filament
from fablab.jobs import dispatch, services
from fablab.jobs import queries as jobs
from fablab.jobs.judging import Judgement
from fablab.jobs.models import Attempt, Job
from fablab.machines import hand_over
from fablab.machines.models import Machine, MachineEvent, Operation, Plate
from fablab.orders import handing, review
from fablab.orders.models import OrderState
from fablab.words import say
from tests.people import add_machine, add_spool, order_cube, queued_order

SMALL_ENOUGH = 100_000


def printing(site):
    with db.transaction() as session:
        _, job = queued_order(session, site.cast.alice)
        (attempt,) = dispatch.schedule(session, utcnow())
        dispatch.sending(session, attempt)
        dispatch.about_to_start(session, attempt, utcnow())
        dispatch.record(session, attempt, Judgement.PRINTING, {}, utcnow())
    return job, attempt


def test_what_has_waited_longest_comes_first(site):
    _, attempt = printing(site)
    with db.transaction() as session:
        now = utcnow()
        dispatch.record(session, session.get(Attempt, attempt.id), Judgement.FINISHED, {}, now)
        session.get_one(Attempt, attempt.id).ended_at = now - timedelta(minutes=10)
        grace = add_machine(session, "Grace")
        grace.operation, grace.seen_at = Operation.OFFLINE, now - timedelta(hours=3)
        sophie = add_machine(session, "Sophie")
        sophie.plate = Plate.HELD
    page = site.as_("bob").get("/board/").text
    todo = page[page.index('class="todo"') : page.index("machines-title")]
    grace, ada, sophie = (todo.index(f"<strong>{name}</strong>") for name in ("Grace", "Ada", "Sophie"))
    assert grace < ada < sophie
    assert "for 10\u00a0min" in todo
    assert "for 3\u00a0h\u00a000" in todo


def test_a_machine_without_the_right_spool_asks_for_it(site):
    with db.transaction() as session:
        _, job = queued_order(session, site.cast.alice)
        session.get_one(Job, job.id).colour_name = "red"
    bob = site.as_("bob")
    page = bob.get("/board/").text
    assert "needs another spool" in page
    assert "cube.stl waits for PLA, red" in page
    with db.transaction() as session:
        filament.load(session, add_spool(session, None, colour="red"), site.cast.ada.id)
    assert "needs another spool" not in bob.get("/board/").text


def test_a_paused_print_goes_on_from_the_list(site):
    _, attempt = printing(site)
    with db.transaction() as session:
        dispatch.record(session, session.get(Attempt, attempt.id), Judgement.PAUSED, {}, utcnow())
        session.get_one(Machine, site.cast.ada.id).operation = Operation.PAUSED
    page = site.as_("bob").get("/board/").text
    todo = page[page.index('class="todo"') : page.index("machines-title")]
    assert f"/board/attempts/{attempt.public_id}/resume" in todo


def test_a_note_stays_until_the_next_replaces_it(site):
    bob = site.as_("bob")
    assert "Nobody has left a note yet" in bob.get("/board/hand-over/").text
    assert bob.post("/board/hand-over/", text="Ada squeaks.", seen="0").status_code == 302
    assert "Ada squeaks." in bob.get("/board/").text
    carole = site.as_("carole")
    with db.reading() as session:
        seen = hand_over.latest(session).id
    assert carole.post("/board/hand-over/", text="Ada is oiled.", seen=seen).status_code == 302
    assert "Ada squeaks." not in carole.get("/board/").text
    assert "Ada squeaks." in carole.get("/board/hand-over/").text


def test_nobody_replaces_a_note_unread_and_no_words_are_lost(site):
    site.as_("bob").post("/board/hand-over/", text="The door sticks.", seen="0")
    answer = site.as_("carole").post("/board/hand-over/", text="Buy white PLA.", seen="0")
    assert answer.status_code == 422
    for words in ("Somebody has written a note meanwhile", "Buy white PLA.", "The door sticks."):
        assert words in answer.text
    answer = site.as_("carole").post("/board/hand-over/", text="x" * 1001, seen="0")
    assert answer.status_code == 422


def test_a_plate_goes_to_the_end_and_onto_one_printer_only(site):
    with db.transaction() as session:
        _, job = queued_order(session, site.cast.alice)
        queued_order(session, site.cast.charlie)
        grace = add_machine(session, "Grace", ready=False)
        ender = add_machine(session, "Sophie")
        ender.profile = "ender3"
    bob, address = site.as_("bob"), f"/board/jobs/{job.public_id}"
    page = bob.get(address).text
    assert "Grace" in page
    assert "Sophie" not in page
    assert bob.post(f"{address}/end").status_code == 302
    assert bob.post(f"{address}/machine", machine=grace.public_id).status_code == 302
    assert "only on Grace" in bob.get("/board/queue").text
    refused = bob.post(f"{address}/machine", machine=ender.public_id)
    assert refused.status_code == 422
    assert "another kind of printer" in refused.text
    assert bob.post(f"{address}/machine", machine="").status_code == 302
    assert "only on" not in bob.get("/board/queue").text


def test_a_full_board_is_small_enough_for_a_slow_line(site):
    with db.transaction() as session:
        for number in range(5):
            add_spool(session, add_machine(session, f"Printer {number}"))
        ledger.top_up(session, site.cast.alice, 10_000, site.cast.bob.id, "for-46-cubes")
        for _ in range(46):
            queued_order(session, site.cast.alice)
        for attempt in dispatch.schedule(session, utcnow()):
            dispatch.sending(session, attempt)
            dispatch.about_to_start(session, attempt, utcnow())
            dispatch.record(session, attempt, Judgement.FINISHED, {}, utcnow())
    page = site.as_("bob").get("/board/")
    assert page.text.count('class="card line') == 40
    assert page.text.count("card task") == 6
    assert len(page.data) <= SMALL_ENOUGH


def test_a_printer_out_of_reach_is_connected_again_from_the_list(site, recorder):
    with db.transaction() as session:
        session.get_one(Machine, site.cast.ada.id).operation = Operation.ERROR
    bob, address = site.as_("bob"), f"/board/machines/{site.cast.ada.public_id}/connect"
    assert f'action="{address}"' in bob.get("/board/").text
    recorder.asked.clear()
    assert bob.post(address).status_code == 302
    assert ("connect", (site.cast.ada.id,)) in recorder.asked
    with db.reading() as session:
        (event,) = session.query(MachineEvent).filter_by(kind="connect_asked")
        assert event.person_id == site.cast.bob.id


def test_requests_on_the_desk_are_one_line_of_the_list(site):
    with db.transaction() as session:
        order = order_cube(session, site.cast.alice)
        order.state = OrderState.IN_REVIEW
        review.ask(session, order, [say("It is large.")])
    assert "to be looked at: 1" in site.as_("bob").get("/board/").text


def test_a_plate_that_cannot_be_prepared_is_in_the_list_and_tried_again_from_there(site):
    with db.transaction() as session:
        (job,) = jobs.of_order(session, order_cube(session, site.cast.alice).id)
        token = services.take_for_slicing(session, job.id, utcnow()).token
        services.slicing_failed(session, job.id, token, say("The slicer found nothing to print."), "")
        address = f"/board/jobs/{job.public_id}/slice"
    bob = site.as_("bob")
    page = bob.get("/board/").text
    todo = page[page.index('class="todo"') : page.index("machines-title")]
    assert "The slicer found nothing to print." in todo
    assert f'action="{address}"' in todo
    assert bob.post(address).status_code == 302
    assert "Nothing to do" in bob.get("/board/").text


def test_a_print_and_what_waits_on_the_shelf_are_said_in_words_signs_and_codes(site):
    _, attempt = printing(site)
    with db.transaction() as session:
        dispatch.record(session, session.get(Attempt, attempt.id), Judgement.FINISHED, {}, utcnow())
        on_ada = session.get_one(Machine, site.cast.ada.id)
        on_ada.operation = Operation.READY
        add_machine(session, "Grace").operation = Operation.OFFLINE
    bob = site.as_("bob")
    page = bob.get("/board/").text
    assert "cube.stl, for Alice" in page
    assert '<span aria-hidden="true">⚡</span> Offline' in page
    assert '<span aria-hidden="true">?</span> To be checked' in page
    bob.post(f"/board/attempts/{attempt.public_id}/check", good="1", plate_cleared="y")
    with db.reading() as session:
        (row,) = handing.waiting(session)
    assert f"<strong>{row.code}</strong>" in bob.get("/board/queue").text
