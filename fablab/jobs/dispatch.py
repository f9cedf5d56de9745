"""Claim, act, record: the rows before and after each word with a printer. The talking itself is in `workers`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Float, bindparam, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fablab import bus
from fablab.filament.models import Spool
from fablab.jobs import queries, scheduling
from fablab.jobs.judging import Judgement
from fablab.jobs.models import Attempt, Job, Wish
from fablab.jobs.moves import move_attempt, move_job, write
from fablab.jobs.scheduling import Place, WaitingJob, assign
from fablab.jobs.states import AttemptState, JobState
from fablab.machines.models import Machine, MachineEvent, Operation, Plate, Service
from fablab.machines.services import ABSENCE, WAS_AWAY
from fablab.settings import settings
from fablab.words import Sentence, say


class Then(Enum):
    """What is done about a job whose start did not work."""

    TRY_AGAIN = auto()
    SLICE_AGAIN = auto()
    ASK_A_PERSON = auto()


def schedule(session: Session, now: datetime) -> list[Attempt]:
    """Claim a machine for every queued job that may start now, and ask workers to dispatch the new attempts."""
    rules = queries.house(session, now, lock=True)
    jobs = [job for job in queries.open_jobs(session) if job.state == JobState.QUEUED and job.slice_id is not None]
    chosen = assign(queries.waiting(session, jobs), queries.places(session), now, rules)
    claimed = []
    for waiting, place in chosen:
        attempt = _claim(session, waiting, place, now)
        if attempt is not None:
            claimed.append(attempt)
            bus.ask(session, "dispatch", attempt.id)
    return claimed


def _claim(session: Session, waiting: WaitingJob, place: Place, now: datetime) -> Attempt | None:
    """Take one job and one machine together, or neither: whoever comes second gets nothing."""
    try:
        with session.begin_nested():
            return _take(session, waiting, place, now)
    except IntegrityError:
        return None


def _take(session: Session, waiting: WaitingJob, place: Place, now: datetime) -> Attempt | None:
    job = session.get(Job, waiting.id)
    assert job is not None
    assert job.slice_id is not None
    assert place.spool is not None
    got_machine = session.execute(
        update(Machine)
        .where(
            Machine.id == place.id,
            Machine.plate == Plate.CLEAR,
            Machine.operation == Operation.READY,
            Machine.service == Service.IN_SERVICE,
            or_(Machine.seen_at.is_(None), Machine.seen_at > now - ABSENCE),
        )
        .values(plate=Plate.HELD)
        .execution_options(synchronize_session=False)
    ).rowcount  # type: ignore[attr-defined]
    got_job = session.execute(
        update(Job)
        .where(
            Job.id == job.id,
            Job.state == JobState.QUEUED,
            Job.held.is_(False),
            or_(Job.only_on_id.is_(None), Job.only_on_id == place.id),
        )
        .values(state=JobState.ASSIGNED, token=Job.token + 1)
        .execution_options(synchronize_session=False)
    ).rowcount  # type: ignore[attr-defined]
    on_it = select(Spool.id).where(Spool.id == place.spool.spool_id, Spool.machine_id == place.id)
    if not (got_machine and got_job and session.scalar(on_it)):
        raise IntegrityError("claimed by somebody else", None, Exception())
    session.refresh(job)
    attempt = Attempt(
        job_id=job.id,
        machine_id=place.id,
        spool_id=place.spool.spool_id,
        slice_id=job.slice_id,
        copies=job.missing_copies,
        file_name=f"fl-{job.id}-{job.token}-{secrets.token_hex(4)}.gcode",
        claimed_at=now,
    )
    session.add(attempt)
    session.flush()
    write(session, job, "job_assigned", attempt=attempt, details={"machine": place.name, "file": attempt.file_name})
    return attempt


def sending(session: Session, attempt: Attempt) -> None:
    """Note that the file is being sent."""
    if attempt.state == AttemptState.CLAIMED:
        move_attempt(session, attempt, AttemptState.UPLOADING)


def about_to_start(session: Session, attempt: Attempt, now: datetime) -> None:
    """Write down that the start will be sent now. Only the worker whose swap succeeds may send it, once."""
    move_attempt(session, attempt, AttemptState.STARTING, asked_at=now, details={"file": attempt.file_name})


def count_from_now(session: Session, attempt: Attempt, now: datetime) -> None:
    """Let the margin of a start begin now when it was written by a clock that was ahead."""
    if attempt.asked_at is not None and attempt.asked_at > now:
        session.execute(update(Attempt).where(Attempt.id == attempt.id).values(asked_at=now))
        session.refresh(attempt)


def never_started(
    session: Session, attempt: Attempt, problem: Sentence, now: datetime, then: Then = Then.TRY_AGAIN
) -> None:
    """Put a job back that provably was not started: its plate is as clear as before. Tries are few, with pauses.

    A plate that was out of sight meanwhile stays held.
    """
    job, cancelled = attempt.job, attempt.wish == Wish.CANCEL
    move_attempt(session, attempt, AttemptState.START_FAILED, problem=problem, ended_at=now, details=problem.to_json())
    session.execute(
        update(Machine)
        .where(Machine.id == attempt.machine_id, Machine.foreign_file.is_(None), ~_away_since(attempt))
        .values(plate=Plate.CLEAR)
    )
    if cancelled:
        move_job(session, job, JobState.CANCELLED, by_id=attempt.wish_by_id)
        return
    failures = job.failed_starts + 1
    too_many = then == Then.ASK_A_PERSON or failures >= settings().start_tries
    slice_again = then == Then.SLICE_AGAIN and not too_many
    pauses = scheduling.RETRY_PAUSES
    pause = pauses[min(failures, len(pauses)) - 1]
    move_job(
        session,
        job,
        JobState.TO_SLICE if slice_again else JobState.QUEUED,
        failed_starts=failures,
        held=job.held or too_many,
        not_before=None if slice_again else now + pause,
        problem=problem,
    )
    if slice_again:
        bus.ask(session, "slice", job.id)


def _away_since(attempt: Attempt) -> ColumnElement[bool]:
    """Whether the attempt's machine was out of sight for long since it was claimed."""
    return exists().where(
        MachineEvent.machine_id == attempt.machine_id,
        MachineEvent.kind == WAS_AWAY,
        MachineEvent.at >= attempt.claimed_at,
    )


def record(
    session: Session, attempt: Attempt, judgement: Judgement, evidence: Mapping[str, Any], now: datetime
) -> None:
    """Write down what became of an attempt. Nothing happens when it is known already."""
    act = {
        Judgement.PRINTING: _printing,
        Judgement.PAUSED: _paused,
        Judgement.FINISHED: _finished,
        Judgement.STOPPED: _stopped,
        Judgement.LOST: _lost,
        Judgement.UNKNOWN: _unknown,
    }.get(judgement)
    if act is not None:
        act(session, attempt, dict(evidence), now)


def _printing(session: Session, attempt: Attempt, evidence: dict[str, Any], now: datetime) -> None:
    if attempt.state != AttemptState.PRINTING:
        started = attempt.started_at or now
        move_attempt(session, attempt, AttemptState.PRINTING, started_at=started, details=evidence)
    _job_follows(session, attempt.job, JobState.PRINTING)
    _wish_done(session, attempt, Wish.RESUME)


def _paused(session: Session, attempt: Attempt, evidence: dict[str, Any], now: datetime) -> None:
    if attempt.state in (AttemptState.STARTING, AttemptState.UNKNOWN):
        _printing(session, attempt, evidence, now)
    if attempt.state != AttemptState.PAUSED:
        move_attempt(session, attempt, AttemptState.PAUSED, details=evidence)
    _wish_done(session, attempt, Wish.PAUSE)


def _finished(session: Session, attempt: Attempt, evidence: dict[str, Any], now: datetime) -> None:
    _ended(session, attempt, AttemptState.FINISHED_UNVERIFIED, evidence, now, None)


def _stopped(session: Session, attempt: Attempt, evidence: dict[str, Any], now: datetime) -> None:
    error = evidence.get("error")
    words = say("The printer stopped it: {error}", error=error) if error else say("The print was stopped.")
    _ended(session, attempt, AttemptState.STOPPED_UNVERIFIED, evidence, now, words)


def _lost(session: Session, attempt: Attempt, evidence: dict[str, Any], now: datetime) -> None:
    words = say("The printer's server was restarted in the middle of the print.")
    _ended(session, attempt, AttemptState.STOPPED_UNVERIFIED, evidence, now, words)


def _unknown(session: Session, attempt: Attempt, evidence: dict[str, Any], now: datetime) -> None:
    if attempt.state != AttemptState.STARTING:
        return
    words = say("The connection broke while it was being started: nobody knows whether something was printed.")
    move_attempt(session, attempt, AttemptState.UNKNOWN, problem=words, ended_at=now, details=evidence)
    _job_follows(session, attempt.job, JobState.AWAITING_SIGNOFF)


def _ended(
    session: Session,
    attempt: Attempt,
    state: AttemptState,
    evidence: dict[str, Any],
    now: datetime,
    problem: Sentence | None,
) -> None:
    if attempt.state == state:
        return
    values: dict[str, Any] = {"problem": problem, "ended_at": now, "wish": None}
    if state == AttemptState.FINISHED_UNVERIFIED:
        values["progress"] = 1.0
    move_attempt(session, attempt, state, started_at=attempt.started_at or attempt.asked_at, details=evidence, **values)
    _job_follows(session, attempt.job, JobState.AWAITING_SIGNOFF)


def _job_follows(session: Session, job: Job, state: JobState) -> None:
    if job.state != state:
        move_job(session, job, state)


def _wish_done(session: Session, attempt: Attempt, wish: Wish) -> None:
    if attempt.wish == wish:
        session.execute(update(Attempt).where(Attempt.id == attempt.id).values(wish=None))
        session.refresh(attempt)


def follow_progress(session: Session, attempt: Attempt, progress: float | None, time_left_s: float | None) -> None:
    """Keep how far a running attempt is; it never goes back, and each per cent is told once."""
    if progress is None or attempt.state not in (AttemptState.PRINTING, AttemptState.PAUSED):
        return
    before = attempt.progress or 0.0
    session.execute(
        update(Attempt).where(Attempt.id == attempt.id).values(progress=max(before, progress), time_left_s=time_left_s)
    )
    session.refresh(attempt)
    if int(before * 100) != int(max(before, progress) * 100):
        bus.tell(session, "board", f"order-{attempt.job.order_id}")


@dataclass(frozen=True)
class Heard:
    """How far a machine said by itself that it is with a file."""

    machine_id: int
    file_name: str | None
    progress: float
    time_left_s: float | None


def note_progress(session: Session, heard: Sequence[Heard], now: datetime) -> set[int]:
    """Keep how far running attempts are, as was heard and not looked at. It decides nothing.

    Return the machines of which it is no news of a running attempt of ours: they have to be looked at.
    """
    running = (
        select(Attempt.id, Attempt.machine_id, Attempt.file_name, Job.order_id)
        .join(Job, Attempt.job_id == Job.id)
        .join(Machine, Attempt.machine_id == Machine.id)
        .where(Attempt.machine_id.in_([each.machine_id for each in heard]), Attempt.state == AttemptState.PRINTING)
        .where(Machine.operation == Operation.BUSY, Machine.foreign_file.is_(None), Attempt.wish.is_(None))
    )
    known = {(row.machine_id, row.file_name): row for row in session.execute(running)}
    news = [each for each in heard if (each.machine_id, each.file_name) in known]
    if news:
        rows = [known[each.machine_id, each.file_name] for each in news]
        _write_progress(session, list(zip(news, [row.id for row in rows], strict=True)), now)
        bus.tell(session, "board", *{f"order-{row.order_id}" for row in rows})
    return {each.machine_id for each in heard} - {each.machine_id for each in news}


def _write_progress(session: Session, news: Sequence[tuple[Heard, int]], now: datetime) -> None:
    """Write news of attempts, in two statements for all of them together; a progress never goes back."""
    values = [
        {
            "of_machine": each.machine_id,
            "of_attempt": attempt_id,
            "progress": each.progress,
            "time_left_s": each.time_left_s,
            "seen_at": now,
            "looked_at": now,
        }
        for each, attempt_id in news
    ]
    further = or_(Attempt.progress.is_(None), Attempt.progress <= bindparam("progress", type_=Float))
    running = (Attempt.id == bindparam("of_attempt"), Attempt.state == AttemptState.PRINTING, further)
    busy = (Machine.id == bindparam("of_machine"), Machine.operation == Operation.BUSY)
    connection = session.connection()  # not the session: it would write them one by one
    connection.execute(update(Attempt).where(*running).values(_given("progress", "time_left_s")), values)
    seen = _given("progress", "time_left_s", "seen_at", "looked_at")
    connection.execute(update(Machine).where(*busy).values(seen), values)


def _given(*names: str) -> dict[str, BindParameter[Any]]:
    return {name: bindparam(name) for name in names}
