"""Slicing one job: take it, slice outside any transaction, record. A slice that exists already is used again."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from celery.exceptions import SoftTimeLimitExceeded

from fablab import db, files
from fablab.billing import services as billing
from fablab.db import utcnow
from fablab.errors import Problem
from fablab.jobs import services as jobs
from fablab.jobs.models import Job, Slice
from fablab.orders.models import ModelFile
from fablab.settings import settings
from fablab.slicing.choices import Choices, Quality
from fablab.slicing.profiles import Settings
from fablab.slicing.profiles import settings as profile_settings
from fablab.slicing.slicer import LIMITS, SliceFailed, require_slicer, slice_model
from fablab.words import say
from workers.keeping import kept

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """What has to be sliced, copied out of the database."""

    job_id: int
    token: int
    model_sha256: str
    size_mm: tuple[float, float, float]
    copies: int
    settings: Settings
    key: str


def slice_job(job_id: int) -> None:
    """Slice a job that is to be sliced, and queue it; every failure is recorded in plain words."""
    work = _take(job_id)
    if work is None:
        return
    try:
        with kept(partial(jobs.renew_slicing, job_id=work.job_id, token=work.token)):
            made = _find(work.key) or _slice(work)
    except SliceFailed as failure:
        with db.transaction() as session:
            jobs.slicing_failed(session, work.job_id, work.token, failure.sentence, failure.detail)
        return
    except Problem as problem:
        with db.transaction() as session:
            jobs.slicing_failed(session, work.job_id, work.token, problem.sentence, "")
        return
    except (SoftTimeLimitExceeded, OSError):
        log.exception("job %s could not be sliced here; another worker may try", work.job_id)
        with db.transaction() as session:
            jobs.give_slicing_back(session, work.job_id, work.token)
        return
    except Exception:  # the edge of a task: whatever else went wrong must not leave the job "being prepared"
        log.exception("job %s could not be sliced", work.job_id)
        with db.transaction() as session:
            jobs.slicing_failed(session, work.job_id, work.token, say("Something went wrong on our side."), "")
        return
    with db.transaction() as session:
        job = jobs.sliced(session, work.job_id, work.token, jobs.keep_slice(session, made))
        if job is not None:
            billing.slice_arrived(session, job)


def _take(job_id: int) -> Work | None:
    with db.transaction() as session:
        job = jobs.take_for_slicing(session, job_id, utcnow())
        return _work(job, session.get_one(ModelFile, job.model_sha256)) if job is not None else None


def _work(job: Job, model: ModelFile) -> Work:
    choices = Choices(job.material_code, Quality(job.quality), job.infill_percent, job.supports)
    resolved = profile_settings(job.machine_profile, choices)
    x, y, z = model.report["size_mm"]
    text = f"{job.model_sha256} {resolved.hash} {job.missing_copies}"
    key = hashlib.sha256(text.encode()).hexdigest()
    return Work(job.id, job.token, job.model_sha256, (x, y, z), job.missing_copies, resolved, key)


def _find(key: str) -> Slice | None:
    with db.reading() as session:
        found = jobs.find_slice(session, key)
    return found if found is not None and files.path_of(found.gcode_sha256).exists() else None


def _slice(work: Work) -> Slice:
    slicer = require_slicer()
    scratch = settings().data_dir.absolute() / "work"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        model, output = Path(folder) / "model.stl", Path(folder) / "plate.gcode"
        model.symlink_to(files.path_of(work.model_sha256))
        limits = replace(LIMITS, wall_s=float(settings().slicing_timeout_s))
        result = slice_model(slicer, model, work.settings, work.copies, output, size_mm=work.size_mm, limits=limits)
        return Slice(
            key=work.key,
            gcode_sha1=files.sha1_of(output),
            gcode_sha256=files.keep_file(output),
            time_s=result.time_s,
            mass_g=result.mass_g,
            filament_mm=result.filament_mm,
            layers=result.layers,
            curve=list(result.extrusion_curve),
            slicer_version=result.slicer_version,
        )
