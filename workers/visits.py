"""The watcher's visits: a few at once, in threads of its own, and a slow one keeps nobody waiting.

They do not go over the broker: a message would cost as much as the visit, and a frozen printer keeps one of the few
threads of a worker for ten seconds, in front of starts that wait behind it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from fablab.printers.contract import Failure
from workers import printing
from workers.printing import Outcome

log = logging.getLogger(__name__)

AT_ONCE = 4
SLOW_AFTER_S = 1.0
MOST_THREADS = 64  # made only when they are needed: for so many frozen printers at the same moment

Watch = Callable[[int, Failure | None], Outcome]


class Visits:
    """Makes visits, each in a thread. One that takes longer than `SLOW_AFTER_S` gives its place to the next."""

    def __init__(self, watch: Watch = printing.watch) -> None:
        self._watch = watch
        self._pool = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="visit")
        self._places = asyncio.Semaphore(AT_ONCE)

    async def visit(self, machine_id: int, failure: Failure | None) -> Outcome:
        """Visit a machine when there is a place, and tell how it went."""
        loop = asyncio.get_running_loop()
        async with self._places:
            going = loop.run_in_executor(self._pool, self._safely, machine_id, failure)
            await asyncio.wait({going}, timeout=SLOW_AFTER_S)
        return await going

    def _safely(self, machine_id: int, failure: Failure | None) -> Outcome:
        try:
            return self._watch(machine_id, failure)
        except Exception:  # one visit's edge: the database was away, or a mistake of ours; the next visit tries again
            log.exception("the visit of machine %s failed", machine_id)
            return Outcome.NOT_OURS

    def close(self) -> None:
        """Begin no more visits; one that waits for a frozen printer ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)
