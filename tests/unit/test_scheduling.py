"""Which job goes where, and why a job waits; pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fablab.jobs.scheduling import LoadedSpool, Place, WaitingJob, assign, why_waiting
from fablab.machines.models import Operation, Plate, Service

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WHITE = LoadedSpool(1, "PLA", "white", 500.0)
ADA = Place(1, "Ada", "mk3", Operation.READY, Plate.CLEAR, Service.IN_SERVICE, taken=False, spool=WHITE)
JOB = WaitingJob(1, "mk3", "PLA", None, 20.0)


def why(job=JOB, place=ADA, ahead=()):
    return str(why_waiting(job, ahead, [place], NOW))


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (replace(ADA, operation=Operation.OFFLINE), "Ada is offline"),
        (replace(ADA, operation=Operation.ERROR), "reports an error"),
        (replace(ADA, operation=Operation.BUSY, time_left_s=600), "for about 10 min more"),
        (replace(ADA, operation=Operation.PAUSED), "is paused"),
        (replace(ADA, service=Service.OUT_OF_SERVICE), "is in service"),
        (replace(ADA, profile="ender3"), "is in service"),
        (replace(ADA, spool=None), "has no spool"),
        (replace(ADA, spool=replace(WHITE, material="PETG")), "has PETG on it, not PLA"),
        (replace(ADA, spool=replace(WHITE, remaining_g=21.0)), "has 21.0 g left, and 22.6 g are needed"),
        (replace(ADA, plate=Plate.HELD), "plate of Ada is empty"),
        (replace(ADA, taken=True), "has to be checked first"),
    ],
)
def test_every_obstacle_is_said_in_words_and_stops_the_start(place, words):
    assert words in why(place=place)
    assert assign([JOB], [place], NOW) == []


def test_a_job_of_another_colour_waits_for_it():
    red = replace(JOB, colour="red")
    assert "has the colour white on it, not red" in why(red)
    assert assign([red], [ADA], NOW) == []


def test_a_held_job_and_one_between_tries_are_passed_over():
    held = replace(JOB, held=True)
    later = replace(JOB, id=2, not_before=NOW + timedelta(minutes=1))
    assert "On hold" in why(held)
    assert "next try is in 1 min" in why(later)
    assert [job.id for job, _ in assign([held, later, replace(JOB, id=3)], [ADA], NOW)] == [3]


def test_the_one_behind_says_that_others_come_first():
    assert why(replace(JOB, id=2), ahead=[JOB]) == "Other plates come first: 1."
    assert why() == "It starts in a moment."


def test_a_plate_that_is_nearly_free_is_named_rather_than_a_printer_that_is_off():
    broken = replace(ADA, id=2, name="Grace", operation=Operation.OFFLINE)
    held = replace(ADA, plate=Plate.HELD)
    assert "plate of Ada" in str(why_waiting(JOB, [], [broken, held], NOW))


places = st.builds(
    Place,
    id=st.integers(1, 5),
    name=st.just("P"),
    profile=st.sampled_from(["mk3", "ender3"]),
    operation=st.sampled_from(Operation),
    plate=st.sampled_from(Plate),
    service=st.sampled_from(Service),
    taken=st.booleans(),
    spool=st.none()
    | st.builds(LoadedSpool, st.integers(1, 9), st.sampled_from(["PLA", "PETG"]), st.just("white"), st.floats(0, 100)),
)
waiting = st.builds(
    WaitingJob,
    id=st.integers(1, 9),
    profile=st.sampled_from(["mk3", "ender3"]),
    material=st.sampled_from(["PLA", "PETG"]),
    colour=st.sampled_from([None, "white", "red"]),
    mass_g=st.floats(0.1, 120),
    held=st.booleans(),
)


@given(jobs=st.lists(waiting, unique_by=lambda job: job.id), machines=st.lists(places, unique_by=lambda each: each.id))
def test_nothing_ever_goes_to_a_plate_that_is_not_clear(jobs, machines):
    chosen = assign(jobs, machines, NOW)
    assert len({job.id for job, _ in chosen}) == len({place.id for _, place in chosen}) == len(chosen)
    for job, place in chosen:
        assert (place.plate, place.operation, place.taken) == (Plate.CLEAR, Operation.READY, False)
        assert place.service == Service.IN_SERVICE
        assert place.profile == job.profile
        assert place.spool is not None
        assert place.spool.material == job.material
        assert place.spool.remaining_g >= job.mass_g
        assert not job.held


@given(
    jobs=st.lists(waiting, min_size=1, unique_by=lambda job: job.id),
    machines=st.lists(places, unique_by=lambda each: each.id),
)
def test_every_waiting_job_can_say_why(jobs, machines):
    assert str(why_waiting(jobs[-1], jobs[:-1], machines, NOW))
