"""When what waits will be ready; pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fablab.jobs.forecast import CLEARING, forecast
from fablab.jobs.scheduling import House, LoadedSpool, Place, WaitingJob
from fablab.machines.hours import parse_hours, parse_quiet
from fablab.machines.models import Operation, Plate, Service

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)  # a Tuesday
WHITE = LoadedSpool(1, "PLA", "white", 500.0)
ADA = Place(1, "Ada", "mk3", Operation.READY, Plate.CLEAR, Service.IN_SERVICE, taken=False, spool=WHITE)
BUSY = replace(ADA, operation=Operation.BUSY, time_left_s=3600.0, taken=True, plate=Plate.HELD)
JOB = WaitingJob(1, "mk3", "PLA", None, 20.0, time_s=7200.0)
HOUR = timedelta(hours=1)


def test_jobs_follow_each_other_and_each_plate_is_emptied():
    seen = forecast([JOB, replace(JOB, id=2)], [ADA], NOON, House())
    assert seen.ready == {1: NOON + 2 * HOUR, 2: NOON + 4 * HOUR + CLEARING}
    assert seen.next_start == NOON + 4 * HOUR + 2 * CLEARING


def test_the_machine_that_is_free_first_takes_the_next_job():
    grace = replace(BUSY, id=2, name="Grace")
    seen = forecast([JOB, replace(JOB, id=2)], [ADA, grace], NOON, House())
    assert seen.ready == {1: NOON + 2 * HOUR, 2: NOON + 3 * HOUR + CLEARING}


def test_a_plate_is_emptied_when_somebody_is_there():
    house = House(parse_hours("tue 10:00-12:30\nwed 14:00-18:00"))
    seen = forecast([JOB], [BUSY], NOON, house)
    tomorrow = NOON.replace(day=25, hour=14)
    assert seen.ready == {1: tomorrow + CLEARING + 2 * HOUR}
    assert forecast([JOB], [ADA], NOON, house).ready == {1: tomorrow}


def test_nothing_starts_in_the_quiet_hours():
    seen = forecast([JOB], [ADA], NOON, House(quiet=parse_quiet("11:30-13:00")))
    assert seen.ready == {1: NOON + 3 * HOUR}


def test_nothing_is_said_where_nothing_is_known():
    for place in (
        replace(ADA, operation=Operation.OFFLINE),
        replace(ADA, service=Service.OUT_OF_SERVICE),
        replace(BUSY, time_left_s=None),
    ):
        seen = forecast([JOB], [place], NOON, House())
        assert (seen.ready, seen.next_start) == ({}, None)


def test_a_job_on_hold_or_for_an_absent_machine_is_passed_over():
    jobs = [replace(JOB, held=True), replace(JOB, id=2, only_on=9), replace(JOB, id=3)]
    assert forecast(jobs, [ADA], NOON, House()).ready == {3: NOON + 2 * HOUR}
