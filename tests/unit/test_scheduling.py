"""Which job goes where, and why a job waits; pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fablab.jobs.scheduling import House, LoadedSpool, Place, WaitingJob, assign, why_waiting
from fablab.machines.hours import Hours, parse_hours, parse_quiet
from fablab.machines.models import Operation, Plate, Service

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WHITE = LoadedSpool(1, "PLA", "white", 500.0)
ADA = Place(1, "Ada", "mk3", Operation.READY, Plate.CLEAR, Service.IN_SERVICE, taken=False, spool=WHITE)
JOB = WaitingJob(1, "mk3", "PLA", None, 20.0)


HOUSE = House()


def why(job=JOB, place=ADA, ahead=(), house=HOUSE, now=NOW):
    return str(why_waiting([*ahead, job], [place], now, house)[-1])


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
    assert assign([JOB], [place], NOW, HOUSE) == []


def test_a_job_of_another_colour_waits_for_it():
    red = replace(JOB, colour="red")
    assert "has the colour white on it, not red" in why(red)
    assert assign([red], [ADA], NOW, HOUSE) == []


def test_a_held_job_and_one_between_tries_are_passed_over():
    held = replace(JOB, held=True)
    later = replace(JOB, id=2, not_before=NOW + timedelta(minutes=1))
    assert "On hold" in why(held)
    assert "next try is in 1 min" in why(later)
    assert [job.id for job, _ in assign([held, later, replace(JOB, id=3)], [ADA], NOW, HOUSE)] == [3]


def test_a_pause_written_by_a_clock_that_was_ahead_holds_nothing_up():
    assert "next try" not in why(replace(JOB, not_before=NOW + timedelta(hours=1)))


def test_the_one_behind_says_that_others_come_first():
    assert why(replace(JOB, id=2), ahead=[JOB]) == "Other plates come first: 1."
    assert why() == "It starts in a moment."


def test_nothing_starts_in_the_quiet_hours():
    house = replace(HOUSE, quiet=parse_quiet("22:00-7:00"), zone=ZoneInfo("Europe/Paris"))
    late = NOW.replace(hour=21, minute=30)
    assert why(house=house, now=late) == "Nothing starts in the quiet hours, until 07:00."
    assert assign([JOB], [ADA], late, house) == []
    assert assign([JOB], [ADA], NOW, house)


def test_an_attended_printer_starts_only_what_ends_while_somebody_is_here():
    house = replace(HOUSE, hours=parse_hours("tue 10:00-14:00"))
    ada, hour = replace(ADA, attended=True), replace(JOB, time_s=3600.0)
    assert assign([hour], [ada], NOW, house)
    assert "until 14:00: this takes 3 h 00" in why(replace(JOB, time_s=10_800.0), ada, house=house)
    assert "only while somebody is here" in why(hour, ada, house=house, now=NOW + timedelta(hours=4))
    assert assign([hour], [ADA], NOW + timedelta(hours=4), house), "the others go on alone"


def test_printers_of_one_circuit_heat_one_after_the_other():
    house = replace(HOUSE, heating_at_once=1)
    left, right, other = (replace(ADA, id=n, circuit=name) for n, name in enumerate(["wall", "wall", "window"], 2))
    jobs = [replace(JOB, id=n) for n in range(3)]
    assert [place.id for _, place in assign(jobs, [left, right, other], NOW, house)] == [2, 4]
    hot = replace(house, heating={"wall": 1})
    assert "when other printers on its circuit are hot" in why(place=left, house=hot)


def test_a_plate_that_is_nearly_free_is_named_rather_than_a_printer_that_is_off():
    broken = replace(ADA, id=2, name="Grace", operation=Operation.OFFLINE)
    held = replace(ADA, plate=Plate.HELD)
    assert "plate of Ada" in str(why_waiting([JOB], [broken, held], NOW, HOUSE)[0])


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
    circuit=st.sampled_from(["", "left"]),
    attended=st.booleans(),
)
houses = st.builds(
    House,
    hours=st.sampled_from([Hours(), parse_hours("tue 10:00-14:00"), parse_hours("wed 10:00-14:00")]),
    quiet=st.sampled_from([None, None, parse_quiet("22:00-7:00"), parse_quiet("11:00-13:00")]),
    heating_at_once=st.integers(0, 2),
    heating=st.dictionaries(st.sampled_from(["", "left"]), st.integers(0, 2)),
)
waiting = st.builds(
    WaitingJob,
    id=st.integers(1, 9),
    profile=st.sampled_from(["mk3", "ender3"]),
    material=st.sampled_from(["PLA", "PETG"]),
    colour=st.sampled_from([None, "white", "red"]),
    mass_g=st.floats(0.1, 120),
    time_s=st.floats(60, 20_000),
    held=st.booleans(),
)


@given(
    jobs=st.lists(waiting, unique_by=lambda job: job.id),
    machines=st.lists(places, unique_by=lambda each: each.id),
    house=houses,
)
def test_nothing_ever_goes_to_a_plate_that_is_not_clear_or_against_the_rules_of_the_house(jobs, machines, house):
    chosen = assign(jobs, machines, NOW, house)
    assert len({job.id for job, _ in chosen}) == len({place.id for _, place in chosen}) == len(chosen)
    for job, place in chosen:
        assert (place.plate, place.operation, place.taken) == (Plate.CLEAR, Operation.READY, False)
        assert place.service == Service.IN_SERVICE
        assert place.profile == job.profile
        assert place.spool is not None
        assert place.spool.material == job.material
        assert place.spool.remaining_g >= job.mass_g
        assert not job.held
        assert house.quiet is None or house.quiet.minutes_left(12 * 60) == 0
        if place.attended and house.hours.spans:
            assert NOW + timedelta(seconds=job.time_s) <= house.hours.open_until(NOW)
    for circuit in {place.circuit for _, place in chosen}:
        begun = sum(place.circuit == circuit for _, place in chosen)
        assert house.heating_at_once == 0 or begun + house.heating.get(circuit, 0) <= house.heating_at_once


@given(
    jobs=st.lists(waiting, min_size=1, unique_by=lambda job: job.id),
    machines=st.lists(places, unique_by=lambda each: each.id),
    house=houses,
)
def test_every_waiting_job_can_say_why(jobs, machines, house):
    assert all(map(str, why_waiting(jobs, machines, NOW, house)))
