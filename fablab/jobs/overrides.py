"""What a volunteer lets pass: a plate starts on a spool that is short, of another colour, or of another material."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab import bus
from fablab.errors import Conflict
from fablab.filament.models import Spool
from fablab.jobs import queries
from fablab.jobs.models import Job, SpoolOverride
from fablab.jobs.moves import write
from fablab.jobs.scheduling import Mismatch, Obstacle, Place, obstacle
from fablab.jobs.states import JobState
from fablab.machines import services as machines
from fablab.machines.models import Machine
from fablab.words import Sentence, say


@dataclass(frozen=True)
class Chance:
    """A machine that could make a plate, and what keeps it from it now; None: nothing."""

    machine: Machine
    spool: Spool | None
    obstacle: Obstacle | None


def chances(session: Session, job: Job, now: datetime) -> list[Chance]:
    """Return the machines of the plate's kind with what is in the way of each."""
    queued = queries.waiting(session, [job])
    if not queued:
        return []
    house = queries.house(session, now)
    return [
        _chance(session, place, obstacle(queued[0], place, house, now))
        for place in queries.places(session)
        if queued[0].may_go_on(place)
    ]


def _chance(session: Session, place: Place, in_the_way: Obstacle | None) -> Chance:
    spool = session.get(Spool, place.spool.spool_id) if place.spool is not None else None
    return Chance(session.get_one(Machine, place.id), spool, in_the_way)


def let_pass(
    session: Session, job: Job, machine_id: int, spool: Spool, mismatch: Mismatch, by_id: int, now: datetime
) -> None:
    """Let a plate start on the spool that is on a machine, although it is short, or of another colour or material.

    Raises `Conflict` when this is not what keeps it from starting any more: the spool was changed, or refilled.
    """
    machines.lock(session, machine_id)
    session.refresh(job)
    if job.state != JobState.QUEUED:
        raise Conflict(say("This print is on a printer already."))
    found = next((each for each in chances(session, job, now) if each.machine.id == machine_id), None)
    if found is None or not _is(found, spool, mismatch):
        if any(each.spool_id == spool.id and each.mismatch == mismatch for each in of_job(session, job.id)):
            return
        raise Conflict(say("Something has changed meanwhile: please look again."))
    assert found.obstacle is not None
    session.add(
        SpoolOverride(
            job_id=job.id,
            spool_id=spool.id,
            mismatch=mismatch,
            person_id=by_id,
            sentence=found.obstacle.sentence,
            at=now,
        )
    )
    session.flush()
    write(session, job, f"let_pass_{mismatch}", by_id=by_id, details={"machine": found.machine.name, "spool": spool.id})
    bus.ask(session, "schedule")


def _is(chance: Chance, spool: Spool, mismatch: Mismatch) -> bool:
    same_spool = chance.spool is not None and chance.spool.id == spool.id
    return same_spool and chance.obstacle is not None and chance.obstacle.mismatch == mismatch


def of_job(session: Session, job_id: int) -> Sequence[SpoolOverride]:
    """Return what volunteers let pass for a plate, oldest first."""
    return session.scalars(select(SpoolOverride).where(SpoolOverride.job_id == job_id).order_by(SpoolOverride.id)).all()


LET_PASS: dict[Mismatch, Sentence] = {
    Mismatch.SHORT: say("Start it although the filament may run short"),
    Mismatch.COLOUR: say("Print it in the colour that is on it"),
    Mismatch.MATERIAL: say("Print it in the material that is on it"),
}
