"""The watcher: one process that follows all printers and lets each be visited as soon as it changes.

It only notices. Attempts are judged by the visit, under the printer's lease, and without a watcher the ticker asks for
the same visits, later. So it may die, hang or be there twice: all that is lost is seconds.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from fablab import db
from fablab.machines.models import Machine, Operation, Service
from fablab.printers.following import FOLLOWERS
from workers import lease
from workers.following import Followed, Spot
from workers.notes import WRITE_EVERY_S, Notes
from workers.visits import Visits

log = logging.getLogger(__name__)

ROSTER_EVERY_S = 2.0
SPREAD_S = 0.03  # between the first connections to two printers: no herd, and a hundred within three seconds


def roster() -> list[Spot]:
    """Return every machine that can be followed, as it is now."""
    wanted = select(Machine.id, Machine.driver, Machine.address, Machine.key_sealed, Machine.operation).where(
        Machine.service != Service.RETIRED, Machine.driver.in_(FOLLOWERS)
    )
    with db.reading() as session:
        return [Spot(*row[:4], is_absent=row.operation == Operation.OFFLINE) for row in session.execute(wanted)]


class Watcher:
    """Follows the printers while it holds the watcher's lease, and waits for it otherwise."""

    def __init__(self, visits: Visits) -> None:
        self._visits = visits
        self._followed: dict[int, tuple[Followed, asyncio.Task[None]]] = {}
        self._until: datetime | None = None
        self._desk = ThreadPoolExecutor(1, thread_name_prefix="desk")
        self._notes = Notes(self._desk)

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop` is set."""
        attended_at = float("-inf")
        try:
            while not stop.is_set():
                now = asyncio.get_running_loop().time()
                if now - attended_at >= ROSTER_EVERY_S:
                    attended_at = now
                    await self._attend()
                await self._write_notes()
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), WRITE_EVERY_S)
        finally:
            ending = [task for _, task in self._followed.values()]
            self._follow([])
            await asyncio.gather(*ending, return_exceptions=True)
            self._visits.close()
            await self._give_back()

    async def _write_notes(self) -> None:
        for machine_id in await self._notes.write():
            if machine_id in self._followed:
                self._followed[machine_id][0].look()

    async def _attend(self) -> None:
        """Keep the lease and take over what changed among the machines; a database that is away is waited for."""
        loop = asyncio.get_running_loop()
        try:
            self._until = await loop.run_in_executor(self._desk, lease.keep, self._until)
            spots = await loop.run_in_executor(self._desk, roster) if self._until is not None else []
        except SQLAlchemyError as error:
            log.warning("the database does not answer: %s", error)
            return
        self._follow(spots)

    def _follow(self, spots: Sequence[Spot]) -> None:
        """Follow exactly these machines, each as it is now."""
        wanted = {spot.machine_id: spot for spot in spots}
        for machine_id, (followed, task) in list(self._followed.items()):
            if task.done() or wanted.get(machine_id) != followed.spot:
                self._leave(machine_id)
        new = [spot for spot in spots if spot.machine_id not in self._followed]
        for place, spot in enumerate(new):
            followed = Followed(spot, self._visits, self._notes)
            task = asyncio.create_task(followed.run(after_s=place * SPREAD_S))
            self._followed[spot.machine_id] = (followed, task)
        for spot in spots:
            self._followed[spot.machine_id][0].recorded(spot)

    def _leave(self, machine_id: int) -> None:
        _, task = self._followed.pop(machine_id)
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            log.error("following machine %s failed; it begins anew", machine_id, exc_info=error)
        task.cancel()

    async def _give_back(self) -> None:
        if self._until is not None:
            with suppress(SQLAlchemyError):
                await asyncio.get_running_loop().run_in_executor(self._desk, lease.give_back, self._until)
        self._desk.shutdown(wait=False)


async def watch() -> None:
    """Follow the printers until the process is told to stop."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Watcher(Visits()).run(stop)


def run() -> None:
    """Watch until the process is told to stop."""
    gc.freeze()  # what was loaded stays: it need not be searched again whenever frames have left their rubbish
    asyncio.run(watch())
