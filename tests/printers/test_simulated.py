"""The simulated printer: it lives in a folder, fails as it is told, and its journal is a witness."""

import multiprocessing

import pytest

from fablab.printers import NobodyKnows, NotSent, PrinterState, Refused
from fablab.printers.simulated import Fault, Mishap, SimulatedPrinter
from tests.waiting import wait_until

GCODE = "G28\n; estimated printing time (normal mode) = 1h 2m 3s\n"
context = multiprocessing.get_context("forkserver")


@pytest.fixture
def printer(tmp_path):
    made = SimulatedPrinter(f"{tmp_path}/p?speed=10000&least=0.4&most=5")
    path = tmp_path / "part.gcode"
    path.write_text(GCODE)
    made.upload("part.gcode", path)
    return made


def starts(printer):
    return [line for line in printer.journal() if line["what"] == "start"]


@pytest.mark.parametrize(
    ("fault", "error", "happened"),
    [
        (Fault.UNREACHABLE, NotSent, False),
        (Fault.REFUSED, Refused, False),
        (Fault.CUT_BEFORE, NobodyKnows, False),
        (Fault.CUT_AFTER, NobodyKnows, True),
    ],
)
def test_a_start_fails_as_it_was_told(printer, fault, error, happened):
    printer.fail_next("start", fault)
    with pytest.raises(error):
        printer.start("part.gcode")
    assert bool(starts(printer)) == happened
    assert (printer.look().state == PrinterState.PRINTING) == happened


def test_success_may_be_said_while_nothing_happened(printer):
    printer.fail_next("start", Fault.SILENT)
    printer.start("part.gcode")
    assert printer.look().state == PrinterState.READY
    assert starts(printer) == []


@pytest.mark.parametrize(
    ("mishap", "state", "failures"),
    [
        (Mishap.ERROR, PrinterState.ERROR, 1),
        (Mishap.OFFLINE, PrinterState.OFFLINE, 1),
        (Mishap.STOP, PrinterState.READY, 1),
        (Mishap.PAUSE, PrinterState.PAUSED, 0),
        (Mishap.POWER_LOSS, PrinterState.READY, 0),
    ],
)
def test_a_print_meets_its_mishap(printer, mishap, state, failures):
    printer.mishap(mishap, 0.5)
    printer.start("part.gcode")
    wait_until(lambda: printer.look().state == state, 5)
    assert printer.history("part.gcode").failures == failures
    if mishap == Mishap.POWER_LOSS:
        assert printer.look().file_name is None


def test_a_print_by_hand_is_there_for_all_to_see(printer):
    printer.print_by_hand("vase.gcode", 30)
    reading = SimulatedPrinter(str(printer.folder)).look()
    assert (reading.file_name, reading.user) == ("vase.gcode", "pi")
    with pytest.raises(Refused):
        printer.start("part.gcode")


def test_like_a_real_server_it_prints_a_finished_file_again(printer):
    for number in (1, 2):
        printer.start("part.gcode")
        wait_until(lambda: printer.look().state == PrinterState.READY, 5)
        assert printer.history("part.gcode").successes == number
    assert len(starts(printer)) == 2


def race(folder, barrier, results):
    barrier.wait(30)
    try:
        SimulatedPrinter(folder).start("part.gcode")
    except Refused:
        results.put("refused")
    else:
        results.put("started")


def test_of_eight_starts_at_once_one_is_taken(printer):
    barrier, results = context.Barrier(8), context.Queue()
    racers = [context.Process(target=race, args=(f"{printer.folder}?least=20", barrier, results)) for _ in range(8)]
    for racer in racers:
        racer.start()
    found = sorted(results.get(timeout=60) for _ in racers)
    for racer in racers:
        racer.join(10)
    assert found == ["refused"] * 7 + ["started"]
    assert len(starts(printer)) == 1


def test_a_slow_start_happens_late_and_holds_nobody_up(printer, monkeypatch):
    monkeypatch.setattr("fablab.printers.simulated.SLOW_S", 0.0)
    printer.fail_next("start", Fault.SLOW)
    printer.start("part.gcode")
    assert len(starts(printer)) == 1


def test_parts_are_taken_off_a_plate_only_when_nothing_is_being_printed(printer):
    printer.start("part.gcode")
    assert not printer.take_off()
    wait_until(lambda: printer.look().state == PrinterState.READY, 5)
    assert printer.take_off()
    assert [line["what"] for line in printer.journal()][-2:] == ["finish", "taken off"]


def test_a_late_start_happens_after_the_connection_broke_unless_its_file_is_gone(printer, monkeypatch):
    printer.late_s = 0.2
    printer.fail_next("start", Fault.LATE)
    with pytest.raises(NobodyKnows):
        printer.start("part.gcode")
    assert printer.look().state == PrinterState.READY
    wait_until(lambda: printer.look().state == PrinterState.PRINTING, 5)
    wait_until(lambda: printer.look().state == PrinterState.READY, 5)
    printer.fail_next("start", Fault.LATE)
    with pytest.raises(NobodyKnows):
        printer.start("part.gcode")
    printer.delete("part.gcode")
    monkeypatch.setattr("fablab.printers.simulated.time.time", lambda: 1e12)
    assert printer.look().state == PrinterState.READY
    assert len(starts(printer)) == 1


def test_a_restarted_server_has_nothing_selected(printer):
    printer.select("part.gcode")
    printer.fail_next("history", Fault.RESTARTED)
    with pytest.raises(NobodyKnows):
        printer.history("part.gcode")
    assert printer.look().file_name is None
