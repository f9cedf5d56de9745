"""Where a part hangs over so steeply and widely that plastic sags without supports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.bodies import MOST_TRIANGLES, connected
from fablab.slicing.mesh import Triangles
from fablab.slicing.rays import send

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

STEEP_COSINE = float(np.cos(np.radians(45.0)))
"""45°: `support_material_threshold` in our print profiles."""
ABOVE_MM = 0.5
BRIDGED_MM = 7.0
"""Narrower places are bridged by the plastic itself: holes for screws, slots, small ledges."""


def hanging(triangles: Triangles, normals: Floats, areas: Floats) -> tuple[Integers, float]:
    """Return the triangles that hang over too widely to hold themselves, and their area seen from below in mm².

    The part stands on z = 0.
    """
    steep = np.flatnonzero((normals[:, 2] < -STEEP_COSINE) & (triangles[:, :, 2].mean(axis=1) > ABOVE_MM))
    if not len(steep):
        return steep, 0.0
    below = areas[steep] * -normals[steep, 2]
    if len(steep) <= MOST_TRIANGLES:
        patch = connected(triangles[steep])
        wide = _widths(triangles[steep], below, patch)[patch] > BRIDGED_MM
        steep, below = steep[wide], below[wide]
    return steep, float(below.sum())


def _widths(triangles: Triangles, weights: Floats, patch: Integers) -> Floats:
    """Return how wide each patch is across its shorter side: of a strip with the same spread of area (√12 σ)."""
    total = np.maximum(np.bincount(patch, weights), 1e-12)
    x, y = triangles[:, :, 0], triangles[:, :, 1]
    mean_x, mean_y = ((np.bincount(patch, weights * axis.mean(axis=1)) / total)[patch, None] for axis in (x, y))
    x, y = x - mean_x, y - mean_y
    xx, yy, xy = (np.bincount(patch, weights * _moment(*pair)) / total for pair in ((x, x), (y, y), (x, y)))
    return np.asarray(np.sqrt(12 * np.maximum((xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2), 0)))


def _moment(a: Floats, b: Floats) -> Floats:
    """Return the mean of a · b over each triangle, from their values at its corners (n, 3)."""
    return np.asarray(((a * b).sum(axis=1) + a.sum(axis=1) * b.sum(axis=1)) / 12)


@dataclass(frozen=True)
class Underneath:
    """The room under steep overhangs, where supports would stand, and the triangle above each ray through it."""

    room_mm3: float
    triangles: Integers
    cell_mm2: float

    def area_mm2(self, wanted: Integers) -> float:
        """Return the area of such triangles that is seen from the room under it."""
        return float(np.isin(self.triangles, wanted).sum()) * self.cell_mm2


def underneath(triangles: Triangles, normals: Floats) -> Underneath | None:
    """Return the room under steep overhangs of a part that stands on z = 0.

    None for thickets and parts too detailed to look at.
    """
    met = send(triangles, normals, axis=2)
    if met is None:
        return None
    lower = np.concatenate([[0.0], met.height_mm])[: len(met.ray)]
    lowest = np.concatenate([[True], met.ray[1:] != met.ray[:-1]])[: len(met.ray)]
    gap = met.height_mm - np.where(lowest, 0.0, lower)
    from_air = (met.enters > 0) & (np.cumsum(met.enters) == met.enters)
    held = from_air & (normals[met.triangle, 2] < -STEEP_COSINE) & (gap > ABOVE_MM)
    return Underneath(float(gap[held].sum()) * met.cell_mm2, met.triangle[held], met.cell_mm2)
