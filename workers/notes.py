"""The watcher's notes: how far prints are, written down once a second for all printers together.

A visit for each per cent of each printer was most of what the watcher cost; a progress decides nothing and needs none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import SQLAlchemyError

from fablab import db
from fablab.db import utcnow
from fablab.jobs import dispatch
from fablab.jobs.dispatch import Heard

log = logging.getLogger(__name__)

WRITE_EVERY_S = 0.5


def write(heard: Sequence[Heard]) -> set[int]:
    """Write notes down; return the machines that have to be looked at instead."""
    try:
        with db.transaction() as session:
            return dispatch.note_progress(session, heard, utcnow())
    except SQLAlchemyError as error:
        log.warning("the database does not answer: %s", error)
        return set()


class Notes:
    """Collects what was heard of each machine last, until it is written down."""

    def __init__(self, desk: ThreadPoolExecutor) -> None:
        self._desk = desk
        self._heard: dict[int, Heard] = {}

    def add(self, heard: Heard) -> None:
        """Note how far a machine is."""
        self._heard[heard.machine_id] = heard

    async def write(self) -> set[int]:
        """Write down what was noted, if anything; return the machines that have to be looked at instead."""
        heard, self._heard = list(self._heard.values()), {}
        if not heard:
            return set()
        return await asyncio.get_running_loop().run_in_executor(self._desk, write, heard)
