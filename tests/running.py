"""The whole system as real processes, in a folder of its own: `fablab up` with fast simulated printers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import wait_until

FABLAB = Path(sys.executable).with_name("fablab")


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class System:
    """A running system."""

    process: subprocess.Popen[str]
    url: str
    data_dir: Path

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def members(self) -> list[int]:
        """Return the process ids of everything that belongs to this system."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes().split(b"\0")
                state = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if f"FABLAB_DATA_DIR={self.data_dir}".encode() in environment and state != "Z":
                found.append(int(folder.name))
        return found

    def kill(self) -> None:
        """Kill everything that belongs to this system."""
        for number in self.members():
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self.process.wait(20)

    def named(self, *words: str) -> list[int]:
        """Return the members whose command line has all these words."""
        found = []
        for number in self.members():
            try:
                line = Path(f"/proc/{number}/cmdline").read_bytes().decode()
            except OSError:
                continue
            if all(word in line for word in words):
                found.append(number)
        return found

    def logs(self) -> str:
        parts = [
            f"== {path.name}\n{path.read_text()[-3000:]}" for path in sorted((self.data_dir / "log").glob("*.log"))
        ]
        return "\n".join(parts)


@contextmanager
def system(data_dir: Path, *options: str, port: int | None = None, orderly: bool = False) -> Iterator[System]:
    """Run `fablab up` for the block. At its end it is killed, which takes no time, or stopped in order if asked for."""
    port = port or free_port()
    environment = {**os.environ, "FABLAB_DATA_DIR": str(data_dir), "FABLAB_SIGN_IN_LIMIT": "1000 per minute"}
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "up.log").open("w") as output:
        process = subprocess.Popen(
            [FABLAB, "up", "--port", str(port), *options],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    running = System(process, f"http://127.0.0.1:{port}", data_dir)
    try:
        wait_until(lambda: running.ready() or process.poll() is not None, 120)
        assert process.poll() is None, (data_dir / "up.log").read_text()
        yield running
    finally:
        if process.poll() is None and orderly:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(40)
        running.kill()
