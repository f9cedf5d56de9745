"""Run a program on hostile files: limited, locked into one folder, without network, killed with its group when late.

The program is started through `lockdown.py` (an exec wrapper, so that nothing of ours runs between fork and exec in a
process with threads). Works as root and unprivileged; `probe` says what this computer really offers.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

from fablab.slicing.lockdown import EXIT_NOT_STARTED
from fablab.words import Sentence, say

LOCKDOWN = Path(__file__).with_name("lockdown.py")
SYSTEM_PATHS = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime",
    "/etc/alternatives", "/dev/urandom", "/dev/random", "/dev/zero", "/proc/cpuinfo", "/proc/meminfo",
    "/sys/devices/system/cpu",
)  # fmt: skip
READ_BYTES = 64 * 1024
END_OF_GROUP_S = 5.0


class Stop(StrEnum):
    """Why we ended a program before it ended itself."""

    LATE = "late"
    SILENT = "silent"
    TALKATIVE = "talkative"


@dataclass(frozen=True)
class Limits:
    """How much a program may use.

    Address space, processor seconds, wall-clock seconds, seconds without a word, bytes per file, open files and bytes
    of output.
    """

    memory_bytes: int = 2 << 30
    cpu_s: int = 20
    wall_s: float = 30.0
    silence_s: float | None = None
    file_bytes: int = 64 << 20
    open_files: int = 64
    output_bytes: int = 1 << 20


@dataclass(frozen=True)
class Outcome:
    """How a program ended. `returncode` is negative for a signal; `stopped` is set when we ended it."""

    returncode: int
    output: bytes
    errors: bytes
    stopped: Stop | None
    wall_s: float

    @property
    def signal(self) -> signal.Signals | None:
        """The signal that ended the program, if one did."""
        return signal.Signals(-self.returncode) if self.returncode < 0 else None

    @property
    def was_started(self) -> bool:
        """Whether the program itself ran: the lockdown can fail before it."""
        return self.returncode != EXIT_NOT_STARTED


@dataclass(frozen=True)
class Finding:
    """One thing `probe` looked at."""

    works: bool
    sentence: Sentence


def run(
    command: Sequence[str | Path],
    *,
    work: Path,
    readable: Sequence[Path] = (),
    limits: Limits = Limits(),
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Run `command` (its first word an absolute path) with `work` as its only writable folder and return how it ended.

    It may read `work`, `readable` and what every program needs; it starts with an empty environment but for what is
    given, a private TMPDIR and HOME, and a closed stdin. It never outlives this call or this thread.
    """
    started = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(LOCKDOWN), _policy(work, readable, limits), *map(str, command)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=work,
        env={"LC_ALL": "C.UTF-8", "HOME": str(work), "TMPDIR": str(work), **(environment or {})},
        start_new_session=True,
        close_fds=True,
    ) as child:
        try:
            texts, stopped = _listen(child, limits, started)
        finally:
            _end_group(child)
    return Outcome(child.returncode, texts[0], texts[1], stopped, time.monotonic() - started)


def python_paths() -> list[Path]:
    """Return what a Python child needs to read: its installation, its packages and this package."""
    prefixes = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix)}
    return [*sorted(prefixes), Path(__file__).resolve().parents[1]]


def probe() -> list[Finding]:
    """Return what the sandbox can do on this computer, each finding with a sentence for the person who runs it."""
    asked = subprocess.run(
        [sys.executable, "-I", "-S", str(LOCKDOWN), "--probe"], capture_output=True, timeout=20, check=True, env={}
    )
    offered = json.loads(asked.stdout)
    return [_landlock_finding(int(offered["landlock"])), _seccomp_finding(bool(offered["seccomp"]))]


def _landlock_finding(version: int) -> Finding:
    if version:
        return Finding(True, say("Landlock (version {version}) locks slicing into its own folder.", version=version))
    return Finding(
        False,
        say("This kernel has no Landlock: a hostile file could make the slicer read others. Use Linux 5.13 or later."),
    )


def _seccomp_finding(works: bool) -> Finding:
    if works:
        return Finding(True, say("seccomp keeps slicing away from the network and from other programs."))
    return Finding(
        False, say("libseccomp is not installed: slicing is not kept away from the network. Install libseccomp2.")
    )


def _policy(work: Path, readable: Sequence[Path], limits: Limits) -> str:
    return json.dumps(
        {
            "parent": os.getpid(),
            "read": [*SYSTEM_PATHS, *map(str, readable)],
            "write": [str(work), "/dev/null"],
            "limits": {
                "AS": limits.memory_bytes,
                "CPU": limits.cpu_s,
                "FSIZE": limits.file_bytes,
                "NOFILE": limits.open_files,
                "CORE": 0,
            },
        }
    )


def _listen(child: subprocess.Popen[bytes], limits: Limits, started: float) -> tuple[tuple[bytes, bytes], Stop | None]:
    """Collect what the child says until it closes both streams, or until it must be stopped."""
    assert child.stdout  # both are pipes
    assert child.stderr
    texts: dict[IO[bytes], bytearray] = {child.stdout: bytearray(), child.stderr: bytearray()}
    stopped: Stop | None = None
    last_word = started
    with selectors.DefaultSelector() as selector:
        for stream in texts:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map() and not stopped:
            ready = selector.select(_patience(limits, started, last_word))
            for key, _ in ready:
                last_word = time.monotonic()
                _take(selector, texts, key)
            stopped = _reason_to_stop(limits, started, last_word, sum(map(len, texts.values())))
    if not stopped:
        stopped = _wait(child, limits, started)
    output, errors = (bytes(text[: limits.output_bytes]) for text in texts.values())
    return (output, errors), stopped


def _take(selector: selectors.BaseSelector, texts: dict[IO[bytes], bytearray], key: selectors.SelectorKey) -> None:
    stream = key.fileobj
    assert not isinstance(stream, int)  # only the two pipes are registered
    piece = os.read(key.fd, READ_BYTES)
    if piece:
        texts[stream].extend(piece)  # type: ignore[index]  # HasFileno is one of our two pipes
    else:
        selector.unregister(stream)


def _patience(limits: Limits, started: float, last_word: float) -> float:
    deadline = started + limits.wall_s
    if limits.silence_s is not None:
        deadline = min(deadline, last_word + limits.silence_s)
    return max(0.0, deadline - time.monotonic())


def _reason_to_stop(limits: Limits, started: float, last_word: float, said_bytes: int) -> Stop | None:
    now = time.monotonic()
    if said_bytes > limits.output_bytes:
        return Stop.TALKATIVE
    if now >= started + limits.wall_s:
        return Stop.LATE
    if limits.silence_s is not None and now >= last_word + limits.silence_s:
        return Stop.SILENT
    return None


def _wait(child: subprocess.Popen[bytes], limits: Limits, started: float) -> Stop | None:
    """Wait without collecting the child: its number must stay taken until its group has been killed."""
    handle = os.pidfd_open(child.pid)
    try:
        ended, _, _ = select.select([handle], [], [], max(0.1, started + limits.wall_s - time.monotonic()))
    finally:
        os.close(handle)
    return None if ended else Stop.LATE


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of the child's process group; the group has the child's number."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait(END_OF_GROUP_S)
