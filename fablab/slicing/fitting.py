"""What to do about a part that is too big for every machine: lay it on another side, or make it smaller."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fablab.slicing.changes import Change
from fablab.slicing.findings import Action, Finding, Kind, Severity
from fablab.slicing.plates import EDGE_MM, Size, fits, turned
from fablab.slicing.profiles import MachineProfile
from fablab.slicing.report import MeshReport
from fablab.words import say

SMALLEST_PERCENT = 10
"""A part that has to become smaller than this was meant for something else."""


def too_big(report: MeshReport, machines: Sequence[MachineProfile]) -> Finding | None:
    """Tell about a part that fits on none of the machines as it lies; None when it fits or there are no machines."""
    if not machines or any(fits(report.size_mm, machine) for machine in machines):
        return None
    sides = [way for way in report.poses[1:] if any(fits(way.size_mm, machine) for machine in machines)]
    if sides:
        sentence = say("This part is too big for our printers as it lies; on another side it fits.")
        best = min(sides, key=lambda way: way.cost)
        return Finding(Kind.TOO_BIG, Severity.BAD, sentence, Action(say("Lay it on this side"), Change(turn=best.turn)))
    percent = math.floor(99.99 * max(_largest_scale(report.size_mm, machine) for machine in machines))
    if percent < SMALLEST_PERCENT:
        return None
    sentence = say(
        "This part is too big for our printers: cut it into pieces, or print it at {percent} %.", percent=percent
    )
    action = Action(say("Scale to {percent} %", percent=percent), Change(scale=percent / 100))
    return Finding(Kind.TOO_BIG, Severity.BAD, sentence, action)


def _largest_scale(size_mm: Size, machine: MachineProfile) -> float:
    width, depth, height = machine.bed_mm
    room = (width - 2 * EDGE_MM, depth - 2 * EDGE_MM, height)
    return max(min(have / need for have, need in zip(room, size, strict=True)) for size in (size_mm, turned(size_mm)))
