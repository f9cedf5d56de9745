"""A real OctoPrint with its virtual printer, in a folder of its own, gone at the end."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from fablab.printers import open_printer
from fablab.printers.virtual import command, find_octoprint, write_base_folder
from tests.running import free_port
from tests.waiting import wait_until


@dataclass(frozen=True)
class RunningOctoPrint:
    """An OctoPrint that answers: its address and its application key."""

    address: str
    key: str
    folder: Path
    process: subprocess.Popen[bytes]


@contextmanager
def octoprint_server(folder: Path) -> Iterator[RunningOctoPrint]:
    """Run an OctoPrint for the block."""
    executable = find_octoprint()
    if executable is None:
        pytest.skip("OctoPrint is not installed: make octoprint")
    port = free_port()
    key = write_base_folder(folder, port, fast=True)
    server = subprocess.Popen(
        command(executable, folder, port),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL),
    )
    made = RunningOctoPrint(f"http://127.0.0.1:{port}", key, folder, server)
    try:
        printer = open_printer("octoprint", made.address, key)
        wait_until(lambda: all(finding.ok for finding in printer.check()), 90)
        yield made
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(10)
