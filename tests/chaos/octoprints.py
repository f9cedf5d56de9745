"""Real OctoPrint servers with virtual printers, and what can be done to them from behind."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime
from pathlib import Path

from fablab.errors import Problem
from fablab.printers import BUSY, PrinterState, Reading
from fablab.printers.simulated import TAKEN_OFF
from tests.chaos.benches import Happened
from tests.printers.octoprint_server import OctoPrintServer

STARTED = re.compile(r"^(\S+ \S+),(\d{3}) .*Print job (started|done) - origin: local, path: ([^,]+),", re.MULTILINE)
QUICK = "M220 S300\nM221 S300\n"
"""The small plate of the chaos takes about four seconds at this pace."""


class OctoPrintBench(OctoPrintServer):
    """A real OctoPrint with a virtual printer; its record is its log, and a file for what was done to it by hand."""

    driver = "octoprint"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "scripts" / "gcode" / "afterPrinterConnected").write_text(QUICK)

    def inject(self, what: str, line: str) -> bool:
        """Let its virtual printer do something in the middle of a print; False while it prints nothing."""
        reading = self._reading()
        if reading is None or reading.state != PrinterState.PRINTING or not (reading.progress or 0) > 0:
            return False
        done = self.as_owner("/api/printer/command", command=line) == 204
        if done:
            self._note(what)
        return done

    def record(self):
        log, notes = self.folder / "logs" / "octoprint.log", self.folder / "notes.jsonl"
        found = [
            Happened(
                datetime.fromisoformat(f"{at}.{ms}").timestamp(),
                {"started": "start", "done": "finish"}[what],
                name,
            )
            for at, ms, what, name in STARTED.findall(log.read_text(errors="replace") if log.exists() else "")
        ]
        if notes.exists():
            found += [Happened(*json.loads(line), None) for line in notes.read_text().splitlines()]
        return sorted(found, key=lambda line: line.at)

    def prints(self):
        if not self.runs():
            return False
        reading = self._reading()
        return reading is None or reading.state in BUSY

    def take_off(self):
        if self.prints():
            return False
        self._note(TAKEN_OFF)
        return True

    def reconnect(self):
        try:
            self.opened().connect()
        except Problem:
            return

    def _reading(self) -> Reading | None:
        try:
            return self.opened().look()
        except Problem:
            return None

    def _note(self, what: str) -> None:
        with (self.folder / "notes.jsonl").open("a") as notes:
            notes.write(f"{json.dumps([time.time(), what])}\n")
