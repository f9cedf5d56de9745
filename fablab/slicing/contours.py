"""What the contours of sections look like: where corners are, how many loops there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fablab.slicing.sections import Cuts

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CORNER_RAD = np.radians(8.0)
"""Below, a machine with 8 mm/s of jerk does not slow down at 50 mm/s: 2 · 50 · sin(4°) = 7."""
SHORTEST_MM = 1e-5


@dataclass(frozen=True)
class Runs:
    """Pieces of contour between corners: see `Features.run_…`."""

    plane: Integers
    length_mm: Floats
    start_turn: Floats
    end_turn: Floats
    loop_mm: Floats
    loops: Integers  # (planes,)


def trace(cuts: Cuts, planes: int) -> Runs:
    """Link the segments of all planes end to start and break them at corners."""
    lengths = cuts.lengths()
    keep = lengths > SHORTEST_MM
    plane, start, end, lengths = cuts.plane[keep], cuts.start[keep], cuts.end[keep], lengths[keep]
    if not len(plane):
        empty = np.empty(0)
        return Runs(np.empty(0, np.int64), empty, empty, empty, empty, np.zeros(planes, np.int64))
    follower = _followers(_keys(plane, start), _keys(plane, end))
    linked = np.flatnonzero(follower >= 0)
    turn = np.full(len(plane), np.pi / 2)
    turn[linked] = _turns((end - start)[linked], (end - start)[follower[linked]])
    smooth = linked[turn[linked] < CORNER_RAD]
    loop_count, loop = _groups(len(plane), linked, follower[linked])
    run_count, run = _groups(len(plane), smooth, follower[smooth])
    goes_on = np.zeros(len(plane), dtype=bool)
    goes_on[smooth] = True
    ends = np.flatnonzero(~goes_on)
    end_turn = np.full(run_count, np.pi / 2)
    start_turn = np.full(run_count, np.pi / 2)
    end_turn[run[ends]] = turn[ends]
    followed = ends[follower[ends] >= 0]
    start_turn[run[follower[followed]]] = turn[followed]
    member = np.zeros(run_count, dtype=np.int64)
    member[run] = np.arange(len(plane))
    loop_mm = _summed(loop, lengths, loop_count)
    loop_plane = np.zeros(loop_count, dtype=np.int64)
    loop_plane[loop] = plane
    return Runs(
        plane=plane[member],
        length_mm=_summed(run, lengths, run_count),
        start_turn=start_turn,
        end_turn=end_turn,
        loop_mm=loop_mm[loop[member]],
        loops=np.bincount(loop_plane, minlength=planes),
    )


def _summed(group: Integers, values: Floats, groups: int) -> Floats:
    return np.asarray(np.bincount(group, weights=values, minlength=groups), dtype=np.float64)


def _keys(plane: Integers, points: Floats) -> NDArray[np.uint64]:
    """Return a number for each point that is the same for the same point of the same plane (a 64-bit mix)."""
    x, y = (np.ascontiguousarray(points[:, i] + 0.0).view(np.uint64) for i in range(2))
    mixed = x * np.uint64(0x9E3779B97F4A7C15) ^ (y * np.uint64(0xC2B2AE3D27D4EB4F) >> np.uint64(7))
    return (mixed ^ y) * np.uint64(0x165667B19E3779F9) + plane.astype(np.uint64) * np.uint64(0xD6E8FEB86659FD93)


def _followers(starts: NDArray[np.uint64], ends: NDArray[np.uint64]) -> Integers:
    """Return for each segment the one that starts where it ends, or -1."""
    order = np.argsort(starts, kind="stable")
    place = np.minimum(np.searchsorted(starts[order], ends), len(starts) - 1)
    found = order[place]
    return np.where(starts[found] == ends, found, -1).astype(np.int64)


def _turns(before: Floats, after: Floats) -> Floats:
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    return np.asarray(np.abs(np.arctan2(cross, (before * after).sum(axis=1))))


def _groups(size: int, one: Integers, other: Integers) -> tuple[int, Integers]:
    links = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(size, size))
    count, labels = connected_components(links, directed=False)
    return int(count), labels.astype(np.int64)
