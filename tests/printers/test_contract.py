"""One contract, both drivers: the simulated printer and a real OctoPrint with its virtual printer."""

import pytest

from fablab.files import sha1_of
from fablab.printers import NotSent, PrinterState, Refused, open_printer
from fablab.printers.simulated import SimulatedPrinter
from tests.waiting import wait_until

pytestmark = pytest.mark.xdist_group("octoprint")


def test_an_uploaded_file_is_known_by_its_content_and_has_no_history(bench):
    path = bench.gcode()
    bench.printer.upload("content.gcode", path)
    found = bench.printer.history("content.gcode")
    assert (found.sha1, found.size, found.successes, found.failures) == (sha1_of(path), path.stat().st_size, 0, 0)
    bench.printer.delete("content.gcode")


def test_the_same_upload_may_be_repeated_but_other_content_is_refused(bench):
    path = bench.gcode(1)
    bench.printer.upload("twice.gcode", path)
    bench.printer.upload("twice.gcode", path)
    with pytest.raises(Refused):
        bench.printer.upload("twice.gcode", bench.gcode(2))
    assert bench.printer.history("twice.gcode").sha1 == sha1_of(path)
    bench.printer.delete("twice.gcode")


def test_nothing_is_known_of_a_file_that_was_never_sent(bench):
    assert bench.printer.history("never.gcode") is None
    bench.printer.delete("never.gcode")


def test_selecting_does_not_print(bench):
    name = bench.sent()
    bench.printer.select(name)
    reading = bench.printer.look()
    assert (reading.state, reading.file_name) == (PrinterState.READY, name)


def test_a_print_runs_to_its_end_and_is_remembered_as_a_success(bench):
    name = bench.printing(1.5)
    seen = []

    def ended():
        reading = bench.printer.look()
        assert reading.file_name == name
        seen.append(reading.progress or 0.0)
        return reading.state == PrinterState.READY

    wait_until(ended, 20)
    assert seen == sorted(seen)
    assert all(0 <= progress <= 1 for progress in seen)
    found = bench.printer.history(name)
    assert (found.successes, found.failures) == (1, 0)


def test_a_start_while_it_prints_is_refused_and_disturbs_nothing(bench):
    name, other = bench.printing(), None
    with pytest.raises(Refused):
        bench.printer.start(name)
    with pytest.raises(Refused):
        other = bench.sent()
        bench.printer.start(other)
    reading = bench.printer.look()
    assert (reading.state, reading.file_name) == (PrinterState.PRINTING, name)


def test_an_unknown_file_is_not_started(bench):
    with pytest.raises(Refused):
        bench.printer.start("unknown.gcode")
    assert bench.is_in(PrinterState.READY)


def test_a_print_is_paused_and_resumed(bench):
    name = bench.printing()
    bench.printer.pause()
    wait_until(lambda: bench.is_in(PrinterState.PAUSED), 15)
    assert bench.printer.look().file_name == name
    bench.printer.resume()
    wait_until(lambda: bench.is_in(PrinterState.PRINTING), 15)


def test_a_cancelled_print_is_remembered_as_a_failure(bench):
    name = bench.printing()
    bench.printer.cancel()
    wait_until(lambda: bench.is_in(PrinterState.READY), 20)
    found = bench.printer.history(name)
    assert (found.successes, found.failures) == (0, 1)


def test_a_file_that_is_printed_cannot_be_deleted_and_deleting_twice_is_fine(bench):
    name = bench.printing()
    with pytest.raises(Refused):
        bench.printer.delete(name)
    bench.rest()
    bench.printer.delete(name)
    bench.printer.delete(name)
    assert bench.printer.history(name) is None


def test_pausing_or_stopping_nothing_is_refused(bench):
    for command in (bench.printer.pause, bench.printer.resume, bench.printer.cancel):
        with pytest.raises(Refused):
            command()


def test_a_good_printer_passes_its_connection_test(bench):
    findings = bench.printer.check()
    assert findings
    assert all(finding.ok for finding in findings), [str(finding.sentence) for finding in findings]


def test_a_printer_that_is_off_says_so(bench, tmp_path):
    if bench.driver == "simulated":
        away = SimulatedPrinter(f"{tmp_path}/away")
        away.switch_off()
    else:
        away = open_printer("octoprint", "http://127.0.0.1:9", "key")
    with pytest.raises(NotSent):
        away.look()
    assert [finding.ok for finding in away.check()] == [False]
