"""Which job may go on which machine now, and why a job waits. Pure: plain values in, plain values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from fablab.machines.hours import Hours, Span
from fablab.machines.models import Operation, Plate, Service
from fablab.words import Duration, Grams, Sentence, say

SPARE_SHARE = 0.03  # the slicer leaves out purge and priming, and a reel's end cannot be used up
SPARE_G = 2.0
RETRY_PAUSES = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))
"""How long a job rests after its first, second and every further start that did not work."""


class Mismatch(StrEnum):
    """What of a spool keeps a plate from starting, unless a volunteer says that it may."""

    SHORT = "short"
    COLOUR = "colour"
    MATERIAL = "material"


@dataclass(frozen=True)
class WaitingJob:
    """A sliced job in the queue. `accepted`: what volunteers let pass, of which spool (its id).

    `only_on`: the machine (its id) that a volunteer chose for it.
    """

    id: int
    profile: str
    material: str
    colour: str | None
    mass_g: float
    time_s: float = 0.0
    held: bool = False
    not_before: datetime | None = None
    requester_id: int | None = None
    accepted: frozenset[tuple[int, Mismatch]] = frozenset()
    only_on: int | None = None

    def may_go_on(self, place: Place) -> bool:
        """Whether it was prepared for machines like this one, and for no other one of them."""
        return self.profile == place.profile and self.only_on in (None, place.id)

    def accepts(self, spool: LoadedSpool, mismatch: Mismatch) -> bool:
        """Whether a volunteer let this pass; who takes another material takes its colour too."""
        wanted = {mismatch, Mismatch.MATERIAL} if mismatch == Mismatch.COLOUR else {mismatch}
        return any((spool.spool_id, each) in self.accepted for each in wanted)

    def rest(self, now: datetime) -> timedelta | None:
        """Return how much longer it rests after a start that did not work.

        One longer than any pause was written by a clock that has been set back, and does not count.
        """
        if self.not_before is None or not now < self.not_before <= now + max(RETRY_PAUSES):
            return None
        return self.not_before - now


@dataclass(frozen=True)
class LoadedSpool:
    """What is on a machine. `owner_id`: the member whose own it is, for nobody else."""

    spool_id: int
    material: str
    colour: str
    remaining_g: float
    owner_id: int | None = None


@dataclass(frozen=True)
class Place:
    """A machine as the queue sees it. `taken`: an attempt on it is not signed off yet."""

    id: int
    name: str
    profile: str
    operation: Operation
    plate: Plate
    service: Service
    taken: bool
    spool: LoadedSpool | None
    time_left_s: float | None = None
    circuit: str = ""
    attended: bool = False


@dataclass(frozen=True)
class House:
    """What holds for all machines: when somebody is there, when nothing starts, how many may heat at once.

    `heating` counts the printers of each electrical circuit that heat now. Hours are those of `zone`.
    """

    hours: Hours = field(default_factory=Hours)
    quiet: Span | None = None
    heating_at_once: int = 0
    heating: Mapping[str, int] = field(default_factory=dict)
    zone: tzinfo = UTC

    def with_one_more(self, circuit: str) -> House:
        """Return the same house with one more printer of `circuit` that heats."""
        return replace(self, heating={**self.heating, circuit: self.heating.get(circuit, 0) + 1})


@dataclass(frozen=True)
class Obstacle:
    """Why a machine cannot take a job now. A lower `rank` is nearer to being solved.

    A `mismatch` with the spool is what a volunteer may let pass.
    """

    rank: int
    sentence: Sentence
    mismatch: Mismatch | None = None


def needed_g(job: WaitingJob) -> float:
    """Return how much must be on a spool before this job may start on it."""
    return job.mass_g * (1 + SPARE_SHARE) + SPARE_G


def obstacle(job: WaitingJob, place: Place, house: House, now: datetime) -> Obstacle | None:
    """Return what keeps `place` from printing `job` now, or None when it may start."""
    return (
        _state_obstacle(place)
        or _spool_obstacle(job, place)
        or _plate_obstacle(place)
        or _house_obstacle(job, place, house, now)
    )


def _house_obstacle(job: WaitingJob, place: Place, house: House, now: datetime) -> Obstacle | None:
    here = now.astimezone(house.zone)
    quiet_for = house.quiet.minutes_left(here.hour * 60 + here.minute) if house.quiet else 0
    if quiet_for:
        end = here + timedelta(minutes=quiet_for)
        return Obstacle(12, say("Nothing starts in the quiet hours, until {time}.", time=f"{end:%H:%M}"))
    if place.attended and house.hours.spans:
        closes = house.hours.open_until(here)
        if closes is None:
            return Obstacle(35, say("{machine} prints only while somebody is here.", machine=place.name))
        if here + timedelta(seconds=job.time_s) > closes:
            return Obstacle(35, _too_long(job, place, closes))
    if house.heating_at_once and house.heating.get(place.circuit, 0) >= house.heating_at_once:
        return Obstacle(5, say("{machine} starts when other printers on its circuit are hot.", machine=place.name))
    return None


def _too_long(job: WaitingJob, place: Place, closes: datetime) -> Sentence:
    return say(
        "{machine} prints only while somebody is here, until {time}: this takes {duration}.",
        machine=place.name,
        time=f"{closes:%H:%M}",
        duration=Duration(job.time_s),
    )


def _state_obstacle(place: Place) -> Obstacle | None:
    name = place.name
    if place.service != Service.IN_SERVICE:
        return Obstacle(90, say("{machine} is out of service.", machine=name))
    if place.operation in (Operation.OFFLINE, Operation.UNSEEN):
        return Obstacle(80, say("{machine} is offline.", machine=name))
    if place.operation == Operation.ERROR:
        return Obstacle(70, say("{machine} reports an error.", machine=name))
    if place.operation == Operation.PAUSED:
        return Obstacle(30, say("{machine} is paused in the middle of another print.", machine=name))
    if place.operation == Operation.BUSY:
        return Obstacle(10, _busy(place))
    return None


def _busy(place: Place) -> Sentence:
    if place.time_left_s:
        left = Duration(place.time_left_s)
        return say("{machine} is printing something else, for about {left} more.", machine=place.name, left=left)
    return say("{machine} is printing something else.", machine=place.name)


def _spool_obstacle(job: WaitingJob, place: Place) -> Obstacle | None:
    spool = place.spool
    if spool is None:
        return Obstacle(50, say("{machine} has no spool.", machine=place.name))
    if spool.owner_id is not None and spool.owner_id != job.requester_id:
        return Obstacle(50, say("The spool on {machine} is a member's own.", machine=place.name))
    mismatch = _mismatch(job, spool)
    return Obstacle(_RANKS[mismatch], _about_spool(job, place, spool, mismatch), mismatch) if mismatch else None


def _mismatch(job: WaitingJob, spool: LoadedSpool) -> Mismatch | None:
    """Return the first thing that is wrong with a spool and that nobody let pass."""
    wrong = {
        Mismatch.MATERIAL: spool.material != job.material,
        Mismatch.COLOUR: job.colour is not None and spool.colour != job.colour,
        Mismatch.SHORT: spool.remaining_g < needed_g(job),
    }
    return next((each for each, is_wrong in wrong.items() if is_wrong and not job.accepts(spool, each)), None)


_RANKS = {Mismatch.MATERIAL: 50, Mismatch.COLOUR: 40, Mismatch.SHORT: 45}


def _about_spool(job: WaitingJob, place: Place, spool: LoadedSpool, mismatch: Mismatch) -> Sentence:
    name = place.name
    if mismatch == Mismatch.MATERIAL:
        return say(
            "{machine} has {other} on it, not {material}.", machine=name, other=spool.material, material=job.material
        )
    if mismatch == Mismatch.COLOUR:
        return say(
            "{machine} has the colour {other} on it, not {colour}.",
            machine=name,
            other=spool.colour,
            colour=job.colour,
        )
    return say(
        "The spool on {machine} has {left} left, and {needed} are needed.",
        machine=name,
        left=Grams(spool.remaining_g),
        needed=Grams(needed_g(job)),
    )


def _plate_obstacle(place: Place) -> Obstacle | None:
    if place.taken:
        return Obstacle(15, say("The last print on {machine} has to be checked first.", machine=place.name))
    if place.plate != Plate.CLEAR:
        return Obstacle(20, say("Somebody has to say that the plate of {machine} is empty.", machine=place.name))
    return None


def assign(
    jobs: Sequence[WaitingJob], places: Sequence[Place], now: datetime, house: House
) -> list[tuple[WaitingJob, Place]]:
    """Give jobs, in the order of the queue, to machines that may start them now; a machine gets one job."""
    free = [place for place in places if not (_state_obstacle(place) or _plate_obstacle(place))]
    chosen: list[tuple[WaitingJob, Place]] = []
    for job in jobs:
        if not free:
            break
        if job.held or job.rest(now) is not None:
            continue
        fitting = (each for each in free if job.may_go_on(each))
        place = next((each for each in fitting if obstacle(job, each, house, now) is None), None)
        if place is not None:
            chosen.append((job, place))
            free.remove(place)
            house = house.with_one_more(place.circuit)
    return chosen


def why_waiting(jobs: Sequence[WaitingJob], places: Sequence[Place], now: datetime, house: House) -> list[Sentence]:
    """Say of each job of the queue, in its order, in one sentence why it is not printing yet."""
    starting = {job.id for job, _ in assign(jobs, places, now, house)}
    return [
        say("It starts in a moment.") if job.id in starting else _why(job, ahead, places, now, house)
        for ahead, job in enumerate(jobs)
    ]


def _why(job: WaitingJob, ahead: int, places: Sequence[Place], now: datetime, house: House) -> Sentence:
    if job.held:
        return say("On hold: a volunteer has to release it.")
    if (rest := job.rest(now)) is not None:
        left = Duration(rest.total_seconds())
        return say("The last start did not work; the next try is in {left}.", left=left)
    fitting = [place for place in places if job.may_go_on(place) and place.service == Service.IN_SERVICE]
    if not fitting and job.only_on is not None:
        return say("The printer that was chosen for it is not in service.")
    if not fitting:
        return say("No printer that was chosen for this plate ({profile}) is in service.", profile=job.profile)
    obstacles = [obstacle(job, place, house, now) for place in fitting]
    if None in obstacles:
        return say("Other plates come first: {count}.", count=ahead)
    return min((each for each in obstacles if each is not None), key=lambda each: each.rank).sentence


def spools_to_change(
    jobs: Sequence[WaitingJob], places: Sequence[Place], now: datetime, house: House
) -> list[tuple[WaitingJob, Place]]:
    """Return the machines that stand still for want of a spool, each with the first job that another one would start.

    A job that a machine in reach has the right spool for, be it busy, needs no change: it waits for that machine.
    """
    starting = {job.id for job, _ in assign(jobs, places, now, house)}
    standing = [each for each in places if not (_state_obstacle(each) or _plate_obstacle(each))]
    found: list[tuple[WaitingJob, Place]] = []
    for job in jobs:
        if job.id in starting or job.held or job.rest(now) is not None or _has_its_spool(job, places):
            continue
        place = next((each for each in standing if job.may_go_on(each)), None)
        if place is not None:
            found.append((job, place))
            standing.remove(place)
    return found


def _has_its_spool(job: WaitingJob, places: Sequence[Place]) -> bool:
    in_reach = (Operation.READY, Operation.BUSY, Operation.PAUSED)
    used = (each for each in places if each.service == Service.IN_SERVICE and each.operation in in_reach)
    return any(job.may_go_on(each) and _spool_obstacle(job, each) is None for each in used)
