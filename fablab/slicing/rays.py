"""Parallel rays through a part along an axis, and where they meet its surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fablab.slicing import raster
from fablab.slicing.mesh import Triangles

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

RAYS = 4000
"""Over the box around the part."""
MOST_TRIANGLES = 400_000
MOST_MEETINGS = 400_000.0
"""A part with more meetings of rays and surfaces is a thicket: it is not looked at."""
OFFSET = 0.237
"""Keeps rays off the edges of parts drawn on a grid."""


@dataclass(frozen=True)
class Meetings:
    """Where rays meet triangles, ray by ray and upwards; `enters` is 1 where they go in and -1 where they come out.

    Rays through which as many lead in as out are kept only. One stands for `cell_mm2`.
    """

    ray: Integers
    height_mm: Floats
    triangle: Integers
    enters: Integers
    cell_mm2: float


def send(triangles: Triangles, normals: Floats, axis: int) -> Meetings | None:
    """Send rays along an axis through outward triangles (n, 3, 3); None for thickets and more than we look at."""
    if len(triangles) > MOST_TRIANGLES:
        return None
    corners = triangles[:, :, [(axis + 1) % 3, (axis + 2) % 3, axis]]
    low = corners[:, :, :2].min(axis=(0, 1))
    width, depth = corners[:, :, :2].max(axis=(0, 1)) - low
    cell = max(float(np.sqrt(width * depth / RAYS)), float(max(width, depth)) / RAYS)
    corners[:, :, :2] = (corners[:, :, :2] - low) / cell + OFFSET
    if raster.expected(corners).sum() - len(corners) > MOST_MEETINGS:
        return None
    met = list(raster.fragments(corners, int(width / cell) + 2, int(depth / cell) + 2))
    if not met:
        nothing = np.empty(0, dtype=np.int64)
        return Meetings(nothing, np.empty(0), nothing, nothing, cell**2)
    ray, height, triangle = (
        np.concatenate([getattr(each, name) for each in met]) for name in ("pixel", "depth", "triangle")
    )
    return _sorted(ray, height, triangle, np.where(normals[triangle, axis] < 0, 1, -1), cell)


def _sorted(ray: Integers, height: Floats, triangle: Integers, enters: Integers, cell: float) -> Meetings:
    whole = np.bincount(ray, weights=enters) == 0
    order = np.lexsort((-enters, height, ray))
    order = order[whole[ray[order]]]
    return Meetings(ray[order], height[order], triangle[order], enters[order], cell**2)
