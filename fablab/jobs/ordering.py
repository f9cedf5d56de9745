"""The order of the queue as people make it: to the front, to the end, and for one machine only."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from fablab import bus
from fablab.errors import Conflict, Invalid
from fablab.jobs import queries
from fablab.jobs.models import Job
from fablab.jobs.moves import write
from fablab.jobs.states import BEFORE_THE_PRINTER
from fablab.machines.models import Machine, Service
from fablab.words import say


def to_front(session: Session, job: Job, by_id: int) -> None:
    """Move a waiting job to the front of the queue. Raises `Conflict` when a printer has it."""
    _change(session, job, rank=queries.first_rank(session) - 1)
    write(session, job, "to_front", by_id=by_id)


def to_end(session: Session, job: Job, by_id: int) -> None:
    """Move a waiting job to the end of the queue. Raises `Conflict` when a printer has it."""
    _change(session, job, rank=queries.last_rank(session) + 1)
    write(session, job, "to_end", by_id=by_id)


def choose_machine(session: Session, job: Job, machine: Machine | None, by_id: int) -> None:
    """Let a waiting job start on this machine only, or on any that fits (None).

    Raises `Conflict` when a printer has it, `Invalid` for a machine that it was not prepared for or that is not used.
    """
    if machine is not None and machine.service == Service.RETIRED:
        raise Invalid(say("{machine} is not used any more.", machine=machine.name), field="machine")
    if machine is not None and machine.profile != job.machine_profile:
        words = say("{machine} is another kind of printer than the plate was prepared for.", machine=machine.name)
        raise Invalid(words, field="machine")
    _change(session, job, only_on_id=machine.id if machine else None)
    write(session, job, "machine_chosen", by_id=by_id, details={"machine": machine.name if machine else None})


def _change(session: Session, job: Job, **values: Any) -> None:
    """Change a job that no printer has, even when one takes it at the same moment."""
    session.flush()
    changed = session.execute(
        update(Job)
        .where(Job.id == job.id, Job.state.in_(BEFORE_THE_PRINTER))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(say("This print is on a printer already."))
    session.refresh(job)
    bus.ask(session, "schedule")
