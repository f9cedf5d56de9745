"""A printer that exists only as a folder: it prints in seconds, and can be told to fail in each way printers fail.

Its state is a JSON file under a lock, and what it does follows from the clock at each call, so every process sees the
same printer and none has to run for it. Its journal, append-only, is an independent witness of what it received.
An address is a folder, optionally with `?speed=600&least=1&most=30&late=8`: how much faster than real it prints, the
shortest and longest print in seconds, and how long a late start is on its way.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from fablab.errors import Problem
from fablab.files import sha1_of
from fablab.printers.contract import FileHistory, Finding, NobodyKnows, NotSent, PrinterState, Reading, Refused
from fablab.printers.simulated_files import JOURNAL, STATE, print_time_s, write_journal
from fablab.words import say

CANCELLING_S = 0.15
FINISHING_S = 0.15
SLOW_S = 2.0
TAKEN_OFF = "taken off"


class Fault(StrEnum):
    """How a command can fail. With `CUT_AFTER` it has happened although nobody was told; with `SLOW`, after a while.

    A `LATE` start is on its way for long after the connection broke; `RESTARTED` is the printer's server.
    """

    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    CUT_BEFORE = "cut_before"
    CUT_AFTER = "cut_after"
    SILENT = "silent"
    SLOW = "slow"
    LATE = "late"
    RESTARTED = "restarted"


class Mishap(StrEnum):
    """What can happen to a print on its way."""

    ERROR = "error"
    PAUSE = "pause"
    STOP = "stop"
    OFFLINE = "offline"
    POWER_LOSS = "power_loss"


@dataclass
class State:
    """Everything a simulated printer remembers. Moments are seconds of the clock, durations seconds."""

    files: dict[str, dict[str, int]] = field(default_factory=dict)
    selected: str | None = None
    printing: bool = False
    by_hand: bool = False
    duration_s: float = 0.0
    done_s: float = 0.0
    running_since: float | None = None
    cancelled_at: float | None = None
    finished_at: float | None = None
    progress: float | None = None
    error: str | None = None
    offline: bool = False
    server_off: bool = False
    faults: dict[str, list[str]] = field(default_factory=dict)
    mishap: str | None = None
    mishap_at: float = 0.0
    late: tuple[str, float] | None = None
    log: list[tuple[str, str | None]] = field(default_factory=list)


class SimulatedPrinter:
    """The driver and the printer in one; `fail_next` and `mishap` are for tests and for training volunteers."""

    def __init__(self, address: str) -> None:
        folder, _, query = address.partition("?")
        options = {name: float(values[-1]) for name, values in parse_qs(query).items()}
        self.folder = Path(folder)
        self.speed = options.get("speed", 240.0)
        self.least_s, self.most_s = options.get("least", 20.0), options.get("most", 60.0)
        self.late_s = options.get("late", 8.0)

    # What a person or a test does to it ------------------------------------------------------------------------------

    def fail_next(self, command: str, fault: Fault) -> None:
        """Let the next `command` ("upload", "start", "look" …) fail."""
        with self._open() as state:
            state.faults.setdefault(command, []).append(fault)

    def mishap(self, what: Mishap, at: float) -> None:
        """Let something happen to the next print that is sent when `at` (0..1) of its file is read."""
        with self._open() as state:
            state.mishap, state.mishap_at = what, at

    def print_by_hand(self, name: str, duration_s: float) -> None:
        """Start a foreign print, as somebody does at the machine."""
        with self._open() as state:
            state.files.setdefault(name, {"size": 1, "successes": 0, "failures": 0})
            state.selected = name
            self._begin(state, duration_s)
            state.by_hand = True
            state.log.append(("by_hand", name))

    def switch_off(self, *, off: bool = True) -> None:
        """Cut the printer's server off the network, or plug it in again."""
        with self._open() as state:
            state.server_off = off

    def take_off(self) -> bool:
        """Take the parts off the plate, as a person does who looks first; False while something is being printed."""
        with self._open() as state:
            if not state.printing:
                state.log.append((TAKEN_OFF, None))
            return not state.printing

    def glance(self) -> Reading:
        """Return what anybody sees who stands by: no command, so it meets no fault, waits for nobody, keeps nothing."""
        state, _ = self._now()
        if state.server_off:
            raise NotSent(say("The printer does not answer at its address."))
        return self._reading(state)

    def journal(self) -> list[dict[str, Any]]:
        """Return what the printer really received and did, in order."""
        path = self.folder / JOURNAL
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    # The contract ----------------------------------------------------------------------------------------------------

    def look(self) -> Reading:
        """Return what the printer is doing at this moment."""
        with self._command("look") as state:
            return self._reading(state)

    def history(self, name: str) -> FileHistory | None:
        """Return what the printer remembers of a file."""
        with self._command("history") as state:
            kept = state.files.get(name)
            if kept is None:
                return None
            path = self.folder / "files" / name
            sha1 = sha1_of(path) if path.exists() else None
            return FileHistory(sha1, kept["size"], kept["successes"], kept["failures"])

    def upload(self, name: str, path: Path) -> None:
        """Take a file; the same content again is fine, other content under the same name is refused."""
        with self._command("upload") as state:
            place = self.folder / "files" / name
            if name in state.files:
                if sha1_of(place) != sha1_of(path):
                    raise Refused(say("The printer has another file of this name."))
                return
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(path.read_bytes())
            state.files[name] = {"size": place.stat().st_size, "successes": 0, "failures": 0}
            state.log.append(("upload", name))
        if name not in self._now()[0].files:
            raise NobodyKnows(say("The file did not arrive whole at the printer."))

    def select(self, name: str) -> None:
        """Select a file without printing it."""
        with self._command("select") as state:
            self._must_be_idle(state)
            self._must_have(state, name)
            state.selected, state.progress = name, None

    def start(self, name: str) -> None:
        """Print a file. Like real servers, a finished file is printed again when it is started again."""
        with self._command("start", late=name) as state:
            self._must_be_idle(state)
            self._must_have(state, name)
            self._start(state, name)

    def pause(self) -> None:
        """Pause the print; a print that is paused already stays so."""
        with self._command("pause") as state:
            self._must_print(state)
            if state.running_since is not None:
                state.done_s += time.time() - state.running_since
                state.running_since = None
                state.log.append(("pause", state.selected))

    def resume(self) -> None:
        """Go on after a pause."""
        with self._command("resume") as state:
            self._must_print(state)
            if state.running_since is None:
                state.running_since = time.time()
                state.log.append(("resume", state.selected))

    def cancel(self) -> None:
        """Stop the print; it takes a moment."""
        with self._command("cancel") as state:
            self._must_print(state)
            if state.cancelled_at is None:
                state.cancelled_at = time.time()
                state.log.append(("cancel", state.selected))

    def delete(self, name: str) -> None:
        """Delete a file and its history."""
        with self._command("delete") as state:
            if state.printing and state.selected == name:
                raise Refused(say("The printer is printing this file."))
            if state.files.pop(name, None) is not None:
                (self.folder / "files" / name).unlink(missing_ok=True)
                state.log.append(("delete", name))
            if state.selected == name:
                state.selected, state.progress = None, None

    def connect(self) -> None:
        """Connect to the machine again after an error."""
        with self._command("connect") as state:
            state.error, state.offline = None, False
            state.log.append(("connect", None))

    def camera(self) -> str:
        """Return nothing: what it shows is drawn."""
        return ""

    def check(self) -> list[Finding]:
        """Say in words whether the simulated printer works."""
        try:
            reading = self.look()
        except Problem as problem:
            return [Finding(ok=False, sentence=problem.sentence)]
        found = [Finding(ok=True, sentence=say("This printer is simulated: it prints in seconds and makes no parts."))]
        if reading.state in (PrinterState.OFFLINE, PrinterState.ERROR):
            found.append(
                Finding(ok=False, sentence=say("The machine is not connected: {error}", error=reading.error or "–"))
            )
        return found

    # How it works ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _command(self, name: str, *, late: str | None = None) -> Iterator[State]:
        """Open the state for a command, or fail as was asked for."""
        with self._open() as state:
            if state.server_off:
                raise NotSent(say("The printer does not answer at its address."))
            fault = state.faults[name].pop(0) if state.faults.get(name) else None
            if fault is not None:
                state.log.append((f"{name}: {fault}", None))
            if fault in (Fault.UNREACHABLE, Fault.REFUSED, Fault.CUT_BEFORE):
                self._fail(Fault(fault))
            if fault == Fault.LATE and late is not None:
                state.late = (late, time.time() + self.late_s)
                self._fail(Fault.LATE)
            if fault == Fault.RESTARTED:
                self._restart(state)
                self._fail(Fault.RESTARTED)
            if fault == Fault.SILENT:
                yield State(**json.loads(json.dumps(asdict(state))))
                return
            if fault != Fault.SLOW:
                yield state
                if fault == Fault.CUT_AFTER:
                    self._fail(Fault.CUT_AFTER)
                return
        time.sleep(SLOW_S)
        with self._open() as state:
            yield state

    @staticmethod
    def _fail(fault: Fault) -> None:
        if fault == Fault.UNREACHABLE:
            raise NotSent(say("The printer does not answer at its address."))
        if fault == Fault.REFUSED:
            raise Refused(say("The printer refused."))
        raise NobodyKnows(say("The connection to the printer broke before it answered."))

    @contextmanager
    def _open(self) -> Iterator[State]:
        """Lock the printer, let the time pass that has passed, and keep what changed even when the command fails."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state, before = self._now()
            try:
                yield state
            finally:
                log, state.log = state.log, []
                if log:
                    write_journal(self.folder / JOURNAL, log)
                after = json.dumps(asdict(state))
                if after != before:
                    (self.folder / "state.new").write_text(after)
                    (self.folder / "state.new").replace(self.folder / STATE)

    def _now(self) -> tuple[State, str]:
        """Return the state at this moment, and what is written down of it."""
        path = self.folder / STATE
        before = path.read_text() if path.exists() else ""
        state = State(**json.loads(before)) if before else State()
        self._live(state, time.time())
        return state, before

    def _live(self, state: State, now: float) -> None:
        """Let everything happen that has become due by `now`."""
        if state.late is not None and now >= state.late[1]:
            name, state.late = state.late[0], None
            if name in state.files and not state.printing and state.error is None and not state.offline:
                self._start(state, name)
        if not state.printing or state.selected is None:
            return
        done = state.done_s + (now - state.running_since if state.running_since is not None else 0.0)
        state.progress = min(1.0, done / state.duration_s)
        if state.cancelled_at is not None:
            if now - state.cancelled_at >= CANCELLING_S:
                self._end(state, "failures", "stopped")
        elif state.mishap is not None and not state.by_hand and state.progress >= state.mishap_at:
            self._happen(state, Mishap(state.mishap))
        elif state.progress >= 1.0:
            if state.finished_at is None:
                state.finished_at = now
                state.files[state.selected]["successes"] += 1
                state.log.append(("finish", state.selected))
            elif now - state.finished_at >= FINISHING_S:
                state.printing = False

    def _happen(self, state: State, mishap: Mishap) -> None:
        state.mishap = None
        state.progress = state.mishap_at
        if mishap == Mishap.PAUSE:
            state.done_s, state.running_since = state.mishap_at * state.duration_s, None
            state.log.append(("paused by itself", state.selected))
        elif mishap == Mishap.STOP:
            self._end(state, "failures", "stopped at the machine")
        elif mishap == Mishap.POWER_LOSS:
            self._restart(state)
        else:
            self._end(state, "failures", str(mishap))
            state.selected, state.progress = None, None
            state.offline = mishap == Mishap.OFFLINE
            state.error = "Thermal runaway, system stopped!" if mishap == Mishap.ERROR else None

    @staticmethod
    def _restart(state: State) -> None:
        state.log.append(("power loss", state.selected))
        state.printing, state.selected, state.progress = False, None, None

    def _end(self, state: State, counter: str, word: str) -> None:
        assert state.selected is not None
        state.files[state.selected][counter] += 1
        state.printing = False
        state.log.append((word, state.selected))

    def _start(self, state: State, name: str) -> None:
        state.selected = name
        self._begin(state, self._duration_s(self.folder / "files" / name))
        state.log.append(("start", name))

    def _begin(self, state: State, duration_s: float) -> None:
        state.printing, state.by_hand, state.duration_s = True, False, duration_s
        state.done_s, state.running_since, state.progress = 0.0, time.time(), 0.0
        state.cancelled_at = state.finished_at = None

    def _duration_s(self, path: Path) -> float:
        return min(self.most_s, max(self.least_s, print_time_s(path) / self.speed))

    @staticmethod
    def _reading(state: State) -> Reading:
        if state.error is not None:
            return Reading(PrinterState.ERROR, error=state.error)
        if state.offline:
            return Reading(PrinterState.OFFLINE)
        user = "pi" if state.by_hand else "fablab"
        if not state.printing:
            return Reading(PrinterState.READY, state.selected, state.progress)
        if state.cancelled_at is not None:
            return Reading(PrinterState.CANCELLING, state.selected, None, user=user)
        progress = state.progress or 0.0
        left_s = (1 - progress) * state.duration_s
        if state.finished_at is not None:
            return Reading(PrinterState.FINISHING, state.selected, 1.0, state.duration_s, 0.0, user=user)
        what = PrinterState.PAUSED if state.running_since is None else PrinterState.PRINTING
        return Reading(what, state.selected, progress, progress * state.duration_s, left_s, user=user)

    @staticmethod
    def _must_be_idle(state: State) -> None:
        if state.printing:
            raise Refused(say("The printer is printing already."))
        if state.error is not None or state.offline:
            raise Refused(say("The machine is not connected."))

    @staticmethod
    def _must_have(state: State, name: str) -> None:
        if name not in state.files:
            raise Refused(say("The printer has no such file."))

    @staticmethod
    def _must_print(state: State) -> None:
        if not state.printing:
            raise Refused(say("The printer is not printing."))
