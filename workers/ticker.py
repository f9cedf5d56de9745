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
from fablab.invoicing import deposits, done_orders
from fablab.jobs import queries as job_queries
from fablab.jobs import services as jobs
from fablab.jobs import slices
from fablab.jobs.models import Attempt, Job
from fablab.jobs.queries import Standing
from fablab.jobs.states import ON_THE_PRINTER, AttemptState, JobState
from fablab.machines import queries as machine_queries
from fablab.machines.models import Operation
from fablab.notices import outbox
from fablab.notices import queries as notices
from fablab.payments import queries as payments
from workers.lease import WATCHER, WATCHER_LEASE

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=1)
LOOK_EVERY = timedelta(seconds=2)
LOOK_AT_IDLE_EVERY = timedelta(seconds=5)  # each look is a write, and small computers live on SD cards
LOOK_AT_ABSENT_EVERY = timedelta(seconds=15)
# While a watcher follows the printers, these are only for what it misses; far below the absence that holds a plate.
WATCHED_EVERY = timedelta(seconds=60)
WATCHED_ABSENT_EVERY = timedelta(minutes=5)  # a look at a frozen printer keeps a thread for ten seconds
ASK_AGAIN_EVERY = timedelta(seconds=10)
TIDY_EVERY = timedelta(hours=1)
CREDIT_EVERY = timedelta(minutes=1)
CLOSE_EVERY = timedelta(minutes=10)  # a day is closed soon after midnight
REMIND_EVERY = timedelta(minutes=15)
LOOK_AT_PAYMENTS_EVERY = timedelta(minutes=1)
SLICES_ASKED_AT_ONCE = 4


def tick(session: Session, now: datetime) -> None:
    """Ask for what is due now, if this slot is ours."""
    if ticks.take(session, "look", EVERY, now):
        _ask_for_looks(session, now)
        if session.scalar(select(Job.id).where(Job.state == JobState.QUEUED).limit(1)) is not None:
            bus.ask(session, "schedule")
    if ticks.take(session, "again", ASK_AGAIN_EVERY, now):
        jobs.give_up_stale_slicing(session, now)
        slices.give_up_stale(session, now)
        _ask_for_slices(session)
        _ask_for_dispatches(session, now)
        _ask_for_mails(session, now)

    if ticks.take(session, "remind", REMIND_EVERY, now):
        bus.ask(session, "remind")
        bus.ask(session, "remind_overdue")
        bus.ask(session, "attend_quotes")
    if ticks.take(session, "payments", LOOK_AT_PAYMENTS_EVERY, now) and payments.any_unsettled(session):
        bus.ask(session, "look_at_payments")
    if ticks.take(session, "credit", CREDIT_EVERY, now):
        _ask_for_documents(session, now)
    if ticks.take(session, "tidy", TIDY_EVERY, now):
        bus.ask(session, "tidy")
    if ticks.take(session, "close", CLOSE_EVERY, now):
        bus.ask(session, "close_days")


def _ask_for_documents(session: Session, now: datetime) -> None:
    for order_id in deposits.orphans(session):
        bus.ask(session, "credit_deposits", order_id)
    for order_id in done_orders.waiting(session, now):
        bus.ask(session, "invoice_order", order_id)


def _ask_for_looks(session: Session, now: datetime) -> None:
    pause_of = _pause_watched if ticks.is_held(session, WATCHER, WATCHER_LEASE, now) else _pause
    standing = job_queries.standing_on_machines(session)
    for machine in machine_queries.all_in_use(session):
        pause = pause_of(Operation(machine.operation), standing.get(machine.id))
        if machine.looked_at is None or not timedelta(0) <= now - machine.looked_at < pause:
            bus.ask(session, "watch", machine.id)


def _pause(operation: Operation, attempt: Standing | None) -> timedelta:
    """Return how long a look at a machine is good for when nobody follows it."""
    if operation == Operation.OFFLINE:
        return LOOK_AT_ABSENT_EVERY
    taken = attempt is not None or operation in (Operation.BUSY, Operation.PAUSED)
    return LOOK_EVERY if taken else LOOK_AT_IDLE_EVERY


def _pause_watched(operation: Operation, attempt: Standing | None) -> timedelta:
    """Return how long a look is good for while a watcher runs. What only another look can settle does not wait."""
    if operation == Operation.OFFLINE:
        return WATCHED_ABSENT_EVERY
    printing = operation in (Operation.BUSY, Operation.PAUSED)
    if attempt is not None and attempt.state in ON_THE_PRINTER | {AttemptState.UNKNOWN}:
        followed = attempt.state in (AttemptState.PRINTING, AttemptState.PAUSED) and printing
        return WATCHED_EVERY if followed and not attempt.has_wish else LOOK_EVERY
    return WATCHED_EVERY


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


def _ask_for_mails(session: Session, now: datetime) -> None:
    outbox.give_up_stale(session, now)
    for mail_id in notices.due(session, now):
        bus.ask(session, "send_mail", mail_id)


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
