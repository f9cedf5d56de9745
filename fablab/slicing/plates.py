"""Whether a part fits on a build plate, and how many of it do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from fablab.errors import Invalid
from fablab.slicing.profiles import MachineProfile
from fablab.words import say

EDGE_MM = 5.0
"""Kept free along every edge: one skirt loop 3 mm from the part, its width, and what the edge of a bed is worth."""
GAP_MM = 6.0
"""Between copies: PrusaSlicer's `duplicate_distance`, also written in our print profiles."""
MOST_COPIES = 200
"""More parts than anybody wants to take off one plate, and about as many as a slicer arranges in a minute."""

Size = tuple[float, float, float]


def fits(size_mm: Size, machine: MachineProfile) -> bool:
    """Return whether a part of `size_mm` (x, y, z) fits, as it lies or turned by 90° about the vertical."""
    return fits_as_it_lies(size_mm, machine) or fits_as_it_lies(turned(size_mm), machine)


def fits_as_it_lies(size_mm: Size, machine: MachineProfile) -> bool:
    """Return whether a part fits without being turned, with room for the skirt around it."""
    width, depth, height = machine.bed_mm
    x, y, z = size_mm
    return x <= width - 2 * EDGE_MM and y <= depth - 2 * EDGE_MM and z <= height


def is_turned(size_mm: Size, machine: MachineProfile, copies: int) -> bool:
    """Return whether so many copies have to be turned by 90° about the vertical, all of them, to fit on one plate."""
    return not fits_as_it_lies(size_mm, machine) or copies > max(1, _grid(size_mm, machine))


def turned(size_mm: Size) -> Size:
    """Return the size after a turn of 90° about the vertical."""
    return (size_mm[1], size_mm[0], size_mm[2])


def copies_per_plate(size_mm: Size, machine: MachineProfile) -> int:
    """Return how many copies surely fit on one plate, in rows, none turned: 0 when the part does not fit at all."""
    if not fits(size_mm, machine):
        return 0
    return max(1, min(MOST_COPIES, max(_grid(size_mm, machine), _grid(turned(size_mm), machine))))


def _grid(size_mm: Size, machine: MachineProfile) -> int:
    width, depth, _ = machine.bed_mm
    columns = math.floor((width - 2 * EDGE_MM + GAP_MM) / (size_mm[0] + GAP_MM))
    rows = math.floor((depth - 2 * EDGE_MM + GAP_MM) / (size_mm[1] + GAP_MM))
    return max(0, columns) * max(0, rows)


def packed(sizes_mm: Sequence[Size], machine: MachineProfile) -> list[list[int]]:
    """Return plates that carry all parts, as lists of their places in `sizes_mm`.

    Parts lie in rows, the deepest first, each in the first row and on the first plate with room (first fit decreasing
    height: Coffman, Garey, Johnson and Tarjan, 1980). Raises `Invalid` for a part that fits on no plate.
    """
    lying = [_lying(size, machine) for size in sizes_mm]
    width, depth = (side - 2 * EDGE_MM + GAP_MM for side in machine.bed_mm[:2])
    plates: list[_Plate] = []
    for place in sorted(range(len(lying)), key=lambda place: (-lying[place][1], -lying[place][0], place)):
        x, y = lying[place][0] + GAP_MM, lying[place][1] + GAP_MM
        if not any(plate.takes(place, x, y) for plate in plates):
            plates.append(_Plate(width, depth))
            plates[-1].takes(place, x, y)
    return [plate.parts for plate in plates]


def _lying(size_mm: Size, machine: MachineProfile) -> Size:
    for size in (size_mm, turned(size_mm)):
        if fits_as_it_lies(size, machine):
            return size
    raise Invalid(say("This part does not fit on {machine}.", machine=machine.label))


@dataclass
class _Plate:
    """A plate being filled: for each row how much of its width is left, and how much depth is left for further rows."""

    width: float
    depth: float
    rows: list[list[float]] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)

    def takes(self, place: int, x: float, y: float) -> bool:
        """Lay a part of x × y mm down if there is room; rows only get parts that are no deeper than their first."""
        row = next((row for row in self.rows if row[0] >= x and row[1] >= y), None)
        if row is None:
            if self.depth < y:
                return False
            row = [self.width, y]
            self.rows.append(row)
            self.depth -= y
        row[0] -= x
        self.parts.append(place)
        return True
