"""What can be done with jobs: make them, slice them, queue them, hold, cancel and sign them off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from fablab import bus, leases
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.filament import movements
from fablab.jobs import queries, signoff
from fablab.jobs.models import Attempt, Job, Slice, Wish
from fablab.jobs.moves import move_attempt, move_job, write
from fablab.jobs.spools import proposed_mg
from fablab.jobs.states import BEFORE_THE_PRINTER, NEEDS_SIGNOFF, ON_THE_PRINTER, AttemptState, JobState
from fablab.machines import services as machine_services
from fablab.machines.models import Operation
from fablab.words import Grams, Sentence, say

MOST_USED, SPARE_G = 1.5, 20.0
"""A person may say that a plate took up to so many times what the slicer said, and so much more for purging."""


@dataclass(frozen=True)
class NewJob:
    """What a plate is to be made of."""

    order_id: int
    line_id: int
    requester_id: int
    model_sha256: str
    title: str
    copies: int
    machine_profile: str
    material_code: str
    colour_name: str | None
    quality: str
    infill_percent: int
    supports: bool
    urgent: bool = False


def create(session: Session, wanted: NewJob, made: Slice | None = None) -> Job:
    """Put a new plate at the end of the queue, or of its urgent ones: to be printed when it was sliced before."""
    state = JobState.TO_SLICE if made is None else JobState.QUEUED
    rank = queries.new_rank(session, urgent=wanted.urgent)
    job = Job(**vars(wanted), rank=rank, state=state, slice_id=made.id if made else None)
    session.add(job)
    session.flush()
    write(session, job, "job_created", by_id=wanted.requester_id, details={"slice": made.id} if made else None)
    if made is None:
        bus.ask(session, "slice", job.id)
    else:
        bus.ask(session, "schedule")
    return job


def take_for_slicing(session: Session, job_id: int, now: datetime) -> Job | None:
    """Take a job for slicing, or return None when it is not (or no longer) to be sliced."""
    job = session.get(Job, job_id)
    if job is None or job.state != JobState.TO_SLICE:
        return None
    move_job(
        session,
        job,
        JobState.SLICING,
        token=Job.token + 1,
        lease_until=now + leases.LEASE,
        problem=None,
        problem_detail=None,
    )
    return job


def renew_slicing(session: Session, now: datetime, job_id: int, token: int) -> bool:
    """Lengthen the lease of a worker that still slices a job; tell whether it was still its own."""
    mine = (Job.id == job_id, Job.token == token, Job.state == JobState.SLICING, ~leases.over(Job.lease_until, now))
    return bool(session.execute(update(Job).where(*mine).values(lease_until=now + leases.LEASE)).rowcount)  # type: ignore[attr-defined]


def _still_slicing(session: Session, job_id: int, token: int) -> Job | None:
    """Return the job if this worker's lease is the newest: a late worker's answer is refused."""
    job = session.get(Job, job_id)
    return job if job is not None and job.state == JobState.SLICING and job.token == token else None


def sliced(session: Session, job_id: int, token: int, made: Slice) -> Job | None:
    """Queue a job with its slice; returns None when the lease was lost or the job cancelled meanwhile."""
    job = _still_slicing(session, job_id, token)
    if job is None:
        return None
    move_job(session, job, JobState.QUEUED, slice_id=made.id, lease_until=None)
    session.refresh(job)
    bus.ask(session, "schedule")
    return job


def slicing_failed(session: Session, job_id: int, token: int, problem: Sentence, detail: str) -> Job | None:
    """Note that a job cannot be sliced, with the slicer's reason in plain words."""
    job = _still_slicing(session, job_id, token)
    if job is not None:
        move_job(session, job, JobState.SLICE_FAILED, problem=problem, problem_detail=detail[-4000:], lease_until=None)
    return job


def give_slicing_back(session: Session, job_id: int, token: int) -> None:
    """Let another worker slice this job, because this one has to stop."""
    job = _still_slicing(session, job_id, token)
    if job is not None:
        move_job(session, job, JobState.TO_SLICE, lease_until=None)


def slice_again(session: Session, job: Job, by_id: int) -> None:
    """Try a failed slice once more."""
    move_job(session, job, JobState.TO_SLICE, by_id=by_id, problem=None, problem_detail=None)
    bus.ask(session, "slice", job.id)


def give_up_stale_slicing(session: Session, now: datetime) -> None:
    """Put jobs back whose slicing worker has not been heard of within its lease."""
    stale = session.scalars(select(Job).where(Job.state == JobState.SLICING, leases.over(Job.lease_until, now))).all()
    for job in stale:
        move_job(session, job, JobState.TO_SLICE, lease_until=None)
        bus.ask(session, "slice", job.id)


def wait_for_confirmation(session: Session, job: Job) -> None:
    """Keep a sliced job off the printers until its price was confirmed again."""
    move_job(session, job, JobState.WAITING_CONFIRMATION)


def confirmed_again(session: Session, job: Job, by_id: int) -> None:
    """Queue a job whose new price was confirmed."""
    move_job(session, job, JobState.QUEUED, by_id=by_id)
    bus.ask(session, "schedule")


def hold(session: Session, job: Job, by_id: int, *, held: bool) -> None:
    """Keep a waiting job off the printers, or release it."""
    if job.state not in BEFORE_THE_PRINTER:
        raise Conflict(say("This print is on a printer already: pause or cancel it there."))
    session.execute(update(Job).where(Job.id == job.id).values(held=held, not_before=None, failed_starts=0))
    session.refresh(job)
    write(session, job, "held" if held else "released", by_id=by_id)
    bus.ask(session, "schedule")


def cancel(session: Session, job: Job, by_id: int) -> None:
    """Cancel a job that no printer has yet. Raises `Conflict` when a printer has it."""
    if job.state not in BEFORE_THE_PRINTER:
        raise Conflict(say("This print has started: only a volunteer can stop it now."))
    move_job(session, job, JobState.CANCELLED, by_id=by_id)


def ask_printer(session: Session, attempt: Attempt, wish: Wish, by_id: int) -> None:
    """Ask for a pause, its end, or a stop. The wish stands until the printer has done it."""
    if attempt.state not in ON_THE_PRINTER | {AttemptState.CLAIMED, AttemptState.UPLOADING}:
        raise Conflict(say("This print has ended already."))
    session.execute(update(Attempt).where(Attempt.id == attempt.id).values(wish=wish, wish_by_id=by_id))
    session.refresh(attempt)
    write(session, attempt.job, f"asked_to_{wish}", attempt=attempt, by_id=by_id)
    if attempt.state in ON_THE_PRINTER:
        bus.ask(session, "watch", attempt.machine_id)
    else:
        bus.ask(session, "dispatch", attempt.id)


def give_up_contact(session: Session, attempt: Attempt, by_id: int) -> None:
    """Let a person decide about a print whose printer does not answer any more, so that nothing is held for ever.

    If the printer comes back and is still printing it, the attempt goes on.
    """
    if attempt.state not in ON_THE_PRINTER or attempt.machine.operation not in (Operation.OFFLINE, Operation.ERROR):
        raise Conflict(say("The printer answers: wait for the end of the print, or stop it."))
    words = say("The printer does not answer any more: look at the plate and say what happened.")
    move_attempt(session, attempt, AttemptState.UNKNOWN, by_id=by_id, problem=words, ended_at=utcnow(), wish=None)
    if attempt.job.state != JobState.AWAITING_SIGNOFF:
        move_job(session, attempt.job, JobState.AWAITING_SIGNOFF, by_id=by_id)


def sign_off(session: Session, attempt: Attempt, verdict: signoff.Verdict, by_id: int) -> signoff.Consequence:
    """Record a person's verdict on a plate: book the filament, free the printer, end the job or make the rest again.

    Raises `Conflict` when the attempt is not waiting for a verdict (two volunteers pressed at once), or may still start
    by itself, and `Invalid` when the verdict makes no sense.
    """
    if attempt.state not in NEEDS_SIGNOFF:
        raise Conflict(say("This plate has been checked already, or is not finished yet."))
    result = signoff.consequence(attempt.copies, verdict)
    if result.remake and _may_still_start(attempt):
        raise Conflict(say("The printer may still start this print by itself: wait a few seconds, then try again."))
    job, taken_mg = attempt.job, used_mg(attempt, verdict)
    movements.consume(session, attempt.spool_id, attempt.id, taken_mg, by_id)
    move_attempt(
        session,
        attempt,
        AttemptState.SIGNED_OFF,
        by_id=by_id,
        details={"good": verdict.good, "reason": verdict.reason, "used_mg": taken_mg},
        good_copies=verdict.good,
        reason=verdict.reason,
        signed_off_at=utcnow(),
        signed_off_by_id=by_id,
        wish=None,
    )
    if verdict.plate_cleared:
        machine_services.clear_plate(session, attempt.machine_id, by_id)
    else:
        machine_services.hold_plate(session, attempt.machine_id, by_id)
    good = job.good_copies + verdict.good
    if result.remake:
        _make_again(session, job, good, by_id, sliced_for=attempt.copies)
    else:
        move_job(session, job, JobState.DONE if good else JobState.CANCELLED, by_id=by_id, good_copies=good)
    return result


def _may_still_start(attempt: Attempt) -> bool:
    """Tell whether a start of which nobody knows may still reach a printer that is ready and has its file.

    Made again somewhere else, it would be printed twice. The next look takes the file away; a printer that does not
    answer starts nothing.
    """
    nobody_knows = attempt.state == AttemptState.UNKNOWN and attempt.started_at is None
    return nobody_knows and attempt.fenced_at is None and attempt.machine.operation == Operation.READY


def clear_plate(session: Session, machine_id: int, by_id: int) -> None:
    """Note that a person has seen a plate empty. Raises `Conflict` while a print on it is not checked.

    The machine is locked first: one that is just being claimed is not cleared under the new print.
    """
    machine_services.lock(session, machine_id)
    if queries.live_attempt_on(session, machine_id) is not None:
        raise Conflict(say("The print on this plate has to be checked first."))
    machine_services.clear_plate(session, machine_id, by_id)


def used_mg(attempt: Attempt, verdict: signoff.Verdict) -> int:
    """Return the filament a plate took, by a verdict or else by how far it was. Raises `Invalid` for too much."""
    if verdict.used_g is None:
        return 0 if verdict.reason == signoff.Reason.NOT_STARTED else proposed_mg(attempt)
    most = attempt.slice.mass_g * MOST_USED + SPARE_G
    if not 0 <= verdict.used_g <= most:
        raise Invalid(say("This plate takes between 0 g and {most}.", most=Grams(most)), field="used_g")
    return round(verdict.used_g * 1000)


def _make_again(session: Session, job: Job, good: int, by_id: int, sliced_for: int) -> None:
    """Send what is missing to the front of the queue; fewer copies than before need a slice of their own."""
    missing = job.copies - good
    values: dict[str, Any] = {
        "good_copies": good,
        "rank": queries.first_rank(session) - 1,
        "free_of_charge": True,
        "not_before": None,
    }
    if missing == sliced_for:
        move_job(session, job, JobState.QUEUED, by_id=by_id, **values)
        bus.ask(session, "schedule")
    else:
        move_job(session, job, JobState.TO_SLICE, by_id=by_id, slice_id=None, **values)
        bus.ask(session, "slice", job.id)
