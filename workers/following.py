"""One printer of the watcher: followed for as long as it can be, visited as soon as something changed."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field

from fablab import vault
from fablab.errors import Problem
from fablab.jobs.dispatch import Heard
from fablab.printers.contract import Failure, PrinterState, Reach, Reading, Sign
from fablab.printers.following import FOLLOWERS
from fablab.settings import settings
from workers.notes import Notes
from workers.printing import Outcome
from workers.visits import Visits

log = logging.getLogger(__name__)

SETTLE_S = 0.1  # signs come in bursts, and history is written with the last of them
SPACING_S = 1.0  # between two visits of one printer: a chatty one costs no more, and two looks mean two moments
POLL_EVERY_S = 3.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
STEADY_S = 30.0  # a connection that lasted so long was a good one
NOTE_EVERY_S = 30.0  # a slow print is noted between its per cents, so that nobody has to look whether it goes on


@dataclass(frozen=True)
class Spot:
    """A machine to follow. `is_absent` is what was last recorded of it, and no part of what it is."""

    machine_id: int
    driver: str
    address: str
    key_sealed: str | None = field(repr=False)
    is_absent: bool = field(compare=False)


@dataclass(frozen=True)
class Shown:
    """What the board shows of a reading: only a change of this is a reason to look."""

    state: PrinterState
    file_name: str | None
    percent: int | None


def shown(reading: Reading) -> Shown:
    """Return what the board shows of a reading."""
    percent = None if reading.progress is None else int(reading.progress * 100)
    return Shown(reading.state, reading.file_name, percent)


def goes_on(before: Shown | None, now: Shown) -> bool:
    """Tell whether a print only went on: that is noted and needs no look."""
    if before is None or before.percent is None or now.percent is None or now.state != PrinterState.PRINTING:
        return False
    return (before.state, before.file_name) == (now.state, now.file_name) and before.percent <= now.percent


def pause_s(failures: int) -> float:
    """Return how long to leave a printer alone after so many failures: twice as long each time, never all together."""
    longest: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(failures - 1, 10))
    return longest * random.uniform(0.75, 1.25)  # noqa: S311 - no secret


class Followed:
    """Follows one machine. Nothing is decided here: a visit looks for itself."""

    def __init__(self, spot: Spot, visits: Visits, notes: Notes) -> None:
        self.spot = spot
        self._visits, self._notes = visits, notes
        self._noted_at = 0.0
        self._changed = asyncio.Event()
        self._nudged = asyncio.Event()
        self._shown: Shown | None = None
        self._failure: Failure | None = None
        self._answers = True
        self._problem = ""

    async def run(self, after_s: float) -> None:
        """Follow and visit, from `after_s` on, until cancelled."""
        await asyncio.sleep(after_s)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._visit_what_changed())

    def recorded(self, spot: Spot) -> None:
        """Take note of what was recorded last: a printer that somebody else has seen again is tried at once."""
        if self.spot.is_absent and not spot.is_absent:
            self._nudged.set()
        self.spot = spot

    async def _follow(self) -> None:
        loop, failures = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            problem = await self._until_it_ends()
            failures = 1 if loop.time() - began > STEADY_S else failures + 1
            if problem != self._problem:
                log.info("machine %s is not followed for a while: %s", self.spot.machine_id, problem)
            if self._answers or problem != self._problem:
                self._changed.set()
            self._problem = problem
            await self._wait(pause_s(failures))

    async def _until_it_ends(self) -> str:
        """Follow the printer for as long as it can be, and say why no longer."""
        self._shown = None
        spot = self.spot
        try:
            key = vault.unseal(spot.key_sealed, f"printer:{spot.machine_id}") if spot.key_sealed else None
            await FOLLOWERS[spot.driver](Reach(spot.address, key, settings().networks()), self._notice)
        except Problem as problem:
            return str(problem)
        return "The connection ended."

    async def _wait(self, seconds: float) -> None:
        """Wait before the next try, unless nudged. A printer that answers, only not so, is polled meanwhile."""
        self._nudged.clear()
        end = asyncio.get_running_loop().time() + seconds
        while (left := end - asyncio.get_running_loop().time()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._nudged.wait(), min(left, POLL_EVERY_S))
                return
            if self._answers:
                self._changed.set()

    def look(self) -> None:
        """Visit as soon as possible."""
        self._changed.set()

    def _notice(self, sign: Sign) -> None:
        self._failure = sign.failure or self._failure
        if sign.reading is None:
            self._changed.set()
            return
        before, self._shown = self._shown, shown(sign.reading)
        if goes_on(before, self._shown):
            self._note(sign.reading, is_new=before != self._shown)
        elif before != self._shown:
            self._changed.set()

    def _note(self, reading: Reading, *, is_new: bool) -> None:
        now = time.monotonic()
        if is_new or now - self._noted_at > NOTE_EVERY_S:
            self._noted_at = now
            progress = reading.progress or 0.0
            self._notes.add(Heard(self.spot.machine_id, reading.file_name, progress, reading.time_left_s))

    async def _visit_what_changed(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(SETTLE_S)
            self._changed.clear()
            outcome = await self._visits.visit(self.spot.machine_id, self._failure)
            if outcome == Outcome.NOT_OURS:
                self._changed.set()
            else:
                self._heard_from(answers=outcome == Outcome.SEEN)
            await asyncio.sleep(SPACING_S)

    def _heard_from(self, *, answers: bool) -> None:
        if answers and not self._answers:
            self._nudged.set()
        self._answers = answers
