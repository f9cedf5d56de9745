"""When what waits will be ready, and when something new could start. Pure: a simple look ahead, said with "about".

Machines take the queue in its order; between two prints somebody has to be there to empty the plate, and a spool that
does not fit is changed on that occasion. Slow printers, failures and reserved hours are not foreseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fablab.jobs.scheduling import House, Place, WaitingJob
from fablab.machines.models import Operation, Plate, Service

CLEARING = timedelta(minutes=5)
IN_REACH = frozenset({Operation.READY, Operation.BUSY, Operation.PAUSED})


@dataclass(frozen=True)
class Forecast:
    """When each job (by its id) would be off the plate, and when a new one could start: None when no machine could."""

    ready: Mapping[int, datetime] = field(default_factory=dict)
    next_start: datetime | None = None


@dataclass
class _Lane:
    place: Place
    free_from: datetime
    plate_is_clear: bool

    def start(self, house: House) -> datetime | None:
        """Return when the next print could start here, None when nobody is there in the next week."""
        if self.plate_is_clear and not self.place.attended:
            return _after_quiet(self.free_from, house)
        at = house.hours.open_from(self.free_from.astimezone(house.zone))
        if at is None:
            return None
        return _after_quiet(at if self.plate_is_clear else at + CLEARING, house)


def forecast(jobs: Sequence[WaitingJob], places: Sequence[Place], now: datetime, house: House) -> Forecast:
    """Look ahead; jobs on hold and jobs that no machine in reach may take are not foreseen."""
    lanes = [_lane(each, now) for each in places if _works(each)]
    ready: dict[int, datetime] = {}
    for job in jobs:
        starts = [(at, lane) for lane in lanes if job.may_go_on(lane.place) and (at := lane.start(house)) is not None]
        if job.held or not starts:
            continue
        at, lane = min(starts, key=lambda each: each[0])
        lane.free_from, lane.plate_is_clear = at + timedelta(seconds=job.time_s), False
        taken_off = house.hours.open_from(lane.free_from.astimezone(house.zone))
        if taken_off is not None:
            ready[job.id] = taken_off
    return Forecast(ready, min((at for lane in lanes if (at := lane.start(house)) is not None), default=None))


def _works(place: Place) -> bool:
    known = place.operation == Operation.READY or place.time_left_s is not None
    return place.service == Service.IN_SERVICE and place.operation in IN_REACH and known


def _lane(place: Place, now: datetime) -> _Lane:
    left = timedelta(seconds=place.time_left_s or 0) if place.operation != Operation.READY else timedelta()
    return _Lane(place, now + left, place.plate == Plate.CLEAR and not place.taken and not left)


def _after_quiet(at: datetime, house: House) -> datetime:
    here = at.astimezone(house.zone)
    left = house.quiet.minutes_left(here.hour * 60 + here.minute) if house.quiet else 0
    return here + timedelta(minutes=left)
