"""The whole system as real processes: it prints, survives what is killed, and leaves nothing behind."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from fablab import bus, db, leases
from fablab.billing import ledger, offering
from fablab.billing import services as billing
from fablab.billing.offers import Check
from fablab.db import utcnow
from fablab.jobs import queries as jobs
from fablab.jobs.models import Attempt, Job
from fablab.jobs.signoff import Verdict
from fablab.jobs.states import AttemptState
from fablab.machines.models import Machine
from fablab.orders.models import Order
from fablab.printers.simulated import SimulatedPrinter
from fablab.slicing.slicer import find_slicer
from tests.conftest import environment
from tests.people import draft_cube, order_cube, small_place, wanted
from tests.running import FABLAB, system
from tests.waiting import wait_until

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.timeout(300)]


@pytest.fixture
def running(tmp_path):
    """A running place with its cast, and this process looking at the same database."""
    if find_slicer() is None:
        pytest.skip("PrusaSlicer is not installed: the package prusa-slicer")
    data = tmp_path / "data"
    with environment(data_dir=str(data)):
        from fablab import migrating

        data.mkdir()
        migrating.migrate()
        with bus.using(bus.SilentTransport()), db.transaction() as session:
            cast = small_place(session)
        with system(data, orderly=True) as started:
            yield started, cast


def draft(cast):
    """A draft of a cube whose price is to be checked; tells how far that is."""
    with bus.using(bus.SilentTransport()), db.transaction() as session:
        made = draft_cube(session, cast.alice)
        offering.ask_check(session, made, {made.line.id: wanted()}, utcnow())

    def check():
        with db.reading() as session:
            return offering.offer_for(session, made, wanted()).check

    return check


@pytest.fixture
def slow_slicer(tmp_path, monkeypatch):
    """The real slicer behind a door that stays shut as long as the file this gives is there."""
    real = find_slicer()
    if real is None:
        pytest.skip("PrusaSlicer is not installed: the package prusa-slicer")
    door, program = tmp_path / "tool" / "shut", tmp_path / "tool" / "slicer"
    program.parent.mkdir()
    door.touch()
    program.write_text(f'#!/bin/sh\n[ "$1" != --help ] && [ -e {door} ] && exec sleep 1000\nexec {real.program} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("FABLAB_SLICER", str(program))
    return door


def running_slicers():
    """The stand-ins that sleep in the folder of a slice."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line, home = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if line.startswith(b"sleep\x001000") and b"HOME=/tmp/slice-" in home:
            found.append(int(folder.name))
    return found


def alive(number):
    return Path(f"/proc/{number}").exists()


def test_a_draft_whose_worker_is_killed_is_checked_by_another(slow_slicer, running):
    started, cast = running
    check = draft(cast)
    sleeping = wait_until(running_slicers, 40)
    for number in started.named("celery", "slicing"):
        os.kill(number, signal.SIGKILL)
    wait_until(lambda: not any(map(alive, sleeping)), 10)
    assert check() == Check.RUNNING
    slow_slicer.unlink()
    wait_until(lambda: check() == Check.DONE, leases.LEASE.total_seconds() + 30)


def attempt_of(job_id):
    with db.reading() as session:
        return session.query(Attempt).filter_by(job_id=job_id).order_by(Attempt.id.desc()).first()


def ended(job_id):
    attempt = attempt_of(job_id)
    return attempt is not None and attempt.state == AttemptState.FINISHED_UNVERIFIED and attempt


def sign_off(cast, attempt):
    with db.transaction() as session:
        billing.sign_off(session, session.get(Attempt, attempt.id), Verdict(attempt.copies), cast.bob)


def order(cast):
    with db.transaction() as session:
        made = order_cube(session, cast.alice)
        return made, jobs.of_order(session, made.id)[0]


def starts(cast):
    return [line["name"] for line in SimulatedPrinter(cast.ada.address).journal() if line["what"] == "start"]


def test_an_order_is_sliced_printed_and_charged_by_real_processes(running):
    _, cast = running
    made, job = order(cast)
    attempt = wait_until(lambda: ended(job.id), 60)
    sign_off(cast, attempt)
    with db.reading() as session:
        assert session.get(Order, made.id).state == "ready"
        assert (
            "PrusaSlicer" in session.get(Job, job.id).slice.slicer_version or session.get(Job, job.id).slice.layers > 50
        )
        assert ledger.charged_cents(session, made.id) == made.price_cents
    assert len(starts(cast)) == 1


def test_killed_workers_ticker_broker_and_web_come_back_and_every_job_is_printed_once(running):
    started, cast = running
    for victim in (
        ["celery", "printing"],
        ["celery", "slicing"],
        ["redis-server"],
        ["valkey-server"],
        ["fablab.cli", "ticker"],
        ["fablab.cli", "watcher"],
        ["gunicorn"],
    ):
        killed = started.named(*victim)
        _, job = order(cast)
        for number in killed:
            os.kill(number, signal.SIGKILL)
        attempt = wait_until(lambda job=job: ended(job.id), 90)
        sign_off(cast, attempt)
    wait_until(started.ready, 40)
    assert len(starts(cast)) == len(set(starts(cast))) == 7


def test_a_killed_supervisor_leaves_no_process_behind(running):
    started, _ = running
    assert len(started.members()) >= 6
    started.process.kill()
    started.process.wait(5)
    wait_until(lambda: not started.members(), 15)


def test_a_stop_is_orderly_and_leaves_no_process_behind(running):
    started, _ = running
    started.process.send_signal(signal.SIGINT)
    assert started.process.wait(40) == 0
    assert started.members() == []


def test_a_second_start_in_the_same_folder_is_refused_in_words(running):
    started, _ = running
    second = subprocess.run(
        [FABLAB, "up", "--port", "1"],
        env={**os.environ, "FABLAB_DATA_DIR": str(started.data_dir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 2
    assert "already running" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_plate_that_is_not_cleared_keeps_the_next_job_waiting(running):
    _, cast = running
    first, second = order(cast), order(cast)
    attempt = wait_until(lambda: ended(first[1].id), 60)
    wait_until(lambda: attempt_of(second[1].id) is None and state(second[1]) == "queued", 60)
    with db.reading() as session:
        assert session.get(Machine, cast.ada.id).plate == "held"
    assert len(starts(cast)) == 1
    sign_off(cast, attempt)
    wait_until(lambda: ended(second[1].id), 60)


def state(job):
    with db.reading() as session:
        return session.get(Job, job.id).state


def test_doctor_says_one_sentence_about_each_part(running):
    started, _ = running
    answer = subprocess.run(
        [FABLAB, "doctor"],
        env={**os.environ, "FABLAB_DATA_DIR": str(started.data_dir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout
    for word in ("database", "broker", "slicer", "Ada", "GB", "clock"):
        assert word in answer.stdout
