"""The watcher notices what changes and lets it be looked at, and what goes wrong at one printer is not felt at another."""

import pytest

from fablab import db
from fablab.db import utcnow
from fablab.jobs import dispatch
from fablab.jobs.dispatch import Heard
from fablab.jobs.models import Attempt
from fablab.machines import services as machines
from fablab.machines.models import Machine, Operation, Service
from fablab.printers import PrinterState, octoprint_push, octorest_client
from fablab.printers.simulated import Fault, SimulatedPrinter
from tests.people import add_machine, add_spool, queued_order, small_place
from tests.waiting import wait_until
from tests.watching.conftest import operation, row, watcher
from workers import following, printing, visits
from workers.following import Shown
from workers.printing import Outcome


def becomes(machine_id, wanted):
    wait_until(lambda: operation(machine_id) == wanted, 30)


def percent(machine_id):
    return int(100 * (row(machine_id).progress or 0))


def counted():
    """A stand-in for visits that counts them by machine."""
    made = []

    def watch(machine_id, _failure):
        made.append(machine_id)
        return Outcome.SEEN

    return made, watch


def test_what_changes_at_a_printer_is_recorded_and_told_without_any_ticker(fleet, recorder):
    pretend, machine_id = fleet.add("Ada")
    with watcher():
        becomes(machine_id, Operation.READY)
        fleet.do(pretend.start, "by-hand.gcode")
        becomes(machine_id, Operation.BUSY)
        recorder.told.clear()
        fleet.do(pretend.pause)
        becomes(machine_id, Operation.PAUSED)
        assert "board" in recorder.told
    assert row(machine_id).foreign_file == "by-hand.gcode"
    assert pretend.sockets == 1


def test_each_per_cent_is_recorded(fleet):
    pretend, machine_id = fleet.add("Ada", duration_s=150.0)
    fleet.do(pretend.start, "by-hand.gcode")
    with watcher():
        wait_until(lambda: percent(machine_id) >= 3, 30)


def test_a_printer_at_which_nothing_changes_is_not_visited_again(fleet, quick):
    made, watch = counted()
    pretend, _ = fleet.add("Ada")
    with watcher(watch):
        wait_until(lambda: pretend.frames, 30)
        before = len(made)
        heard = pretend.frames
        wait_until(lambda: pretend.frames >= heard + 3, 30)
        assert before == len(made) == 1


@pytest.fixture
def attempt(fleet):
    """A look-alike and the attempt that it is asked to print."""
    with db.transaction() as session:
        cast = small_place(session)
        queued_order(session, cast.alice)
        session.get(Machine, cast.ada.id).service = Service.RETIRED
    pretend, machine_id = fleet.add("Berta", duration_s=150.0)
    with db.transaction() as session:
        add_spool(session, session.get(Machine, machine_id))
        session.get(Machine, machine_id).operation = Operation.READY
        (made,) = dispatch.schedule(session, utcnow())
    printing.dispatch(made.id)
    return pretend, made


def now(attempt):
    with db.reading() as session:
        return session.get(Attempt, attempt.id)


def test_an_attempt_ends_when_its_printer_ends_it_with_the_words_only_the_event_has(fleet, attempt):
    pretend, attempt = attempt
    with watcher():
        wait_until(lambda: pretend.frames, 30)
        fleet.do(pretend.cancel, "Thermal runaway")
        wait_until(lambda: now(attempt).state == "stopped_unverified", 30)
    assert "Thermal runaway" in str(now(attempt).problem)


def test_how_far_an_attempt_is_is_noted_without_a_look(attempt, recorder):
    pretend, attempt = attempt
    with watcher():
        wait_until(lambda: (now(attempt).progress or 0) >= 0.02, 30)
        looks = pretend.requests.count("GET /api/job")
        seen = row(attempt.machine_id).looked_at
        recorder.told.clear()
        wait_until(lambda: (now(attempt).progress or 0) >= 0.05, 30)
        assert pretend.requests.count("GET /api/job") == looks
        assert row(attempt.machine_id).looked_at > seen, "so the ticker need not ask for a look"
        assert {topic.partition("-")[0] for topic in recorder.told} == {"board", "order"}


def test_a_note_decides_nothing_and_never_goes_back(attempt):
    _, attempt = attempt

    def note(file_name, progress):
        with db.transaction() as session:
            return dispatch.note_progress(session, [Heard(attempt.machine_id, file_name, progress, 60.0)], utcnow())

    assert note(attempt.file_name, 0.5) == set()
    assert note(attempt.file_name, 0.4) == set()
    assert note("somebody-elses.gcode", 0.9) == {attempt.machine_id}
    assert (now(attempt).progress, now(attempt).state) == (0.5, "printing")
    with db.transaction() as session:
        session.get(Attempt, attempt.id).state = "stopped_unverified"
    assert note(attempt.file_name, 0.9) == {attempt.machine_id}
    assert (now(attempt).progress, now(attempt).state) == (0.5, "stopped_unverified")


@pytest.mark.parametrize(
    ("before", "after", "only_goes_on"),
    [
        (("printing", "a", 10), ("printing", "a", 11), True),
        (("printing", "a", 10), ("printing", "a", 10), True),
        (("printing", "a", 10), ("printing", "a", 9), False),
        (("printing", "a", 10), ("printing", "b", 11), False),
        (("printing", "a", 10), ("paused", "a", 11), False),
        (("printing", "a", None), ("printing", "a", 1), False),
        (("paused", "a", 10), ("printing", "a", 10), False),
        (None, ("printing", "a", 10), False),
    ],
)
def test_only_more_of_the_same_print_needs_no_look(before, after, only_goes_on):
    made = [Shown(PrinterState(each[0]), *each[1:]) if each else None for each in (before, after)]
    assert following.goes_on(*made) == only_goes_on


def test_frozen_printers_are_noticed_and_delay_nobody(fleet, monkeypatch, quick):
    monkeypatch.setattr(octoprint_push, "PING_AFTER_S", 0.5)
    monkeypatch.setattr(octoprint_push, "PONG_WITHIN_S", 0.5)
    monkeypatch.setattr(octorest_client, "READ_S", 5.0)
    monkeypatch.setattr(visits, "SLOW_AFTER_S", 0.1)
    frozen = [fleet.add(f"Frozen {number}") for number in range(visits.AT_ONCE + 2)]
    lively, lively_id = fleet.add("Lively")
    with watcher():
        for _, machine_id in [*frozen, (lively, lively_id)]:
            becomes(machine_id, Operation.READY)
        for pretend, _ in frozen:
            fleet.do(pretend.freeze)
        fleet.do(lively.start, "by-hand.gcode")
        becomes(lively_id, Operation.BUSY)
        assert all(operation(machine_id) == Operation.READY for _, machine_id in frozen)
        for _, machine_id in frozen:
            becomes(machine_id, Operation.OFFLINE)


def test_more_slow_visits_than_places_keep_no_quick_one_waiting(place, monkeypatch):
    monkeypatch.setattr(visits, "SLOW_AFTER_S", 0.05)
    with db.transaction() as session:
        slow = {add_machine(session, f"Slow {number}").id for number in range(3 * visits.AT_ONCE)}
        quick = add_machine(session, "Quick").id
    begun = []

    def watch(machine_id, _failure):
        begun.append(machine_id)
        if machine_id in slow:
            wait_until(lambda: {*slow, quick} <= set(begun), 30)
        return Outcome.SEEN

    with watcher(watch):
        wait_until(lambda: {*slow, quick} <= set(begun), 30)


def test_pauses_grow_to_about_a_minute_and_are_never_the_same_for_all():
    pauses = [[following.pause_s(failures) for _ in range(50)] for failures in range(1, 40)]
    assert max(pauses[0]) < 2
    assert min(pauses[-1]) > 40
    assert max(max(each) for each in pauses) <= 75
    assert all(len(set(each)) > 40 for each in pauses)


def test_a_dead_printer_is_left_alone_until_somebody_has_seen_it(fleet, monkeypatch):
    monkeypatch.setattr(following, "pause_s", lambda _failures: 3600.0)
    pretend, machine_id = fleet.add("Ada")
    fleet.do(pretend.die)
    with watcher():
        becomes(machine_id, Operation.OFFLINE)
        looked_at = row(machine_id).looked_at
        fleet.reopen(pretend)
        made, _ = fleet.add("Berta")
        wait_until(lambda: made.sockets, 30)
        assert row(machine_id).looked_at == looked_at
        printing.watch(machine_id)
        wait_until(lambda: pretend.sockets, 30)


def test_a_printer_that_comes_back_is_followed_again(fleet, quick):
    pretend, machine_id = fleet.add("Ada")
    with watcher():
        becomes(machine_id, Operation.READY)
        fleet.do(pretend.die)
        becomes(machine_id, Operation.OFFLINE)
        fleet.reopen(pretend)
        becomes(machine_id, Operation.READY)
        wait_until(lambda: pretend.sockets == 2, 30)


def test_machines_are_taken_up_changed_and_left_while_it_runs(fleet):
    with watcher():
        pretend, machine_id = fleet.add("Ada")
        becomes(machine_id, Operation.READY)
        other, _ = fleet.add("Berta")
        with db.transaction() as session:
            machine = session.get(Machine, machine_id)
            address = f"http://localhost:{other.port}"
            machines.change(session, machine, machines.MachineData("Ada", "octoprint", address, "mk3"), None)
        wait_until(lambda: other.sockets == 2, 30)
        with db.transaction() as session:
            for machine in session.query(Machine):
                machine.service = Service.RETIRED
        wait_until(lambda: not pretend.connected() and not other.connected(), 30)


def test_of_two_watchers_one_follows_and_the_other_takes_over(fleet):
    pretend, machine_id = fleet.add("Ada")
    with watcher():
        with watcher():
            becomes(machine_id, Operation.READY)
            wait_until(lambda: pretend.frames >= 4, 30)
            assert pretend.sockets == 1
        fleet.do(pretend.start, "by-hand.gcode")
        becomes(machine_id, Operation.BUSY)


@pytest.mark.parametrize("nonsense", ["not json", "[1, 2]", '{"current": [1]}', "[" * 200_000, "x" * 2_000_000, ""])
def test_a_socket_that_talks_nonsense_is_no_crash_and_its_printer_is_polled(fleet, quick, nonsense):
    pretend, machine_id = fleet.add("Ada", nonsense=nonsense)
    with watcher():
        becomes(machine_id, Operation.READY)
        wait_until(lambda: pretend.sockets >= 2, 30)
        fleet.do(pretend.start, "by-hand.gcode")
        becomes(machine_id, Operation.BUSY)


def test_a_key_that_is_refused_is_said_and_one_that_is_taken_again_is_noticed(fleet, quick):
    pretend, machine_id = fleet.add("Ada", refuses_key=True)
    with watcher():
        becomes(machine_id, Operation.OFFLINE)
        assert "key" in str(row(machine_id).operation_note)
        assert pretend.sockets == 0
        pretend.refuses_key = False
        becomes(machine_id, Operation.READY)


def test_simulated_printers_are_followed_by_glances_that_meet_no_fault(place):
    with db.transaction() as session:
        ada = add_machine(session, "Ada")
    printer = SimulatedPrinter(ada.address)
    made, watch = counted()
    with watcher(watch):
        wait_until(lambda: made, 30)
        printer.fail_next("look", Fault.UNREACHABLE)
        printer.print_by_hand("by-hand.gcode", 60)
        before = len(made)
        wait_until(lambda: len(made) > before, 30)
    assert printer.journal()[-1]["what"] == "by_hand", "the fault waits for the next real look"
