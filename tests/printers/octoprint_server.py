"""A real OctoPrint with its virtual printer, in a folder of its own, gone at the end; and what can be done to it."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from fablab.printers import Printer, open_printer
from fablab.printers.virtual import command, find_octoprint, write_base_folder
from tests.running import free_port
from tests.waiting import wait_until


class OctoPrintServer:
    """An OctoPrint server: its address, the application key, and the owner's key, which may do everything."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.key = write_base_folder(folder, self.port, fast=True)
        self.owner_key: str = json.loads((folder / "config.yaml").read_text())["api"]["key"]
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Switch it on."""
        executable = find_octoprint()
        assert executable is not None, "OctoPrint is not installed: make octoprint"
        self.process = subprocess.Popen(
            command(executable, self.folder, self.port),
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL),
        )

    def wait_until_ready(self) -> None:
        """Wait until it answers and its machine is connected."""
        printer = self.opened()
        wait_until(lambda: all(finding.ok for finding in printer.check()), 90)

    def opened(self) -> Printer:
        """Return our driver, talking to it."""
        return open_printer("octoprint", self.address, self.key)

    def runs(self) -> bool:
        """Tell whether it is switched on."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """Pull its plug."""
        if self.runs():
            assert self.process is not None
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def freeze(self, seconds: float) -> None:
        """Let it answer nobody for a while; then it does what it was asked meanwhile."""
        if not self.runs():
            return
        assert self.process is not None
        process = self.process

        def wake() -> None:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGCONT)

        os.killpg(process.pid, signal.SIGSTOP)
        waking = threading.Timer(seconds, wake)
        waking.daemon = True
        waking.start()

    def as_owner(self, path: str, **said: object) -> int:
        """Do something with the owner's key, as somebody does who uses OctoPrint's own pages; return the status."""
        headers = {"X-Api-Key": self.owner_key}
        return requests.post(f"{self.address}{path}", json=said, headers=headers, timeout=5).status_code


@contextmanager
def octoprint_server(folder: Path) -> Iterator[OctoPrintServer]:
    """Run an OctoPrint for the block."""
    if find_octoprint() is None:
        pytest.skip("OctoPrint is not installed: make octoprint")
    server = OctoPrintServer(folder)
    try:
        server.start()
        server.wait_until_ready()
        yield server
    finally:
        server.kill()
