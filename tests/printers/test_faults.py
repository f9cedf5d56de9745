"""One contract for everything that goes wrong, both drivers: what a fault says, and what has happened all the same."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from fablab.printers import NobodyKnows, NotSent, Printer, PrinterState, Refused
from fablab.printers.simulated import Fault, Mishap
from tests.printers.bench import Bench
from tests.waiting import wait_until

pytestmark = [pytest.mark.xdist_group("octoprint"), pytest.mark.timeout(180)]

SAYS = {
    Fault.UNREACHABLE: NotSent,
    Fault.REFUSED: Refused,
    Fault.CUT_BEFORE: NobodyKnows,
    Fault.CUT_AFTER: NobodyKnows,
}
HAPPENS = (Fault.CUT_AFTER, Fault.SLOW)


@dataclass(frozen=True)
class Command:
    """A command of the contract: what it needs, how it is given, and how one sees that it was done."""

    prepare: Callable[[Bench], str]
    give: Callable[[Bench, Printer, str], None]
    done: Callable[[Bench, str], bool]


def paused(bench: Bench) -> str:
    name = bench.printing(20.0)
    bench.printer.pause()
    wait_until(lambda: bench.is_in(PrinterState.PAUSED), 15)
    return name


COMMANDS = {
    "upload": Command(
        lambda _bench: "fl-up-x.gcode",
        lambda bench, printer, name: printer.upload(name, bench.gcode()),
        lambda bench, name: bench.printer.history(name) is not None,
    ),
    "select": Command(
        lambda bench: bench.sent(),
        lambda _bench, printer, name: printer.select(name),
        lambda bench, name: bench.printer.look().file_name == name,
    ),
    "start": Command(
        lambda bench: bench.sent(20.0),
        lambda _bench, printer, name: printer.start(name),
        lambda bench, name: bench.is_in(PrinterState.PRINTING) and bench.printer.look().file_name == name,
    ),
    "pause": Command(
        lambda bench: bench.printing(20.0),
        lambda _bench, printer, _name: printer.pause(),
        lambda bench, _name: bench.is_in(PrinterState.PAUSED),
    ),
    "resume": Command(
        paused,
        lambda _bench, printer, _name: printer.resume(),
        lambda bench, _name: bench.is_in(PrinterState.PRINTING),
    ),
    "cancel": Command(
        lambda bench: bench.printing(20.0),
        lambda _bench, printer, _name: printer.cancel(),
        lambda bench, _name: bench.is_in(PrinterState.READY),
    ),
    "delete": Command(
        lambda bench: bench.sent(),
        lambda _bench, printer, name: printer.delete(name),
        lambda bench, name: bench.printer.history(name) is None,
    ),
}


def said(command: Callable[[], None]) -> type[Exception] | None:
    """Give a command and return how it failed, if it did."""
    try:
        command()
    except (NotSent, Refused, NobodyKnows) as problem:
        return type(problem)
    return None


@pytest.mark.parametrize("fault", [*SAYS, Fault.SILENT, Fault.SLOW])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_goes_wrong_says_what_is_known_and_nothing_more(bench, name, fault):
    command = COMMANDS[name]
    file = command.prepare(bench)
    with bench.failing(name, fault) as printer:
        answer = said(lambda: command.give(bench, printer, file))
    if fault in SAYS:
        assert answer == SAYS[fault]
    elif fault == Fault.SLOW:
        assert answer in (None, NobodyKnows), "a slow answer may be waited for, and nothing else may be said of it"
    else:
        assert answer == (NobodyKnows if name == "upload" else None), "nobody but a later look can tell"
    if fault in HAPPENS:
        wait_until(lambda: command.done(bench, file), 20)
    else:
        assert not command.done(bench, file)
    if name == "upload" and command.done(bench, file):
        bench.printer.delete(file)


@pytest.mark.parametrize("fault", [Fault.UNREACHABLE, Fault.CUT_BEFORE, Fault.CUT_AFTER])
@pytest.mark.parametrize("name", ["look", "history"])
def test_a_look_that_fails_is_no_news_of_the_printer(bench, name, fault):
    file = bench.sent()
    with bench.failing(name, fault) as printer, pytest.raises(SAYS[fault]):
        printer.look() if name == "look" else printer.history(file)


def test_a_start_that_comes_late_prints_all_the_same(bench):
    name = bench.sent(20.0)
    with bench.failing("start", Fault.LATE) as printer:
        assert said(lambda: printer.start(name)) == NobodyKnows
        assert bench.is_in(PrinterState.READY)
    wait_until(lambda: COMMANDS["start"].done(bench, name), 20)


def test_a_start_that_comes_when_its_file_was_deleted_prints_nothing(bench):
    name = bench.sent(20.0)
    with bench.failing("start", Fault.LATE) as printer:
        assert said(lambda: printer.start(name)) == NobodyKnows
        bench.printer.delete(name)
    assert bench.is_in(PrinterState.READY)
    assert bench.printer.history(name) is None


def test_a_server_that_restarts_while_it_starts_remembers_nothing_of_it(bench):
    name = bench.sent(20.0)
    with bench.failing("start", Fault.RESTARTED) as printer:
        assert said(lambda: printer.start(name)) == NobodyKnows
    reading = bench.printer.look()
    assert (reading.state, reading.file_name) == (PrinterState.READY, None)
    assert bench.outcome(name) == (0, 0)


def test_a_server_that_restarts_in_a_print_remembers_nothing_of_it(bench):
    name = bench.goes_wrong(Mishap.POWER_LOSS)
    reading = bench.printer.look()
    assert (reading.state, reading.file_name) == (PrinterState.READY, None)
    assert bench.outcome(name) == (0, 0)


def test_a_firmware_error_is_told_remembered_and_recovered_from(bench):
    name = bench.goes_wrong(Mishap.ERROR)
    wait_until(lambda: bench.is_in(PrinterState.ERROR), 20)
    assert bench.printer.look().error
    assert bench.outcome(name) == (0, 1)
    assert any("not connected" in str(finding.sentence) for finding in bench.printer.check() if not finding.ok)
    bench.printer.connect()
    wait_until(lambda: bench.is_in(PrinterState.READY), 20)


def test_a_line_to_the_machine_that_drops_is_told_remembered_and_recovered_from(bench):
    name = bench.goes_wrong(Mishap.OFFLINE)
    wait_until(lambda: bench.is_in(PrinterState.OFFLINE, PrinterState.ERROR), 20)
    assert bench.outcome(name) == (0, 1)
    assert any(not finding.ok for finding in bench.printer.check())
    bench.printer.connect()
    wait_until(lambda: bench.is_in(PrinterState.READY), 20)


def test_a_pause_at_the_machine_is_seen_and_can_be_ended_from_here(bench):
    name = bench.goes_wrong(Mishap.PAUSE)
    wait_until(lambda: bench.is_in(PrinterState.PAUSED), 20)
    assert bench.printer.look().file_name == name
    bench.printer.resume()
    wait_until(lambda: bench.outcome(name) == (1, 0), 30)


def test_a_stop_at_the_machine_is_remembered_as_a_failure(bench):
    name = bench.goes_wrong(Mishap.STOP)
    wait_until(lambda: bench.is_in(PrinterState.READY), 20)
    assert bench.outcome(name) == (0, 1)


def test_a_print_by_hand_is_told_by_its_name_and_its_person_and_not_disturbed(bench):
    mine, theirs = bench.sent(), bench.by_hand()
    with pytest.raises(Refused):
        bench.printer.start(mine)
    reading = bench.printer.look()
    assert (reading.state, reading.file_name) == (PrinterState.PRINTING, theirs)
    assert reading.user not in (None, "fablab")
    bench.printer.delete(mine)
    assert bench.printer.history(mine) is None
