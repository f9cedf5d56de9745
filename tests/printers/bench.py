"""A printer of either driver on the bench, and everything that can happen to it and to the line to it."""

from __future__ import annotations

import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fablab.printers import BUSY, Printer, PrinterState, octorest_client, open_printer
from fablab.printers.simulated import STATE, Fault, Mishap, SimulatedPrinter
from tests.printers.line import line_to
from tests.printers.octoprint_server import OctoPrintServer
from tests.waiting import wait_until

LATE_S = 1.5
IMPATIENT_S = 0.8
IN_ITS_MIDDLE = {
    Mishap.ERROR: "!!DEBUG:trigger_fatal_error_marlin",
    Mishap.PAUSE: "!!DEBUG:action_pause",
    Mishap.STOP: "!!DEBUG:action_custom cancel",
    Mishap.OFFLINE: "!!DEBUG:drop_connection",
}
numbers = itertools.count(1)


class Bench(ABC):
    """One printer. `printer` reaches it over a line on which nothing happens."""

    driver: str

    def __init__(self, printer: Printer, folder: Path) -> None:
        self.printer, self.folder = printer, folder

    def gcode(self, seconds: float = 1.0, *extra: str) -> Path:
        """Write a G-code that takes about so long on either printer, with `extra` lines in its middle."""
        path = self.folder / f"{next(numbers)}.gcode"
        dwells = ["G4 P100"] * int(seconds * 10)
        middle = len(dwells) // 2
        lines = ["G28", *dwells[:middle], *extra, *dwells[middle:]]
        lines += [f"; estimated printing time (normal mode) = {max(1, round(seconds * 10))}s"]
        path.write_text("\n".join(lines) + "\n")
        return path

    def sent(self, seconds: float = 1.0, *extra: str) -> str:
        """Upload such a file and return its name."""
        name = f"fl-{next(numbers)}-x.gcode"
        self.printer.upload(name, self.gcode(seconds, *extra))
        return name

    def printing(self, seconds: float = 3.0, *extra: str) -> str:
        """Start such a print and return its name."""
        name = self.sent(seconds, *extra)
        self.printer.start(name)
        wait_until(lambda: self.is_in(PrinterState.PRINTING), 15)
        return name

    def is_in(self, *states: PrinterState) -> bool:
        return self.printer.look().state in states

    def outcome(self, name: str) -> tuple[int, int]:
        """Return how often a file was printed to its end, and how often it failed."""
        found = self.printer.history(name)
        assert found is not None
        return found.successes, found.failures

    def rest(self) -> None:
        """Bring the printer back to where the next test finds it ready."""
        if self.is_in(PrinterState.ERROR, PrinterState.OFFLINE):
            self.printer.connect()
            wait_until(lambda: not self.is_in(PrinterState.ERROR, PrinterState.OFFLINE), 30)
        if self.printer.look().state in BUSY:
            self.printer.cancel()
        wait_until(lambda: self.is_in(PrinterState.READY), 30)

    @abstractmethod
    def failing(self, command: str, fault: Fault) -> contextmanager[Iterator[Printer]]:
        """Give, for the block, a printer whose next such command fails like this. At the end nothing is on its way."""

    @abstractmethod
    def goes_wrong(self, what: Mishap) -> str:
        """Start a print that goes wrong in its middle; return its name as soon as it has."""

    @abstractmethod
    def by_hand(self) -> str:
        """Let somebody start a print of their own at the printer; return its name."""


class SimulatedBench(Bench):
    driver = "simulated"

    def __init__(self, folder: Path) -> None:
        self.address = f"{folder}/printer?speed=10&least=0.2&most=60&late={LATE_S}"
        self.simulated = SimulatedPrinter(self.address)
        super().__init__(open_printer("simulated", self.address, None), folder)

    @contextmanager
    def failing(self, command, fault):
        if fault == Fault.UNREACHABLE:
            self.simulated.switch_off()
        else:
            self.simulated.fail_next(command, fault)
        yield self.printer
        self.simulated.switch_off(off=False)
        wait_until(lambda: self.printer.look() and self._state()["late"] is None, 10)

    def goes_wrong(self, what):
        self.simulated.mishap(what, 0.5)
        name = self.printing(1.0)
        wait_until(lambda: self.printer.look() and self._state()["mishap"] is None, 20)
        return name

    def by_hand(self):
        self.simulated.print_by_hand("theirs.gcode", 5.0)
        return "theirs.gcode"

    def _state(self):
        return json.loads((self.folder / "printer" / STATE).read_text())


class OctoPrintBench(Bench):
    driver = "octoprint"

    def __init__(self, server: OctoPrintServer, folder: Path, monkeypatch) -> None:
        super().__init__(server.opened(), folder)
        self.server, self.monkeypatch = server, monkeypatch

    @contextmanager
    def failing(self, command, fault):
        with line_to(self.server.address, LATE_S) as line, self.monkeypatch.context() as patch:
            if fault == Fault.SLOW:
                patch.setattr(octorest_client, "READ_S", IMPATIENT_S)
            if fault == Fault.UNREACHABLE:
                line.close()
            elif fault == Fault.RESTARTED:
                line.fail_next(command, Fault.CUT_AFTER)
                line.then = self.server.kill
            else:
                line.fail_next(command, fault)
            yield open_printer("octoprint", line.address, self.server.key)
            wait_until(lambda: not line.on_its_way, 60)
        if not self.server.runs():
            self._restart()

    def goes_wrong(self, what):
        if what == Mishap.POWER_LOSS:
            name = self.printing(20.0)
            self._restart()
            return name
        name = self.sent(4.0, IN_ITS_MIDDLE[what])
        self.printer.start(name)
        wait_until(lambda: self.is_in(PrinterState.PRINTING), 15)
        wait_until(lambda: not self.is_in(PrinterState.PRINTING), 20)
        return name

    def by_hand(self):
        name = self.sent(20.0)
        path = f"/api/files/local/{name}"
        assert self.server.as_owner(path, command="select", print=True) == 204
        wait_until(lambda: self.is_in(PrinterState.PRINTING), 15)
        return name

    def _restart(self):
        self.server.kill()
        self.server.start()
        self.server.wait_until_ready()
