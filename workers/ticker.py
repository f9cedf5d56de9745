"""The ticker: asks again for whatever is due. Any number may run; each slot of the clock goes to one of them.

It is why a lost message costs seconds and not a job: what is due is a row in the database, not a message.
"""

from __future__ import annotations

import logging
import signal
import threading
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from fablab import bus, db, ticks
from fablab.db import utcnow
from fablab.jobs import queries as job_queries
from fablab.jobs import services as jobs
from fablab.jobs import slices
from fablab.jobs.models import Attempt, Job
from fablab.jobs.states import AttemptState, JobState
from fablab.machines import queries as machine_queries
from fablab.machines.models import Machine, Operation

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=1)
LOOK_EVERY = timedelta(seconds=2)
LOOK_AT_IDLE_EVERY = timedelta(seconds=5)  # each look is a write, and small computers live on SD cards
LOOK_AT_ABSENT_EVERY = timedelta(seconds=15)
ASK_AGAIN_EVERY = timedelta(seconds=10)
TIDY_EVERY = timedelta(hours=1)
SLICES_ASKED_AT_ONCE = 4


def tick(session: Session, now: datetime) -> None:
    """Ask for what is due now, if this slot is ours."""
    if ticks.take(session, "look", EVERY, now):
        taken = {attempt.machine_id for attempt in job_queries.live_attempts(session)}
        for machine in machine_queries.all_in_use(session):
            if _look_is_due(machine, now, taken=machine.id in taken):
                bus.ask(session, "watch", machine.id)
        if session.scalar(select(Job.id).where(Job.state == JobState.QUEUED).limit(1)) is not None:
            bus.ask(session, "schedule")
    if ticks.take(session, "again", ASK_AGAIN_EVERY, now):
        jobs.give_up_stale_slicing(session, now)
        slices.give_up_stale(session, now)
        _ask_for_slices(session)
        _ask_for_dispatches(session, now)

    if ticks.take(session, "tidy", TIDY_EVERY, now):
        bus.ask(session, "tidy")


def _look_is_due(machine: Machine, now: datetime, *, taken: bool) -> bool:
    if machine.operation == Operation.OFFLINE:
        pause = LOOK_AT_ABSENT_EVERY
    elif taken or machine.operation in (Operation.BUSY, Operation.PAUSED):
        pause = LOOK_EVERY
    else:
        pause = LOOK_AT_IDLE_EVERY
    return machine.looked_at is None or not timedelta(0) <= now - machine.looked_at < pause


def _ask_for_slices(session: Session) -> None:
    waiting = select(Job.id).where(Job.state == JobState.TO_SLICE).order_by(Job.rank).limit(SLICES_ASKED_AT_ONCE)
    for job_id in session.scalars(waiting):
        bus.ask(session, "slice", job_id)
    slices.ask_for_waiting(session)


def _ask_for_dispatches(session: Session, now: datetime) -> None:
    waiting = select(Attempt.id).where(
        Attempt.state.in_((AttemptState.CLAIMED, AttemptState.UPLOADING)), Attempt.claimed_at < now - ASK_AGAIN_EVERY
    )
    for attempt_id in session.scalars(waiting):
        bus.ask(session, "dispatch", attempt_id)


def run() -> None:
    """Tick until the process is told to stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    beat(stop)


def beat(stop: threading.Event) -> None:
    """Tick twice a second until `stop` is set; a database that is away for a while is waited for."""
    while not stop.is_set():
        try:
            with db.transaction() as session:
                tick(session, utcnow())
        except SQLAlchemyError:
            log.exception("a tick failed; the next one tries again")
            stop.wait(2)
        stop.wait(0.5)
