"""Slicing one plate, for a job or a draft: take it, slice outside any transaction, record. None is sliced twice."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy.orm import Session

from fablab import db, files
from fablab.billing import services as billing
from fablab.db import utcnow
from fablab.errors import Problem
from fablab.jobs import services as jobs
from fablab.jobs import slices
from fablab.jobs.models import Job, Slice, SliceRequest
from fablab.jobs.slices import PlateToSlice
from fablab.jobs.states import JobState
from fablab.orders.holding import hold
from fablab.orders.models import ModelFile, Order
from fablab.settings import settings
from fablab.slicing.dialect import Fault
from fablab.slicing.slicer import LIMITS, SliceFailed, Slicer, require_slicer, slice_model
from fablab.words import Sentence, say
from workers.keeping import kept

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """A plate that this worker has taken, copied out of the database; `job` is the job it is for, with its token."""

    request_id: int
    token: int
    job: tuple[int, int] | None
    plate: PlateToSlice
    size_mm: tuple[float, float, float]
    slicer: Slicer
    within_s: float

    def __str__(self) -> str:
        return f"job {self.job[0]}" if self.job else f"preview {self.request_id}"


def slice_job(job_id: int) -> None:
    """Slice a job that is to be sliced, and queue it; every failure is recorded in plain words."""
    try:
        with db.transaction() as session:
            work = _take_job(session, job_id, utcnow())
    except Problem as problem:  # no slicer, or a profile that is gone
        with db.transaction() as session:
            _refuse_job(session, job_id, problem.sentence)
        return
    if work is not None:
        _carry_out(work)


def slice_preview() -> None:
    """Slice the plate that a draft has waited for longest, unless a job waits."""
    with db.transaction() as session:
        work = _take_preview(session, utcnow())
    if work is not None:
        _carry_out(work)


def _take_job(session: Session, job_id: int, now: datetime) -> Work | None:
    job = session.get(Job, job_id)
    if job is None or job.state != JobState.TO_SLICE:
        return None
    slicer, plate = require_slicer(), slices.plate_of(job)
    key = plate.key(slicer)
    found = slices.find(session, key)
    request = slices.take_for_job(session, plate, key, now) if found is None else None
    if found is None and request is None:
        return None  # another worker slices the same plate, and asks again when it has it
    taken = jobs.take_for_slicing(session, job_id, now)
    assert taken is not None
    if found is not None:
        _queue_job(session, job_id, taken.token, found)
        return None
    assert request is not None
    return _work(session, request, plate, slicer, (job_id, taken.token))


def _take_preview(session: Session, now: datetime) -> Work | None:
    request = slices.take_next(session, now)
    if request is None:
        return None
    try:
        slicer, plate = require_slicer(), slices.plate_of(request)
        found = slices.find(session, plate.key(slicer))
    except Problem as problem:
        slices.failed(session, request.id, request.token, problem.sentence, Fault.PLACE)
        return None
    if found is not None:
        slices.made(session, request.id, request.token, found)
        return None
    return _work(session, request, plate, slicer, None)


def _work(
    session: Session, request: SliceRequest, plate: PlateToSlice, slicer: Slicer, job: tuple[int, int] | None
) -> Work:
    x, y, z = session.get_one(ModelFile, plate.model_sha256).report["size_mm"]
    within_s = settings().slicing_timeout_s if job else min(settings().preview_timeout_s, settings().slicing_timeout_s)
    return Work(request.id, request.token, job, plate, (x, y, z), slicer, float(within_s))


def _carry_out(work: Work) -> None:
    """Slice what was taken and record what became of it."""
    try:
        with kept(partial(_renew, work=work)):
            made = _slice(work)
    except SliceFailed as failure:
        _record_failure(work, failure.sentence, failure.detail, failure.fault)
    except Problem as problem:
        _record_failure(work, problem.sentence, "", Fault.PLACE)
    except (SoftTimeLimitExceeded, OSError):
        log.exception("%s could not be sliced here; another worker may try", work)
        _give_back(work)
    except Exception:  # the edge of a task: whatever else went wrong must not leave the plate "being prepared"
        log.exception("%s could not be sliced", work)
        _record_failure(work, say("Something went wrong on our side."), "", Fault.PLACE)
    else:
        _record(work, made)


def _renew(session: Session, now: datetime, work: Work) -> bool:
    mine = slices.renew(session, now, work.request_id, work.token)
    return (work.job is None or jobs.renew_slicing(session, now, *work.job)) and mine


def _record(work: Work, made: Slice) -> None:
    with db.transaction() as session:
        kept_slice = slices.keep(session, made)
        if work.job is not None:
            _queue_job(session, *work.job, kept_slice)
        slices.made(session, work.request_id, work.token, kept_slice)


def _queue_job(session: Session, job_id: int, token: int, made: Slice) -> None:
    hold(session, session.get_one(Order, session.get_one(Job, job_id).order_id))
    job = jobs.sliced(session, job_id, token, made)
    if job is not None:
        billing.slice_arrived(session, job)


def _record_failure(work: Work, sentence: Sentence, detail: str, fault: Fault) -> None:
    log.info("%s: %s %s", work, sentence, detail[-300:])
    with db.transaction() as session:
        if work.job is not None:
            jobs.slicing_failed(session, *work.job, sentence, detail)
        slices.failed(session, work.request_id, work.token, sentence, fault)


def _give_back(work: Work) -> None:
    with db.transaction() as session:
        if work.job is not None:
            jobs.give_slicing_back(session, *work.job)
        slices.give_back(session, work.request_id, work.token)


def _refuse_job(session: Session, job_id: int, sentence: Sentence) -> None:
    job = jobs.take_for_slicing(session, job_id, utcnow())
    if job is not None:
        jobs.slicing_failed(session, job_id, job.token, sentence, "")


def _slice(work: Work) -> Slice:
    scratch = settings().data_dir.absolute() / "work"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        model, output = Path(folder) / "model.stl", Path(folder) / "plate.gcode"
        model.symlink_to(files.path_of(work.plate.model_sha256))
        result = slice_model(
            work.slicer,
            model,
            work.plate.settings(),
            work.plate.copies,
            output,
            size_mm=work.size_mm,
            limits=replace(LIMITS, wall_s=work.within_s),
        )
        return Slice(
            key=work.plate.key(work.slicer),
            gcode_sha1=files.sha1_of(output),
            gcode_sha256=files.keep_file(output),
            time_s=result.time_s,
            mass_g=result.mass_g,
            filament_mm=result.filament_mm,
            layers=result.layers,
            curve=list(result.extrusion_curve),
            slicer_version=result.slicer_version,
        )
