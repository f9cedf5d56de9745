"""Workers that check the prices of drafts with the real PrusaSlicer: once, after the jobs, and never in anybody's way."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from sqlalchemy import func, select

from fablab import db, files, leases
from fablab.billing import offering
from fablab.billing import services as billing
from fablab.billing.offers import Check
from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.jobs import queries as jobs
from fablab.jobs import slices
from fablab.jobs.models import Job, Slice
from fablab.jobs.states import JobState
from fablab.orders import services as orders
from fablab.orders.intake import Part
from fablab.settings import settings
from fablab.slicing.measure import measure
from fablab.slicing.slicer import find_slicer
from fablab.slicing.stl import write_stl
from tests.people import draft_cube, order_cube, small_place, wanted
from tests.workers.test_ticker import tick
from workers import slicing


@pytest.fixture
def cast(place):
    if find_slicer() is None:
        pytest.skip("PrusaSlicer is not installed: the package prusa-slicer")
    with db.transaction() as session:
        return small_place(session, cents=20_000)


def ask(order, choices=None):
    with db.transaction() as session:
        offering.ask_check(session, order, {order.line.id: choices or wanted()}, utcnow())


def draft(person, choices=None):
    """A draft of the sample cube whose price is to be checked."""
    with db.transaction() as session:
        order = draft_cube(session, person)
    ask(order, choices)
    return order


def draft_of(person, shape, folder):
    """A draft of a drawn part."""
    path = write_stl(folder / "part.stl", np.asarray(shape.triangles, dtype=float))
    report, features = measure(path, path.name)
    with path.open("rb") as stream, files.receiving(stream, 10_000_000) as incoming, db.transaction() as session:
        order = orders.start(session, person.id, incoming, Part(incoming.sha256, incoming.size, report, []), path.name)
        features.save(files.beside(incoming.sha256, "npz"))
        return order


def offer(order, choices=None):
    with db.reading() as session:
        return offering.offer_for(session, order, choices or wanted())


def confirm(order, person, cents, choices=None):
    with db.transaction() as session:
        billing.confirm(session, session.merge(order, load=True), {order.line.id: choices or wanted()}, cents, person)
        return jobs.of_order(session, order.id)[0]


def count_slices():
    with db.reading() as session:
        return session.scalar(select(func.count(Slice.id)))


def state(job):
    with db.reading() as session:
        return session.get(Job, job.id).state


def test_a_draft_is_checked_and_its_job_is_printed_from_the_same_slice(cast, recorder):
    order = draft(cast.alice)
    assert ("preview", ()) in recorder.asked
    assert offer(order).check == Check.RUNNING
    recorder.told.clear()
    slicing.slice_preview()
    assert f"order-{order.id}" in recorder.told
    shown = offer(order)
    assert shown.check == Check.DONE
    assert shown.quote.mass_g == pytest.approx(shown.estimate.mass_g, rel=0.15)
    job = confirm(order, cast.alice, shown.quote.price.total_cents)
    assert (job.state, count_slices()) == (JobState.QUEUED, 1)
    assert job.slice.mass_g == shown.quote.mass_g
    assert ("schedule", ()) in recorder.asked
    slicing.slice_job(job.id)
    assert count_slices() == 1


def test_who_confirms_early_gets_the_slice_the_draft_had_asked_for(cast, recorder):
    order = draft(cast.alice)
    job = confirm(order, cast.alice, offer(order).quote.price.total_cents)
    assert job.state == JobState.TO_SLICE
    slicing.slice_job(job.id)
    slicing.slice_preview()
    assert (state(job), count_slices()) == (JobState.QUEUED, 1)


def test_a_job_waits_for_the_worker_that_slices_the_same_plate_and_is_asked_for_then(cast, recorder):
    order = draft(cast.alice)
    with db.transaction() as session:
        work = slicing._take_preview(session, utcnow())
    job = confirm(order, cast.alice, offer(order).quote.price.total_cents)
    slicing.slice_job(job.id)
    assert (state(job), count_slices()) == (JobState.TO_SLICE, 0)
    recorder.asked.clear()
    slicing._carry_out(work)
    assert ("slice", (job.id,)) in recorder.asked
    slicing.slice_job(job.id)
    assert (state(job), count_slices()) == (JobState.QUEUED, 1)


def test_jobs_go_before_drafts_and_drafts_are_asked_for_after_them(cast, recorder):
    waiting = draft(cast.alice, wanted(2))
    with db.transaction() as session:
        job = jobs.of_order(session, order_cube(session, cast.charlie).id)[0]
    slicing.slice_preview()
    assert count_slices() == 0
    recorder.asked.clear()
    slicing.slice_job(job.id)
    assert ("preview", ()) in recorder.asked
    slicing.slice_preview()
    assert offer(waiting, wanted(2)).check == Check.DONE


def test_a_draft_that_is_sliced_for_a_job_is_done_as_well(cast, recorder):
    order = draft(cast.alice)
    with db.transaction() as session:
        job = jobs.of_order(session, order_cube(session, cast.charlie).id)[0]
    slicing.slice_job(job.id)
    assert f"order-{order.id}" in recorder.told
    assert (offer(order).check, count_slices()) == (Check.DONE, 1)


def test_a_part_that_cannot_be_printed_is_told_before_it_is_paid(cast, tmp_path):
    top = trimesh.creation.cone(radius=8, height=15)
    top.apply_transform(trimesh.transformations.rotation_matrix(np.pi, [1, 0, 0]))
    order = draft_of(cast.alice, top, tmp_path)
    ask(order)
    slicing.slice_preview()
    refused = offer(order)
    assert refused.check == Check.REFUSED
    assert "Nothing touches the build plate" in str(refused.problem)
    with pytest.raises(Conflict, match="Nothing touches"):
        confirm(order, cast.alice, refused.quote.price.total_cents)


def test_a_slow_check_ends_early_and_keeps_nobody_from_ordering(cast, tmp_path, monkeypatch):
    program = tmp_path / "slow-slicer"
    program.write_text('#!/bin/sh\n[ "$1" = --help ] && echo PrusaSlicer-2.9.0 && exit 0\nexec sleep 100\n')
    program.chmod(0o755)
    monkeypatch.setenv("FABLAB_SLICER", str(program))
    monkeypatch.setenv("FABLAB_PREVIEW_TIMEOUT_S", "5")
    settings.cache_clear()
    order = draft(cast.alice)
    slicing.slice_preview()
    shown = offer(order)
    assert shown.check == Check.UNKNOWN
    assert confirm(order, cast.alice, shown.quote.price.total_cents).state == JobState.TO_SLICE


def test_a_profile_that_is_gone_fails_the_job_in_words(cast):
    with db.transaction() as session:
        job = jobs.of_order(session, order_cube(session, cast.alice).id)[0]
        job.machine_profile = "gone"
    slicing.slice_job(job.id)
    with db.reading() as session:
        failed = session.get(Job, job.id)
    assert failed.state == JobState.SLICE_FAILED
    assert "gone" in str(failed.problem)


def test_the_ticker_asks_again_for_what_drafts_wait_for(cast, recorder):
    draft(cast.alice)
    assert ("preview", ()) in tick(recorder, utcnow())
    slicing.slice_preview()
    assert ("preview", ()) not in tick(recorder, utcnow() + leases.LEASE)


def test_the_ticker_takes_a_plate_from_a_worker_that_is_gone(cast, recorder):
    order = draft(cast.alice)
    with db.transaction() as session:
        slices.take_next(session, utcnow())
    assert ("preview", ()) in tick(recorder, utcnow() + leases.LEASE * 2)
    slicing.slice_preview()
    assert offer(order).check == Check.DONE


def test_the_ticker_lets_old_slices_be_cleared_away(cast, recorder):
    assert ("tidy", ()) in tick(recorder, utcnow())
    assert ("tidy", ()) not in tick(recorder, utcnow() + leases.LEASE)
