"""The printers of the chaos, as somebody sees them who stands in front of them: never through our database."""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from fablab.errors import Problem
from fablab.printers import BUSY, open_printer
from fablab.printers.simulated import TAKEN_OFF, SimulatedPrinter
from fablab.printers.virtual import command, find_octoprint, write_base_folder
from tests.running import free_port
from tests.waiting import wait_until

STARTED = re.compile(r"^(\S+ \S+),(\d{3}) .*Print job (started|done) - origin: local, path: ([^,]+),", re.MULTILINE)


@dataclass(frozen=True, order=True)
class Happened:
    """One line of a printer's own record."""

    at: float
    what: str
    name: str | None


class Bench(Protocol):
    """A printer to stand in front of."""

    driver: str
    address: str
    key: str

    def record(self) -> Sequence[Happened]:
        """What the printer itself wrote down, in order."""

    def prints(self) -> bool:
        """Whether it is moving."""

    def take_off(self) -> bool:
        """Empty the plate and write that into the record; False while it is moving."""

    def reconnect(self) -> None:
        """Press the button that ends an error."""


class SimulatedBench:
    """A simulated printer."""

    driver, key = "simulated", ""

    def __init__(self, folder: Path, late_s: float) -> None:
        self.address = f"{folder}?speed=15&least=1.5&most=3&late={late_s}"
        self.printer = SimulatedPrinter(self.address)

    def record(self):
        return [Happened(line["at"], line["what"], line["name"]) for line in self.printer.journal()]

    def prints(self):
        with self.printer._open() as state:
            return state.printing

    def take_off(self):
        return self.printer.take_off()

    def reconnect(self):
        with self.printer._open() as state:
            state.error, state.offline = None, False


class OctoPrintBench:
    """A real OctoPrint with a virtual printer; its record is its log, and a file for the plates that were emptied."""

    driver = "octoprint"

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.key = write_base_folder(folder, self.port, fast=True)
        self.address = f"http://127.0.0.1:{self.port}"
        self.printer = open_printer("octoprint", self.address, self.key)
        self.server: subprocess.Popen[bytes] | None = None

    def start(self):
        executable = find_octoprint()
        assert executable is not None, "OctoPrint is not installed: make octoprint"
        self.server = subprocess.Popen(
            command(executable, self.folder, self.port),
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL),
        )

    def wait_until_ready(self):
        wait_until(lambda: all(finding.ok for finding in self.printer.check()), 90)

    def kill(self):
        if self.server is not None and self.server.poll() is None:
            os.killpg(self.server.pid, signal.SIGKILL)
            self.server.wait(10)

    def record(self):
        log, emptied = self.folder / "logs" / "octoprint.log", self.folder / "emptied.jsonl"
        found = [
            Happened(
                datetime.fromisoformat(f"{at}.{ms}").timestamp(),
                {"started": "start", "done": "finish"}[what],
                name,
            )
            for at, ms, what, name in STARTED.findall(log.read_text(errors="replace") if log.exists() else "")
        ]
        if emptied.exists():
            found += [Happened(json.loads(line), TAKEN_OFF, None) for line in emptied.read_text().splitlines()]
        return sorted(found, key=lambda line: line.at)

    def prints(self):
        try:
            return self.printer.look().state in BUSY
        except Problem:
            return self.server is not None and self.server.poll() is None

    def take_off(self):
        if self.prints():
            return False
        with (self.folder / "emptied.jsonl").open("a") as log:
            log.write(f"{json.dumps(time.time())}\n")
        return True

    def reconnect(self):
        try:
            self.printer.connect()
        except Problem:
            return
