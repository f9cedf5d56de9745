"""Questions about jobs and attempts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from fablab.errors import NotFound
from fablab.filament.queries import SpoolOnShelf, loaded
from fablab.jobs.forecast import forecast
from fablab.jobs.models import Attempt, Job, JobEvent, SpoolOverride
from fablab.jobs.scheduling import House, LoadedSpool, Mismatch, Place, WaitingJob, spools_to_change, why_waiting
from fablab.jobs.states import ENDED_JOBS, LIVE_ATTEMPTS, AttemptState, JobState
from fablab.machines.hours import parse_hours, parse_quiet
from fablab.machines.models import Machine
from fablab.machines.queries import all_in_use, house_rules
from fablab.settings import settings
from fablab.words import Sentence, say


def by_public_id(session: Session, public_id: str) -> Job:
    """Return a job; raises `NotFound`."""
    job = session.scalar(select(Job).where(Job.public_id == public_id))
    if job is None:
        raise NotFound
    return job


def attempt_by_public_id(session: Session, public_id: str) -> Attempt:
    """Return an attempt; raises `NotFound`."""
    attempt = session.scalar(select(Attempt).where(Attempt.public_id == public_id))
    if attempt is None:
        raise NotFound
    return attempt


def of_order(session: Session, order_id: int) -> Sequence[Job]:
    """Return the plates of an order."""
    return session.scalars(select(Job).where(Job.order_id == order_id).order_by(Job.id)).all()


def live_attempts(session: Session) -> Sequence[Attempt]:
    """Return every attempt that is not signed off and may have reached its printer."""
    return session.scalars(select(Attempt).where(Attempt.state.in_(LIVE_ATTEMPTS)).order_by(Attempt.id)).all()


@dataclass(frozen=True)
class Standing:
    """How far the attempt on a machine is, and whether a person wishes something of it."""

    state: AttemptState
    has_wish: bool


def standing_on_machines(session: Session) -> dict[int, Standing]:
    """Return how the attempt on each machine stands that has one; cheap, as it is asked every second."""
    wanted = select(Attempt.machine_id, Attempt.state, Attempt.wish).where(Attempt.state.in_(LIVE_ATTEMPTS))
    rows = session.execute(wanted)
    return {row.machine_id: Standing(AttemptState(row.state), row.wish is not None) for row in rows}


def live_attempt_of(session: Session, job_id: int) -> Attempt | None:
    """Return the attempt a job is on, if any."""
    return session.scalar(select(Attempt).where(Attempt.job_id == job_id, Attempt.state.in_(LIVE_ATTEMPTS)))


def live_attempt_on(session: Session, machine_id: int) -> Attempt | None:
    """Return the attempt that has a machine, if any."""
    return session.scalar(select(Attempt).where(Attempt.machine_id == machine_id, Attempt.state.in_(LIVE_ATTEMPTS)))


def file_asked_before(session: Session, attempt: Attempt) -> str | None:
    """Return the file whose start was last sent to an attempt's machine before it, if any."""
    return session.scalar(
        select(Attempt.file_name)
        .where(Attempt.machine_id == attempt.machine_id, Attempt.id < attempt.id, Attempt.asked_at.is_not(None))
        .order_by(Attempt.id.desc())
        .limit(1)
    )


def attempts_of(session: Session, job_id: int) -> Sequence[Attempt]:
    """Return all tries of a job, newest first."""
    return session.scalars(select(Attempt).where(Attempt.job_id == job_id).order_by(Attempt.id.desc())).all()


def events_of(session: Session, job_id: int) -> Sequence[JobEvent]:
    """Return what happened to a job, oldest first."""
    return session.scalars(select(JobEvent).where(JobEvent.job_id == job_id).order_by(JobEvent.id)).all()


def open_jobs(session: Session) -> Sequence[Job]:
    """Return the jobs that are not ended, in the order of the queue."""
    return session.scalars(select(Job).where(Job.state.not_in(ENDED_JOBS)).order_by(Job.rank, Job.id)).all()


def places(session: Session) -> list[Place]:
    """Return the machines as the queue sees them."""
    spools = loaded(session)
    taken = set(session.scalars(select(Attempt.machine_id).where(Attempt.state.in_(LIVE_ATTEMPTS))))
    return [
        Place(
            id=machine.id,
            name=machine.name,
            profile=machine.profile,
            operation=machine.operation,
            plate=machine.plate,
            service=machine.service,
            taken=machine.id in taken,
            time_left_s=machine.time_left_s,
            spool=_loaded(spools[machine.id]) if machine.id in spools else None,
            circuit=machine.circuit,
            attended=machine.attended,
        )
        for machine in all_in_use(session)
    ]


def _loaded(found: SpoolOnShelf) -> LoadedSpool:
    spool = found.spool
    return LoadedSpool(spool.id, spool.material_code, spool.colour_name, found.remaining_g, spool.owner_id)


def house(session: Session, now: datetime, *, lock: bool = False) -> House:
    """Return the rules of the place and who heats now; `lock` keeps others from starting something meanwhile."""
    rules = house_rules(session, lock=lock)
    begun = Attempt.state.in_((AttemptState.CLAIMED, AttemptState.UPLOADING, AttemptState.STARTING))
    just_begun = Attempt.started_at > now - timedelta(minutes=rules.heating_minutes)
    heats = or_(begun, and_(Attempt.state == AttemptState.PRINTING, just_begun))
    circuits = session.scalars(select(Machine.circuit).join(Attempt, Attempt.machine_id == Machine.id).where(heats))
    return House(
        hours=parse_hours(rules.opening_hours),
        quiet=parse_quiet(rules.quiet_hours),
        heating_at_once=rules.heating_at_once,
        heating=Counter(circuits),
        zone=ZoneInfo(settings().timezone),
    )


def waiting(session: Session, jobs: Sequence[Job]) -> list[WaitingJob]:
    """Return the queued ones of these jobs as the queue sees them."""
    accepted = _accepted(session, [job.id for job in jobs])
    return [
        WaitingJob(
            id=job.id,
            profile=job.machine_profile,
            material=job.material_code,
            colour=job.colour_name,
            mass_g=job.slice.mass_g if job.slice else 0.0,
            time_s=job.slice.time_s if job.slice else 0.0,
            held=job.held,
            not_before=job.not_before,
            requester_id=job.requester_id,
            accepted=accepted.get(job.id, frozenset()),
            only_on=job.only_on_id,
        )
        for job in jobs
        if job.state == JobState.QUEUED
    ]


def _accepted(session: Session, job_ids: Sequence[int]) -> Mapping[int, frozenset[tuple[int, Mismatch]]]:
    """Return what volunteers let pass of spools, by job, since the job's last try was signed off."""
    tried = select(func.max(Attempt.signed_off_at)).where(Attempt.job_id == SpoolOverride.job_id).scalar_subquery()
    query = select(SpoolOverride).where(
        SpoolOverride.job_id.in_(job_ids), or_(tried.is_(None), SpoolOverride.at > tried)
    )
    found: dict[int, frozenset[tuple[int, Mismatch]]] = {}
    for each in session.scalars(query):
        found[each.job_id] = found.get(each.job_id, frozenset()) | {(each.spool_id, Mismatch(each.mismatch))}
    return found


@dataclass(frozen=True)
class Pace:
    """How long prints really take on a machine: `factor` is real over computed time, the median of `prints` of them."""

    factor: float
    prints: int

    @property
    def percent(self) -> int:
        """How many percent longer than computed; negative: shorter."""
        return round(100 * (self.factor - 1))


FEWEST_FOR_A_PACE, MOST_FOR_A_PACE = 3, 50
AHEAD = 1_000_000  # ranks; more jobs than a place ever has
OUT_OF_PACE = 2.0
"""A print that took twice, or half, the time was paused, or not a print at all: it says nothing about the machine."""


def paces(session: Session) -> dict[int, Pace]:
    """Return by the machine's id how its last good prints compare with what the slicer computed for them."""
    ended = select(Attempt).where(
        Attempt.good_copies > 0,
        Attempt.started_at.is_not(None),
        Attempt.ended_at.is_not(None),
        Attempt.reason.is_(None),
    )
    found: dict[int, list[float]] = {}
    for attempt in session.scalars(ended.order_by(Attempt.id.desc()).limit(20 * MOST_FOR_A_PACE)):
        assert attempt.started_at is not None
        assert attempt.ended_at is not None
        factor = (attempt.ended_at - attempt.started_at).total_seconds() / max(attempt.slice.time_s, 1.0)
        factors = found.setdefault(attempt.machine_id, [])
        if 1 / OUT_OF_PACE < factor < OUT_OF_PACE and len(factors) < MOST_FOR_A_PACE:
            factors.append(factor)
    return {
        machine: Pace(median(factors), len(factors))
        for machine, factors in found.items()
        if len(factors) >= FEWEST_FOR_A_PACE
    }


@dataclass(frozen=True)
class QueueLine:
    """One line of the queue: a job, in words why it is not printing, and about when it can be off the plate."""

    job: Job
    position: int
    why: Sentence
    ready: datetime | None = None


@dataclass(frozen=True)
class Outlook:
    """The queue at a moment: its lines, where only a spool is missing, and when something new could start.

    `unforeseen` counts the plates that nothing can be said of yet, as they are still being prepared.
    """

    lines: Sequence[QueueLine]
    spools_to_change: Sequence[tuple[WaitingJob, Place]]
    next_start: datetime | None
    unforeseen: int


def queue(session: Session, now: datetime) -> list[QueueLine]:
    """Return what waits, in order, each with its reason."""
    return list(outlook(session, now).lines)


def outlook(session: Session, now: datetime) -> Outlook:
    """Look at the whole queue once."""
    jobs = [job for job in open_jobs(session) if job.state in _WAITS]
    queued, there, rules = waiting(session, jobs), places(session), house(session, now)
    ahead = forecast(queued, there, now, rules)
    reasons = why_waiting(queued, there, now, rules)
    why = {each.id: reason for each, reason in zip(queued, reasons, strict=True)}
    lines = [
        QueueLine(job, position, why.get(job.id) or _not_queued_yet(job), ahead.ready.get(job.id))
        for position, job in enumerate(jobs, start=1)
    ]
    unforeseen = sum(job.state in (JobState.TO_SLICE, JobState.SLICING) for job in jobs)
    return Outlook(lines, spools_to_change(queued, there, now, rules), ahead.next_start, unforeseen)


_WAITS = frozenset(
    {JobState.TO_SLICE, JobState.SLICING, JobState.SLICE_FAILED, JobState.WAITING_CONFIRMATION, JobState.QUEUED}
)


def _not_queued_yet(job: Job) -> Sentence:
    if job.state == JobState.SLICE_FAILED:
        return job.problem or say("It cannot be prepared for printing.")
    if job.state == JobState.WAITING_CONFIRMATION:
        return say("The price is higher than what was confirmed; the member has to say yes again.")
    return say("It is being prepared for printing.")


def plates_of_orders(session: Session, order_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Return for each plate of these orders (by its id) which one of how many it is, if there are several."""
    found = session.execute(select(Job.order_id, Job.id).where(Job.order_id.in_(order_ids)).order_by(Job.id))
    plates: dict[int, list[int]] = {}
    for order_id, job_id in found:
        plates.setdefault(order_id, []).append(job_id)
    return {
        job_id: (number, len(ids)) for ids in plates.values() if len(ids) > 1 for number, job_id in enumerate(ids, 1)
    }


def last_rank(session: Session) -> int:
    """Return the rank of the last job in the queue."""
    return session.scalar(select(func.max(Job.rank))) or 0


def new_rank(session: Session, *, urgent: bool) -> int:
    """Return the rank of a new job: behind all others; of an urgent one, behind the urgent ones before it.

    What volunteers move to the front after that stays in front of it, and what they move to the end at the end.
    """
    return max(last_rank(session), 0) + 1 - (AHEAD if urgent else 0)


def first_rank(session: Session) -> int:
    """Return the rank of the first job that is not ended."""
    return session.scalar(select(func.min(Job.rank)).where(Job.state.not_in(ENDED_JOBS))) or 0
