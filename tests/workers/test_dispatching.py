"""Claim, act, record against a simulated printer that fails in every way: at most one start, and always a way on."""

from datetime import timedelta
from pathlib import Path

import pytest

from fablab import db, files
from fablab.billing import ledger
from fablab.billing import services as billing
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.filament.queries import remaining_mg
from fablab.jobs import dispatch, handprints, judging
from fablab.jobs import services as jobs
from fablab.jobs.models import Attempt, Job, Wish
from fablab.jobs.signoff import Reason, Verdict
from fablab.jobs.states import AttemptState, JobState
from fablab.machines import services as machines
from fablab.machines.models import Machine, Operation, Plate
from fablab.orders.models import Order
from fablab.printers import Refused
from fablab.printers.simulated import Fault, Mishap, SimulatedPrinter
from fablab.settings import settings
from tests.people import GCODE, queued_order, slice_job, small_place
from tests.waiting import wait_until
from workers import printing
from workers.printing import Outcome


class Scene:
    """One printer, one queued job, and the eyes of a test."""

    def __init__(self) -> None:
        with db.transaction() as session:
            self.cast = small_place(session)
            self.order, self.job = queued_order(session, self.cast.alice)
        self.printer = SimulatedPrinter(self.cast.ada.address)

    def claim(self):
        with db.transaction() as session:
            found = dispatch.schedule(session, utcnow())
        return found[0].id if found else None

    def attempt(self):
        with db.reading() as session:
            return session.query(Attempt).order_by(Attempt.id.desc()).first()

    def row(self, table, row):
        with db.reading() as session:
            return session.get(table, row.id)

    def state(self):
        return self.attempt().state

    def starts(self):
        return [line["name"] for line in self.printer.journal() if line["what"] == "start"]

    def watch(self):
        printing.watch(self.cast.ada.id)

    def watch_until(self, *states):
        def there():
            self.watch()
            return self.state() in states

        wait_until(there, 40)


@pytest.fixture
def scene(place, monkeypatch):
    monkeypatch.setattr(judging, "START_MARGIN", timedelta(seconds=0.3))
    return Scene()


def test_a_job_is_sent_started_once_and_followed_to_its_end(scene):
    printing.dispatch(scene.claim())
    assert scene.state() == AttemptState.PRINTING
    assert scene.row(Order, scene.order).state == "in_production"
    scene.watch_until(AttemptState.FINISHED_UNVERIFIED)
    assert len(scene.starts()) == 1
    assert scene.row(Job, scene.job).state == JobState.AWAITING_SIGNOFF
    assert scene.row(Machine, scene.cast.ada).plate == Plate.HELD
    assert scene.printer.history(scene.attempt().file_name) is None, "the file is tidied away after the outcome is kept"


def test_messages_that_come_twice_start_once(scene):
    attempt = scene.claim()
    for _ in range(3):
        printing.dispatch(attempt)
        scene.watch()
    assert scene.claim() is None
    assert len(scene.starts()) == 1


@pytest.mark.parametrize("command", ["look", "upload", "select"])
@pytest.mark.parametrize("fault", [Fault.UNREACHABLE, Fault.REFUSED])
def test_what_fails_before_the_start_goes_back_to_the_queue_with_a_clear_plate(scene, command, fault):
    scene.printer.fail_next(command, fault)
    printing.dispatch(scene.claim())
    assert scene.state() == AttemptState.START_FAILED
    assert scene.row(Machine, scene.cast.ada).plate == Plate.CLEAR
    job = scene.row(Job, scene.job)
    assert (job.state, job.failed_starts) == (JobState.QUEUED, 1)
    assert job.not_before > utcnow()
    assert scene.starts() == []


@pytest.mark.parametrize("command", ["upload", "select"])
@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
def test_a_connection_cut_before_the_start_is_tried_again_and_starts_once(scene, command, fault):
    scene.printer.fail_next(command, fault)
    attempt = scene.claim()
    printing.dispatch(attempt)
    assert scene.state() == AttemptState.UPLOADING
    printing.dispatch(attempt)
    assert scene.state() == AttemptState.PRINTING
    assert len(scene.starts()) == 1


def test_a_start_whose_answer_was_lost_is_found_printing(scene):
    scene.printer.fail_next("start", Fault.CUT_AFTER)
    printing.dispatch(scene.claim())
    assert scene.state() == AttemptState.PRINTING
    assert len(scene.starts()) == 1


def test_a_printer_that_vanishes_right_after_the_start_is_found_printing_when_it_is_back(scene, monkeypatch):
    start = SimulatedPrinter.start

    def start_and_vanish(self, name: str) -> None:
        start(self, name)
        self.switch_off()

    monkeypatch.setattr(SimulatedPrinter, "start", start_and_vanish)
    printing.dispatch(scene.claim())
    assert scene.state() == AttemptState.STARTING
    assert scene.row(Machine, scene.cast.ada).operation == Operation.OFFLINE
    scene.printer.switch_off(off=False)
    scene.watch_until(AttemptState.PRINTING, AttemptState.FINISHED_UNVERIFIED)
    assert len(scene.starts()) == 1


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.SILENT])
def test_a_start_that_did_not_happen_is_proved_before_another_is_allowed(scene, fault):
    scene.printer.fail_next("start", fault)
    printing.dispatch(scene.claim())
    assert scene.state() == AttemptState.STARTING
    name = scene.attempt().file_name
    scene.watch_until(AttemptState.START_FAILED)
    assert scene.printer.history(name) is None, "the fence: a late start finds no file"
    assert scene.row(Job, scene.job).state == JobState.QUEUED
    assert scene.starts() == []


def test_a_start_written_by_a_clock_that_was_ahead_is_not_waited_for_until_then(scene):
    scene.printer.fail_next("start", Fault.SILENT)
    printing.dispatch(scene.claim())
    with db.transaction() as session:
        session.get(Attempt, scene.attempt().id).asked_at = utcnow() + timedelta(hours=1)
    scene.watch_until(AttemptState.START_FAILED)
    assert scene.starts() == []


def test_a_refused_start_goes_back_at_once(scene):
    scene.printer.fail_next("start", Fault.REFUSED)
    printing.dispatch(scene.claim())
    assert scene.state() == AttemptState.START_FAILED
    assert scene.row(Machine, scene.cast.ada).plate == Plate.CLEAR


def test_a_printer_that_restarted_at_the_start_is_unknown_and_stays_reserved(scene):
    scene.printer.fail_next("start", Fault.CUT_BEFORE)
    printing.dispatch(scene.claim())
    with scene.printer._open() as state:
        state.selected = None
    scene.watch_until(AttemptState.UNKNOWN)
    assert scene.claim() is None
    assert "nobody knows" in str(scene.attempt().problem)
    with db.transaction() as session:
        attempt = session.get(Attempt, scene.attempt().id)
        billing.sign_off(session, attempt, Verdict(0, Reason.NOT_STARTED), scene.cast.bob)
    assert scene.row(Job, scene.job).state == JobState.QUEUED


def test_parts_that_are_left_on_the_plate_hold_it_even_if_somebody_pressed_clear_too_early(scene):
    printing.dispatch(scene.claim())
    with db.transaction() as session:
        machines.clear_plate(session, scene.cast.ada.id, scene.cast.bob.id)
    scene.watch_until(AttemptState.FINISHED_UNVERIFIED)
    with db.transaction() as session:
        attempt = session.get(Attempt, scene.attempt().id)
        billing.sign_off(session, attempt, Verdict(1, plate_cleared=False), scene.cast.bob)
    assert scene.row(Machine, scene.cast.ada).plate == Plate.HELD


def sign_off_as_not_started(scene):
    with db.transaction() as session:
        attempt = session.get(Attempt, scene.attempt().id)
        billing.sign_off(session, attempt, Verdict(0, Reason.NOT_STARTED), scene.cast.bob)


def test_a_start_that_arrives_after_a_person_checked_the_plate_finds_nothing(scene):
    scene.printer.fail_next("start", Fault.LATE)
    scene.printer.fail_next("history", Fault.RESTARTED)
    printing.dispatch(scene.claim())
    scene.watch_until(AttemptState.UNKNOWN)
    sign_off_as_not_started(scene)
    with pytest.raises(Refused, match="no such file"):
        scene.printer.start(scene.attempt().file_name)
    assert scene.starts() == []


def test_a_plate_is_not_made_again_while_a_late_start_could_still_find_its_file(scene):
    scene.printer.fail_next("start", Fault.LATE)
    scene.printer.fail_next("history", Fault.RESTARTED)
    scene.printer.fail_next("delete", Fault.CUT_BEFORE)
    printing.dispatch(scene.claim())
    scene.watch_until(AttemptState.UNKNOWN)
    with pytest.raises(Conflict, match="may still start"):
        sign_off_as_not_started(scene)
    scene.watch()
    sign_off_as_not_started(scene)
    with pytest.raises(Refused, match="no such file"):
        scene.printer.start(scene.attempt().file_name)
    assert scene.starts() == []


def test_a_start_that_arrives_after_contact_was_given_up_finds_nothing(scene):
    scene.printer.fail_next("start", Fault.LATE)
    attempt = scene.claim()
    scene.printer.fail_next("history", Fault.UNREACHABLE)
    printing.dispatch(attempt)
    with db.transaction() as session:
        jobs.give_up_contact(session, session.get(Attempt, attempt), scene.cast.bob.id)
    given_up = scene.attempt().file_name
    sign_off_as_not_started(scene)
    scene.watch()
    printing.dispatch(scene.claim())
    assert scene.printer.history(given_up) is None
    assert given_up not in scene.starts()


def test_a_print_that_somebody_started_by_hand_is_left_alone(scene):
    attempt = scene.claim()
    scene.printer.print_by_hand("vase.gcode", 60)
    printing.dispatch(attempt)
    assert scene.state() == AttemptState.START_FAILED
    scene.watch()
    machine = scene.row(Machine, scene.cast.ada)
    assert (machine.foreign_file, machine.plate, machine.operation) == ("vase.gcode", Plate.HELD, Operation.BUSY)
    assert scene.printer.look().file_name == "vase.gcode"


def test_a_print_by_hand_is_followed_to_its_end_and_filed_once(scene):
    scene.printer.print_by_hand("vase.gcode", 1)
    scene.watch()
    with db.reading() as session:
        assert handprints.to_file(session) == []

    def ended():
        scene.watch()
        with db.reading() as session:
            return handprints.to_file(session)

    wait_until(ended, 20)
    scene.printer.print_by_hand("vase.gcode", 60)
    scene.watch()
    with db.transaction() as session:
        (printed,) = handprints.to_file(session)
        assert (printed.file_name, printed.spool_id) == ("vase.gcode", scene.cast.spool.id)
        with pytest.raises(Invalid, match="which spool"):
            handprints.file(session, printed, "Zoe", None, 12.0, scene.cast.bob.id)
        before = remaining_mg(session, [printed.spool_id])[printed.spool_id]
        handprints.file(session, printed, "Zoe", printed.spool, 12.0, scene.cast.bob.id)
        assert remaining_mg(session, [printed.spool_id])[printed.spool_id] == before - 12_000
        with pytest.raises(Conflict, match="filed already"):
            handprints.file(session, printed, "Zoe", printed.spool, 12.0, scene.cast.bob.id)
        assert handprints.to_file(session) == []


@pytest.mark.parametrize(
    ("mishap", "words"),
    [
        (Mishap.ERROR, "Thermal runaway"),
        (Mishap.STOP, "stopped"),
        (Mishap.OFFLINE, "stopped"),
        (Mishap.POWER_LOSS, "restarted"),
    ],
)
def test_a_print_that_ends_badly_waits_for_a_person(scene, mishap, words):
    scene.printer.mishap(mishap, 0.5)
    printing.dispatch(scene.claim())
    scene.watch_until(AttemptState.STOPPED_UNVERIFIED)
    assert words in str(scene.attempt().problem)
    assert scene.row(Machine, scene.cast.ada).plate == Plate.HELD
    assert scene.claim() is None


def test_pause_resume_and_stop_are_asked_until_the_printer_has_done_them(scene):
    with db.transaction() as session:  # a print so long that a slow computer, too, finds it printing
        ada = session.get(Machine, scene.cast.ada.id)
        ada.address = ada.address.replace("least=0.4&most=0.4", "least=60&most=60")
    printing.dispatch(scene.claim())
    for wish, state in ((Wish.PAUSE, AttemptState.PAUSED), (Wish.RESUME, AttemptState.PRINTING)):
        scene.printer.fail_next(wish.value, Fault.CUT_BEFORE)
        ask(scene, wish)
        scene.watch_until(state)
        assert scene.attempt().wish is None
    ask(scene, Wish.CANCEL)
    scene.watch_until(AttemptState.STOPPED_UNVERIFIED)


def ask(scene, wish):
    with db.transaction() as session:
        jobs.ask_printer(session, session.get(Attempt, scene.attempt().id), wish, scene.cast.bob.id)


def test_a_stop_before_the_start_cancels_and_nothing_is_printed(scene):
    attempt = scene.claim()
    ask(scene, Wish.CANCEL)
    printing.dispatch(attempt)
    assert scene.starts() == []
    assert scene.row(Job, scene.job).state == JobState.CANCELLED
    assert scene.row(Order, scene.order).state == "cancelled"
    with db.reading() as session:
        assert ledger.balance_cents(session, scene.cast.alice.id) == 2000


def test_a_worker_whose_lease_is_over_starts_nothing(scene, monkeypatch):
    attempt = scene.claim()
    upload = SimulatedPrinter.upload

    def slow_upload(self, name: str, path: Path) -> None:
        upload(self, name, path)
        with db.transaction() as session:
            session.get(Machine, scene.cast.ada.id).lease_until = utcnow()
            machines.lease(session, scene.cast.ada.id, utcnow() + timedelta(seconds=1))

    monkeypatch.setattr(SimulatedPrinter, "upload", slow_upload)
    printing.dispatch(attempt)
    assert scene.state() == AttemptState.UPLOADING
    assert scene.starts() == []


def test_a_printer_that_is_away_is_said_to_be_and_what_it_prints_goes_on(scene):
    printing.dispatch(scene.claim())
    scene.printer.switch_off()
    scene.watch()
    machine = scene.row(Machine, scene.cast.ada)
    assert machine.operation == Operation.OFFLINE
    assert "does not answer" in str(machine.operation_note)
    assert scene.state() == AttemptState.PRINTING
    scene.printer.switch_off(off=False)
    scene.watch_until(AttemptState.FINISHED_UNVERIFIED)


def not_seen_for(scene, gap):
    with db.transaction() as session:
        session.get(Machine, scene.cast.ada.id).seen_at = utcnow() - gap


def test_a_printer_that_was_long_out_of_sight_waits_for_somebody_to_look_at_its_plate(scene):
    not_seen_for(scene, machines.ABSENCE - timedelta(seconds=20))
    scene.watch()
    assert scene.row(Machine, scene.cast.ada).plate == Plate.CLEAR, "a short gap holds nothing"
    not_seen_for(scene, machines.ABSENCE + timedelta(seconds=1))
    assert scene.claim() is None, "nothing is claimed for it before it was looked at"
    scene.watch()
    assert scene.row(Machine, scene.cast.ada).plate == Plate.HELD
    assert scene.claim() is None
    with db.transaction() as session:
        jobs.clear_plate(session, scene.cast.ada.id, scene.cast.bob.id)
    assert scene.claim() is not None


def test_a_plate_that_was_out_of_sight_between_claim_and_start_stays_held(scene):
    attempt = scene.claim()
    not_seen_for(scene, machines.ABSENCE + timedelta(seconds=1))
    scene.watch()
    scene.printer.fail_next("upload", Fault.REFUSED)
    printing.dispatch(attempt)
    assert scene.state() == AttemptState.START_FAILED
    assert scene.row(Machine, scene.cast.ada).plate == Plate.HELD


def test_a_printer_that_never_comes_back_is_taken_into_a_persons_hands(scene):
    printing.dispatch(scene.claim())
    with pytest.raises(Conflict, match="answers"), db.transaction() as session:
        jobs.give_up_contact(session, session.get(Attempt, scene.attempt().id), scene.cast.bob.id)
    scene.printer.switch_off()
    scene.watch()
    with db.transaction() as session:
        jobs.give_up_contact(session, session.get(Attempt, scene.attempt().id), scene.cast.bob.id)
    assert (scene.state(), scene.row(Job, scene.job).state) == (AttemptState.UNKNOWN, JobState.AWAITING_SIGNOFF)
    scene.printer.switch_off(off=False)
    scene.watch_until(AttemptState.PRINTING, AttemptState.FINISHED_UNVERIFIED)


def test_damaged_gcode_is_never_sent_but_made_again(scene):
    with db.reading() as session:
        made = session.get(Job, scene.job.id).slice
    files.path_of(made.gcode_sha256).write_text("G1 X999")
    printing.dispatch(scene.claim())
    assert "damaged" in str(scene.attempt().problem)
    assert scene.starts() == []
    assert not files.path_of(made.gcode_sha256).exists()
    assert scene.row(Job, scene.job).state == JobState.TO_SLICE
    with db.transaction() as session:
        slice_job(session, session.get(Job, scene.job.id))
    printing.dispatch(scene.claim())
    assert len(scene.starts()) == 1


def test_gcode_that_is_gone_again_and_again_is_a_matter_for_a_person(scene):
    for _ in range(settings().start_tries):
        with db.reading() as session:
            made = session.get(Job, scene.job.id).slice
        files.path_of(made.gcode_sha256).unlink()
        printing.dispatch(scene.claim())
        with db.transaction() as session:
            job = session.get(Job, scene.job.id)
            if job.state == JobState.TO_SLICE:
                slice_job(session, job)
    job = scene.row(Job, scene.job)
    assert (job.state, job.held) == (JobState.QUEUED, True)
    assert scene.starts() == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("G1 X900", "moves outside"),
        ("G1 Z900", "moves outside"),
        ("M104 S400", "400 °C"),
        ("M109 S240", "too hot for PLA"),
        ("M140 S140", "140 °C"),
    ],
)
def test_gcode_that_would_harm_the_printer_is_never_sent_and_a_person_is_asked(scene, line, words):
    with db.transaction() as session:
        path = settings().data_dir / "bad.gcode"
        path.write_text(f"{GCODE}{line}\n")
        made = session.get(Job, scene.job.id).slice
        made.gcode_sha1, made.gcode_sha256 = files.sha1_of(path), files.keep_file(path)
    printing.dispatch(scene.claim())
    job = scene.row(Job, scene.job)
    assert (job.state, job.held) == (JobState.QUEUED, True)
    assert words in str(job.problem)
    assert scene.printer.journal() == []


def test_gcode_for_another_kind_of_printer_is_never_sent(scene):
    attempt = scene.claim()
    with db.transaction() as session:
        session.get(Machine, scene.cast.ada.id).profile = "ender3"
    printing.dispatch(attempt)
    assert "another kind of printer" in str(scene.row(Job, scene.job).problem)
    assert scene.row(Machine, scene.cast.ada).plate == Plate.CLEAR
    assert scene.starts() == []


def test_one_slow_printer_is_looked_at_by_one_worker(scene):
    with db.transaction() as session:
        assert machines.lease(session, scene.cast.ada.id, utcnow()) is not None
    before = scene.row(Machine, scene.cast.ada).looked_at
    scene.watch()
    assert scene.row(Machine, scene.cast.ada).looked_at == before


def test_a_printer_with_an_error_is_connected_again_and_looked_at(scene):
    scene.printer.mishap(Mishap.ERROR, 0.1)
    printing.dispatch(scene.claim())
    scene.watch_until(AttemptState.STOPPED_UNVERIFIED)
    assert scene.row(Machine, scene.cast.ada).operation == Operation.ERROR
    assert printing.connect(scene.cast.ada.id) == Outcome.SEEN
    assert scene.row(Machine, scene.cast.ada).operation == Operation.READY
    assert scene.row(Machine, scene.cast.ada).plate == Plate.HELD


def test_a_printer_that_prints_is_not_connected_anew(scene):
    printing.dispatch(scene.claim())
    scene.watch_until(AttemptState.PRINTING)
    assert printing.connect(scene.cast.ada.id) == Outcome.SEEN
    assert [line["what"] for line in scene.printer.journal() if line["what"] == "connect"] == []


def test_a_printer_that_is_away_cannot_be_connected_and_says_why(scene):
    scene.printer.switch_off()
    assert printing.connect(scene.cast.ada.id) == Outcome.NOT_SEEN
    assert scene.row(Machine, scene.cast.ada).operation == Operation.OFFLINE
