"""Whether a part fits on a build plate, and how many of it do."""

from __future__ import annotations

import math

from fablab.slicing.profiles import MachineProfile

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
