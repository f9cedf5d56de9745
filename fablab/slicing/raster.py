"""Which pixels a triangle covers and how deep it lies there: for pictures, and for rays through a part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CHUNK = 300_000
"""Fragments worked on at once: about 40 MB."""


@dataclass(frozen=True)
class Fragments:
    """Triangles at pixel centres, one row for each: `pixel` is y · width + x, `depth` is the third coordinate."""

    pixel: Integers
    depth: Floats
    triangle: Integers


def expected(corners: Floats) -> Floats:
    """Return about how much work each triangle (n, 3, 3) with corners in pixels is: rows and fragments."""
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]) / 2
    return np.asarray(area + np.ptp(corners[:, :, 1], axis=1) + 1)


def fragments(corners: Floats, width: int, height: int) -> Iterator[Fragments]:
    """Yield the fragments of triangles (n, 3, 3) whose corners are x, y in pixels and a depth, in pieces.

    A triangle covers a pixel when it covers its centre; triangles that share an edge share no pixel.
    """
    first, last = _rows(corners, height)
    seen = np.flatnonzero(last > first)
    if not len(seen):
        return
    work = np.cumsum(expected(corners[seen]))
    pieces = np.searchsorted(work, np.arange(CHUNK, work[-1], CHUNK))
    for some in np.split(seen, pieces):
        if len(some):
            yield _covered(corners, some, (first[some], last[some]), width)


def _rows(corners: Floats, height: int) -> tuple[Integers, Integers]:
    """Return the first row of pixels whose centres a triangle reaches, and the first one beyond."""
    y = corners[:, :, 1]
    low, high = (np.clip(np.ceil(edge - 0.5), 0, height).astype(np.int64) for edge in (y.min(axis=1), y.max(axis=1)))
    return low, high


def _covered(corners: Floats, some: Integers, rows: tuple[Integers, Integers], width: int) -> Fragments:
    triangle, row = _spread(some, *rows)
    left, right = _between(corners[triangle], _centres(row))
    begin = np.clip(np.ceil(left - 0.5), 0, width).astype(np.int64)
    end = np.clip(np.ceil(right - 0.5), 0, width).astype(np.int64)
    span, column = _spread(np.arange(len(triangle)), begin, np.maximum(begin, end))
    triangle, row = triangle[span], row[span]
    return Fragments(row * width + column, _depths(corners, triangle, _centres(column), _centres(row)), triangle)


def _centres(numbers: Integers) -> Floats:
    return np.asarray(numbers + 0.5, dtype=np.float64)


def _spread(things: Integers, begin: Integers, end: Integers) -> tuple[Integers, Integers]:
    """Return each thing once for every number from `begin` up to `end`, and those numbers."""
    counts = end - begin
    number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(begin, counts)
    return np.repeat(things, counts), number


def _between(corners: Floats, height: Floats) -> tuple[Floats, Floats]:
    """Return from where to where a row of pixel centres runs inside each triangle."""
    x, y = corners[:, :, 0], corners[:, :, 1]
    next_x, next_y = np.roll(x, -1, axis=1), np.roll(y, -1, axis=1)
    level = height[:, None]
    crosses = (y <= level) != (next_y <= level)
    steep = np.where(crosses, next_y - y, 1.0)
    at = x + (level - y) / steep * (next_x - x)
    return np.where(crosses, at, np.inf).min(axis=1), np.where(crosses, at, -np.inf).max(axis=1)


def _depths(corners: Floats, triangle: Integers, x: Floats, y: Floats) -> Floats:
    """Return the depth of each triangle's plane over points."""
    used, which = np.unique(triangle, return_inverse=True)
    origin = corners[used, 0]
    one, other = corners[used, 1] - origin, corners[used, 2] - origin
    flat = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    flat[flat == 0] = np.inf
    along_x = (one[:, 2] * other[:, 1] - other[:, 2] * one[:, 1]) / flat
    along_y = (one[:, 0] * other[:, 2] - other[:, 0] * one[:, 2]) / flat
    level = origin[:, 2] - along_x * origin[:, 0] - along_y * origin[:, 1]
    return np.asarray(level[which] + along_x[which] * x + along_y[which] * y)
