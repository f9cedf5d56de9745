"""Where supports stand: under overhangs, grown sideways, kept off the walls, down to the part or to the plate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.depth import DepthField, Depths, grown, rims
from fablab.slicing.features import OVERHANG_LEAN
from fablab.slicing.slabs import Slabs

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

GROWTH_MM = 1.4
"""Supports reach so far beyond what they hold: PrusaSlicer grows contacts and snaps them to a grid. Fitted."""
GAP_MM = 0.27
"""Between supports and walls: 60 % of an outer wall."""
LEDGE_MM = 0.28
"""Level ledges that are narrower need no support."""
LEVEL_MM = 0.01
"""Steps of less height are level."""
SMALLEST_MM2 = 0.1
LOWEST_MM = 0.3


@dataclass(frozen=True)
class _Roof:
    """Overhanging cells at the lower edge of a slab, and over how much height they are spread (0: level)."""

    slab: int
    cells: Bools
    rise_mm: float


def supports_of(field: DepthField, slabs: Slabs) -> dict[str, NDArray[Any]]:
    """Return the `support_…` features of a part."""
    count = len(slabs.is_moving)
    found = list(_roofs(field, slabs))
    if not found:
        nothing, zeros = np.array(0.0), np.zeros(count)
        return _named(zeros, zeros, zeros, zeros > 0, nothing, nothing, nothing)
    pad = math.ceil((GROWTH_MM + 0.5) / field.cell_mm)
    around = ((0, 0), (pad, pad), (pad, pad))
    free = np.pad(field.depth_mm, around, constant_values=-np.inf) < -GAP_MM
    cells = np.pad(np.stack([roof.cells for roof in found]), around)
    contacts = grown(cells, GROWTH_MM / field.cell_mm) & free[[roof.slab - 1 for roof in found]]
    cell_mm2 = field.cell_mm**2
    areas = contacts.sum(axis=(1, 2)) * cell_mm2
    rises = np.array([roof.rise_mm for roof in found])
    standing, floor = _fall(contacts, [roof.slab for roof in found], free)
    return _named(
        standing.sum(axis=(1, 2)) * cell_mm2,
        rims(standing.astype(np.float32), field.cell_mm),
        islands(standing),
        _fine(found, slabs),
        np.array(areas[rises == 0].sum()),
        np.array((areas * rises).sum()),
        np.array(floor * cell_mm2),
    )


def _fine(roofs: list[_Roof], slabs: Slabs) -> Bools:
    """Say in which slabs supports hold slopes: each layer of the part is then a layer of the supports too."""
    sloping = [roof.slab for roof in roofs if roof.rise_mm > 0]
    fine = np.zeros(len(slabs.is_moving), dtype=bool)
    fine[sloping] = fine[[slab - 1 for slab in sloping]] = True
    return fine & slabs.is_moving


def islands(masks: Bools) -> Floats:
    """Return about how many pieces each mask (n, ny, nx) is in: its Euler number, at least 1 if there is any.

    Counted by the corners and ends of what is set (Gray, Local Properties of Binary Images, 1971): no labelling.
    """
    cells = np.pad(masks, ((0, 0), (1, 1), (1, 1))).view(np.int8)
    across = cells[:, :, :-1] + cells[:, :, 1:]
    four = across[:, :-1] + across[:, 1:]
    diagonal = (four == 2) & (cells[:, :-1, :-1] == cells[:, 1:, 1:]) & (across[:, :-1] == 1)
    euler = ((four == 1).sum(axis=(1, 2)) - (four == 3).sum(axis=(1, 2)) - 2 * diagonal.sum(axis=(1, 2))) / 4
    return np.asarray(np.where(masks.any(axis=(1, 2)), np.maximum(euler, 1.0), 0.0))


def _named(
    area: Floats, outline: Floats, pieces: Floats, fine: Bools, level: Floats, slope: Floats, floor: Floats
) -> dict[str, NDArray[Any]]:
    return {
        "support_mm2": area,
        "support_outline_mm": outline,
        "support_islands": pieces,
        "support_is_fine": fine,
        "support_level_roof_mm2": level,
        "support_slope_roof_mm3": slope,
        "support_floor_mm2": floor,
    }


def _roofs(field: DepthField, slabs: Slabs) -> list[_Roof]:
    depth, found = field.depth_mm, []
    nodes = node_gaps(slabs)
    for slab in np.flatnonzero(slabs.edges_mm[:-1] >= LOWEST_MM):
        appears = (depth[slab] > 0) & (depth[slab - 1] < 0)
        if not appears.any():
            continue
        rise = 0.0 if slabs.is_level[slab] else float(nodes[slab - 1])
        cells = appears & _leans_out(depth[slab - 1], depth[slab], rise)
        if cells.sum() * field.cell_mm**2 > SMALLEST_MM2:
            found.append(_Roof(int(slab), cells, rise))
    return found


def _leans_out(below: Depths, above: Depths, rise_mm: float) -> Bools:
    if rise_mm < LEVEL_MM:
        return np.asarray(below < -LEDGE_MM)
    return np.asarray(above - below > OVERHANG_LEAN * rise_mm)


def node_gaps(slabs: Slabs) -> Floats:
    """Return the height (K-1,) over which contours move between the sections of neighbouring slabs.

    Half of each slab that is moving: a slab that is not has the same section up to its edges.
    """
    halves = np.diff(slabs.edges_mm) / 2 * slabs.is_moving
    return np.asarray(np.maximum(halves[:-1] + halves[1:], 1e-6))


def _fall(contacts: Bools, slabs: list[int], free: Bools) -> tuple[Bools, int]:
    """Let supports fall from their contacts: return where they stand (K, ny, nx), and how many cells of part they hit.

    `contacts[i]` hangs at the lower edge of slab `slabs[i]`; `free` (K, ny, nx) is where supports have room.
    """
    standing = np.zeros_like(free)
    column = np.zeros_like(free[0])
    hit = 0
    waiting = list(zip(slabs, contacts, strict=True))
    for slab in range(len(free) - 1, -1, -1):
        while waiting and waiting[-1][0] == slab + 1:
            column = column | waiting.pop()[1]
        if column.any():
            hit += int((column & ~free[slab]).sum())
            column = column & free[slab]
            standing[slab] = column
    return standing, hit
