"""Planar sections of a triangle mesh: where planes cut triangles, and what contours the cuts form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.mesh import highest, lowest

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CHUNK_CUTS = 250_000
"""Triangle-plane cuts worked on at once: about 60 MB."""


@dataclass(frozen=True)
class Cuts:
    """Directed segments with the material on their left, one row for each triangle cut by a plane.

    `plane` (n,) counts the planes, `start` and `end` (n, 2) are in mm, `triangle` (n,) counts the triangles.
    """

    plane: Integers
    start: Floats
    end: Floats
    triangle: Integers

    def lengths(self) -> Floats:
        """Return the length of each segment in mm."""
        along = self.end - self.start
        return np.asarray(np.hypot(along[:, 0], along[:, 1]))

    def areas(self, planes: int) -> Floats:
        """Return the area in mm² enclosed in each plane (Green's theorem; overlapping bodies count twice)."""
        twice = self.start[:, 0] * self.end[:, 1] - self.end[:, 0] * self.start[:, 1]
        return np.asarray(np.bincount(self.plane, weights=twice, minlength=planes) / 2, dtype=np.float64)

    def perimeters(self, planes: int) -> Floats:
        """Return the length in mm of the contours in each plane."""
        return np.asarray(np.bincount(self.plane, weights=self.lengths(), minlength=planes), dtype=np.float64)


def count_cuts(triangles: Floats, heights: Floats, axis: int = 2) -> int:
    """Return how many segments `cut` would give."""
    first, last = _planes_of(triangles[:, :, axis], heights)
    return int((last - first).sum())


def cut(triangles: Floats, heights: Floats, axis: int = 2) -> Cuts:
    """Cut triangles (n, 3, 3) by the planes `axis` = one of the rising `heights`.

    The other two axes keep their cyclic order, so that material is on the left. A corner in a plane counts as below it:
    closed meshes give closed contours.
    """
    first, last = _planes_of(triangles[:, :, axis], heights)
    counts = last - first
    hit = np.flatnonzero(counts)
    groups = np.searchsorted(np.cumsum(counts[hit]), np.arange(CHUNK_CUTS, counts.sum(), CHUNK_CUTS))
    parts = [_cut_some(triangles, heights, axis, some, first, counts) for some in np.split(hit, groups) if len(some)]
    if not parts:
        nothing = np.empty(0, dtype=np.int64)
        return Cuts(nothing, np.empty((0, 2)), np.empty((0, 2)), nothing)
    plane, start, end, triangle = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Cuts(plane, start, end, triangle)


def _planes_of(z: Floats, heights: Floats) -> tuple[Integers, Integers]:
    """Return for each triangle the first plane that cuts it and the first one after those."""
    return (
        np.searchsorted(heights, lowest(z), side="left").astype(np.int64),
        np.searchsorted(heights, highest(z), side="left").astype(np.int64),
    )


def _cut_some(
    triangles: Floats, heights: Floats, axis: int, some: Integers, first: Integers, counts: Integers
) -> tuple[Integers, Floats, Floats, Integers]:
    triangle = np.repeat(some, counts[some])
    before = np.cumsum(counts[some]) - counts[some]
    plane = np.arange(len(triangle)) - np.repeat(before, counts[some]) + first[triangle]
    order = [(axis + 1) % 3, (axis + 2) % 3, axis]
    corners = triangles[triangle][:, :, order]
    height = heights[plane]
    below = corners[:, :, 2] <= height[:, None]
    lone_is_below = below.sum(axis=1) == 1
    lone = np.where(lone_is_below, below.argmax(axis=1), (~below).argmax(axis=1))
    rows = np.arange(len(triangle))
    tip, left, right = (corners[rows, (lone + step) % 3] for step in range(3))
    to_left = _between(tip, left, lone_is_below, height)
    to_right = _between(tip, right, lone_is_below, height)
    flip = lone_is_below[:, None]
    return plane, np.where(flip, to_right, to_left), np.where(flip, to_left, to_right), triangle


def _between(tip: Floats, other: Floats, tip_is_below: NDArray[np.bool_], height: Floats) -> Floats:
    """Return where an edge meets its plane, reckoned from its lower corner: neighbours get the very same point."""
    swap = tip_is_below[:, None]
    low, high = np.where(swap, tip, other), np.where(swap, other, tip)
    share = (height - low[:, 2]) / (high[:, 2] - low[:, 2])
    return np.asarray(low[:, :2] + share[:, None] * (high[:, :2] - low[:, :2]))
