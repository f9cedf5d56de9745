"""What every printer driver can do, what it answers, and in which three ways it can fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from fablab.errors import Problem
from fablab.words import Sentence


class PrinterState(StrEnum):
    """What a printer is doing."""

    OFFLINE = "offline"
    ERROR = "error"
    READY = "ready"
    STARTING = "starting"
    PRINTING = "printing"
    PAUSING = "pausing"
    PAUSED = "paused"
    RESUMING = "resuming"
    CANCELLING = "cancelling"
    FINISHING = "finishing"


BUSY = frozenset(PrinterState) - {PrinterState.OFFLINE, PrinterState.ERROR, PrinterState.READY}


@dataclass(frozen=True)
class Reading:
    """One look at a printer. `progress` is the share of the file that was read, 0..1."""

    state: PrinterState
    file_name: str | None = None
    progress: float | None = None
    print_time_s: float | None = None
    time_left_s: float | None = None
    error: str | None = None
    user: str | None = None


@dataclass(frozen=True)
class FileHistory:
    """What the printer remembers of one file. A stopped print counts as a failure."""

    sha1: str | None
    size: int
    successes: int
    failures: int


@dataclass(frozen=True)
class Finding:
    """One line of a connection test."""

    ok: bool
    sentence: Sentence


class NotSent(Problem):
    """Nothing reached the printer: it is safe to try again."""

    status = 502


class Refused(Problem):
    """The printer answered no: nothing happened."""

    status = 409


class Denied(Refused):
    """The printer's server does not take the key, or the key may not do this."""

    status = 403


class NobodyKnows(Problem):
    """There was no usable answer: it may have happened or not. Look before trying again."""

    status = 504


class Printer(Protocol):
    """A printer. Callers send one command at a time, take every answer as a hint, and look again."""

    def look(self) -> Reading:
        """Return what the printer is doing."""

    def history(self, name: str) -> FileHistory | None:
        """Return what the printer remembers of a file, or None when it has no such file."""

    def upload(self, name: str, path: Path) -> None:
        """Send a file and check that it arrived whole; repeatable, never replaces other content."""

    def select(self, name: str) -> None:
        """Select a file without printing it; repeatable."""

    def start(self, name: str) -> None:
        """Select and print a file; sent once, never repeated by the driver."""

    def pause(self) -> None:
        """Ask for a pause."""

    def resume(self) -> None:
        """Ask to go on after a pause."""

    def cancel(self) -> None:
        """Ask to stop the print."""

    def delete(self, name: str) -> None:
        """Delete a file; no error when it is gone already. Raises `Refused` while it is being printed."""

    def connect(self) -> None:
        """Ask the printer's server to connect to the machine again."""

    def camera(self) -> str:
        """Return the address of a picture of its camera, as this server reaches it; empty when it names none."""

    def check(self) -> list[Finding]:
        """Test the connection and say in words what is right and what is wrong; never raises a `Problem`."""


@dataclass(frozen=True)
class Reach:
    """How a printer is reached: what a driver needs to know to talk to it."""

    address: str
    key: str | None = field(repr=False)
    networks: Sequence[str]


@dataclass(frozen=True)
class Failure:
    """Why a print failed, which some printers say once and never again."""

    file_name: str
    words: str


@dataclass(frozen=True)
class Sign:
    """What a follower noticed: what the printer shows now, or only that something changed (`reading` is None)."""

    reading: Reading | None = None
    failure: Failure | None = None


Notice = Callable[[Sign], None]


class Follower(Protocol):
    """Follows one printer and decides nothing: what it notices is a reason to look, and may be wrong or missing."""

    async def __call__(self, reach: Reach, notice: Notice) -> None:
        """Call `notice` at once and whenever something may have changed, until the connection ends.

        Raises `Problem` when the printer cannot be followed. It never waits for long without noticing that the
        printer is gone, and never blocks the loop: a hundred of them run in one.
        """
