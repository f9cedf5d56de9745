"""How thick a part is: rays along the three axes, each wall reckoned at right angles to its surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fablab.slicing import raster
from fablab.slicing.mesh import Triangles

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

RAYS = 4000
"""Along each axis, over the box around the part."""
MOST_TRIANGLES = 400_000
MOST_MEETINGS = 400_000.0
"""A part with more meetings of rays and surfaces is a thicket: it is not looked at."""
PARALLEL = -0.9
"""Cosine between the two sides of a wall: threads and wedges end in a thin edge without being thin walls."""
TOUCHING_MM = 0.01
OFFSET = 0.237
"""Keeps rays off the edges of parts drawn on a grid."""


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
    if len(triangles) > MOST_TRIANGLES:
        return None
    along = [_along(triangles, normals, axis) for axis in range(3)]
    seen = [each for each in along if each is not None]
    if len(seen) < len(along):
        return None
    thickness, weight, sides = (np.concatenate(columns) for columns in zip(*[each[:3] for each in seen], strict=True))
    return Walls(thickness, weight, sides, max(each[3] for each in seen))


def _along(triangles: Triangles, normals: Floats, axis: int) -> tuple[Floats, Floats, Integers, float] | None:
    order = [(axis + 1) % 3, (axis + 2) % 3, axis]
    corners = triangles[:, :, order]
    low = corners[:, :, :2].min(axis=(0, 1))
    width, depth = corners[:, :, :2].max(axis=(0, 1)) - low
    cell = max(float(np.sqrt(width * depth / RAYS)), float(max(width, depth)) / RAYS)
    corners[:, :, :2] = (corners[:, :, :2] - low) / cell + OFFSET
    columns, rows = int(width / cell) + 2, int(depth / cell) + 2
    if raster.expected(corners).sum() - len(corners) > MOST_MEETINGS:
        return None
    met = list(raster.fragments(corners, columns, rows))
    if not met:
        return np.empty(0), np.empty(0), np.empty((0, 2), dtype=np.int64), 0.0
    pixel, height, triangle = (
        np.concatenate([getattr(each, name) for each in met]) for name in ("pixel", "depth", "triangle")
    )
    return _paired(pixel, height, triangle, normals, axis, cell)


def _paired(
    pixel: Integers, height: Floats, triangle: Integers, normals: Floats, axis: int, cell_mm: float
) -> tuple[Floats, Floats, Integers, float]:
    """Pair where rays enter the material with where they leave it, by counting the bodies around."""
    turn = np.where(normals[triangle, axis] < 0, 1, -1)
    order = np.lexsort((-turn, height, pixel))
    pixel, height, triangle, turn = pixel[order], height[order], triangle[order], turn[order]
    whole = np.bincount(pixel, weights=turn) == 0
    kept = whole[pixel]
    pixel, height, triangle, turn = pixel[kept], height[kept], triangle[kept], turn[kept]
    inside = np.cumsum(turn)
    enters = np.flatnonzero((inside > 0) & (inside - turn <= 0))
    leaves = np.flatnonzero((inside <= 0) & (inside - turn > 0))
    sides = np.stack([triangle[enters], triangle[leaves]], axis=1)
    faces = normals[sides]
    chord = height[leaves] - height[enters]
    tilt = np.abs(faces[:, :, axis]).min(axis=1)
    good = ((faces[:, 0] * faces[:, 1]).sum(axis=1) < PARALLEL) & (chord > TOUCHING_MM)
    twice = _overlapping(pixel, height, inside)
    rays = max(1, len(np.unique(pixel)))
    return (chord * tilt)[good], tilt[good] * cell_mm**2, sides[good], twice / rays


def _overlapping(pixel: Integers, height: Floats, inside: Integers) -> int:
    """Return how many rays run inside two bodies at once for a while."""
    if len(height) < 2:
        return 0
    twice = (inside[:-1] > 1) & (height[1:] - height[:-1] > TOUCHING_MM)
    return len(np.unique(pixel[:-1][twice]))
