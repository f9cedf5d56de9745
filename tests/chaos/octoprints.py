"""Real OctoPrint servers with virtual printers, and what can be done to them from behind."""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import subprocess
import threading
import time
from datetime import datetime
from pathlib import Path

import requests

from fablab.errors import Problem
from fablab.printers import BUSY, PrinterState, Reading, open_printer
from fablab.printers.simulated import TAKEN_OFF
from fablab.printers.virtual import command, find_octoprint, write_base_folder
from tests.chaos.benches import Happened
from tests.running import free_port
from tests.waiting import wait_until

STARTED = re.compile(r"^(\S+ \S+),(\d{3}) .*Print job (started|done) - origin: local, path: ([^,]+),", re.MULTILINE)
QUICK = "M220 S300\nM221 S300\n"
"""The small plate of the chaos takes about four seconds at this pace."""


class OctoPrintBench:
    """A real OctoPrint with a virtual printer; its record is its log, and a file for what was done to it by hand."""

    driver = "octoprint"

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.key = write_base_folder(folder, self.port, fast=True)
        (folder / "scripts" / "gcode" / "afterPrinterConnected").write_text(QUICK)
        self.owner_key = json.loads((folder / "config.yaml").read_text())["api"]["key"]
        self.address = f"http://127.0.0.1:{self.port}"
        self.server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Switch it on."""
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

    def wait_until_ready(self) -> None:
        """Wait until it answers and its machine is connected."""
        printer = open_printer("octoprint", self.address, self.key)
        wait_until(lambda: all(finding.ok for finding in printer.check()), 90)

    def kill(self) -> None:
        """Pull its plug."""
        if self._runs():
            assert self.server is not None
            os.killpg(self.server.pid, signal.SIGKILL)
            self.server.wait(10)

    def freeze(self, seconds: float) -> None:
        """Let it answer nobody for a while; then it does what it was asked meanwhile."""
        if not self._runs():
            return
        assert self.server is not None
        server = self.server

        def wake() -> None:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGCONT)

        os.killpg(server.pid, signal.SIGSTOP)
        waking = threading.Timer(seconds, wake)
        waking.daemon = True
        waking.start()

    def inject(self, what: str, line: str) -> bool:
        """Let its virtual printer do something in the middle of a print; False while it prints nothing."""
        reading = self._reading()
        if reading is None or reading.state != PrinterState.PRINTING or not (reading.progress or 0) > 0:
            return False
        answer = requests.post(
            f"{self.address}/api/printer/command",
            json={"command": line},
            headers={"X-Api-Key": self.owner_key},
            timeout=5,
        )
        if answer.status_code == 204:
            self._note(what)
        return answer.status_code == 204

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
        if not self._runs():
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
            open_printer("octoprint", self.address, self.key).connect()
        except Problem:
            return

    def _runs(self) -> bool:
        return self.server is not None and self.server.poll() is None

    def _reading(self) -> Reading | None:
        try:
            return open_printer("octoprint", self.address, self.key).look()
        except Problem:
            return None

    def _note(self, what: str) -> None:
        with (self.folder / "notes.jsonl").open("a") as notes:
            notes.write(f"{json.dumps([time.time(), what])}\n")
