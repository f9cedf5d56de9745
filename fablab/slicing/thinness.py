"""How thick a part is: rays along the three axes, each wall reckoned at right angles to its surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.mesh import Triangles
from fablab.slicing.rays import Meetings, send

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PARALLEL = -0.9
"""Cosine between the two sides of a wall: threads and wedges end in a thin edge without being thin walls."""
TOUCHING_MM = 0.01


@dataclass(frozen=True)
class Walls:
    """Pieces of rays through material, between sides that are parallel.

    `thickness_mm` is at right angles to the sides, `weight_mm2` the surface a piece stands for, `triangles` (k, 2)
    its two sides. `overlap` is the share of the rays that are inside more than one body at once.
    """

    thickness_mm: Floats
    weight_mm2: Floats
    triangles: Integers
    overlap: float

    def thinner_than(self, limit_mm: float) -> float:
        """Return the share 0..1 of the surface whose wall is thinner."""
        whole = float(self.weight_mm2.sum())
        return float(self.weight_mm2[self.thickness_mm < limit_mm].sum()) / whole if whole else 0.0

    def sides_thinner_than(self, limit_mm: float) -> Integers:
        """Return the triangles of walls that are thinner."""
        return np.unique(self.triangles[self.thickness_mm < limit_mm])


def walls(triangles: Triangles, normals: Floats) -> Walls | None:
    """Return the walls of a part of outward triangles (n, 3, 3); None for a thicket and for more than we look at."""
    seen = []
    for axis in range(3):
        met = send(triangles, normals, axis)
        if met is None:
            return None
        seen.append(_between(met, normals, axis))
    thickness, weight, sides = (
        np.concatenate(columns)
        for columns in zip(*[(each.thickness_mm, each.weight_mm2, each.triangles) for each in seen], strict=True)
    )
    return Walls(thickness, weight, sides, max(each.overlap for each in seen))


def _between(met: Meetings, normals: Floats, axis: int) -> Walls:
    """Pair where rays enter the material with where they leave it, by counting the bodies around."""
    inside = np.cumsum(met.enters)
    enters = np.flatnonzero((inside > 0) & (inside - met.enters <= 0))
    leaves = np.flatnonzero((inside <= 0) & (inside - met.enters > 0))
    sides = np.stack([met.triangle[enters], met.triangle[leaves]], axis=1)
    faces = normals[sides]
    chord = met.height_mm[leaves] - met.height_mm[enters]
    tilt = np.abs(faces[:, :, axis]).min(axis=1)
    good = ((faces[:, 0] * faces[:, 1]).sum(axis=1) < PARALLEL) & (chord > TOUCHING_MM)
    return Walls((chord * tilt)[good], tilt[good] * met.cell_mm2, sides[good], _overlap(met, inside))


def _overlap(met: Meetings, inside: Integers) -> float:
    """Return the share of rays that run inside two bodies at once for a while."""
    if len(inside) < 2:
        return 0.0
    twice = (inside[:-1] > 1) & (np.diff(met.height_mm) > TOUCHING_MM)
    return len(np.unique(met.ray[:-1][twice])) / len(np.unique(met.ray))
