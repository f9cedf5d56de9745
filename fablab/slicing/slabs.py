"""At which heights a part has to be looked at: few where nothing changes, many where its contours move.

Worked out from the triangles alone, without cutting them: what every triangle sweeps sideways while the height rises.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.mesh import highest, lowest

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BINS = 512
LEVEL_NZ = 0.9995
"""|z| of the unit normal of a level face (within 2°)."""
LEVEL_EXTENT = 0.002
"""Level faces smaller than this share of the part's footprint make no edge of their own."""
SAME_HEIGHT_MM = 0.06
STEP_MM = 0.3
"""Contours move at most so far, on average, from one slab to the next."""
SLABS_PER_FOOTPRINT = 40
"""So many slabs more for every sweep over an area as large as the footprint: small holes in large parts."""
MOVING_PER_MM = 0.004
"""A slab is moving when its contours sweep more than this share of the footprint per mm of height."""
THINNEST_MM = 0.15
ONSET_MM = 0.1
CHUNK = 100_000


@dataclass(frozen=True)
class Slabs:
    """Ranges of heights from the plate to the top of a part.

    `edges_mm` (K+1,) rise from 0. `is_level` (K+1,): a level face lies at that edge, so that the section changes there
    at once. `is_moving` (K,): contours move with the height; where they do not, one section stands for the whole slab.
    """

    edges_mm: Floats
    is_level: Bools
    is_moving: Bools

    @property
    def middles_mm(self) -> Floats:
        """Heights of the sections, (K,)."""
        return (self.edges_mm[1:] + self.edges_mm[:-1]) / 2


@dataclass(frozen=True)
class _Profile:
    """What changes with the height: level faces, and per bin mm² swept and mm² of surface for each mm of height."""

    top_mm: float
    footprint_mm2: float
    level_mm: Floats
    level_mm2: Floats
    swept: Floats
    surface: Floats


def slabs_of(triangles: Floats, most: int) -> Slabs:
    """Return at most about `most` slabs for outward triangles (n, 3, 3) that stand on z = 0."""
    profile = _profile(triangles)
    levels = _levels(profile)
    share_swept = profile.swept / max(profile.footprint_mm2, 1e-9)
    per_mm = profile.swept / np.maximum(profile.surface, 1e-9) / STEP_MM + SLABS_PER_FOOTPRINT * share_swept
    stops = _stops(profile.top_mm, levels, share_swept)
    edges = _edges(stops, np.minimum(per_mm, 1 / THINNEST_MM), most)
    moved = np.r_[0.0, np.cumsum(share_swept)] * (profile.top_mm / BINS)
    moving = np.diff(np.interp(edges, np.linspace(0, profile.top_mm, BINS + 1), moved)) / np.diff(edges)
    return Slabs(edges, np.isin(edges, levels), moving > MOVING_PER_MM)


def _profile(triangles: Floats) -> _Profile:
    top = float(triangles[:, :, 2].max())
    swept, surface = np.zeros(BINS + 1), np.zeros(BINS + 1)
    level_mm, level_mm2 = [], []
    footprint = 0.0
    for z, across, along in _pieces(triangles):
        footprint += float(across[across > 0].sum())
        level = np.abs(across) > LEVEL_NZ * np.hypot(across, along)
        level_mm.append(z[level].mean(axis=1))
        level_mm2.append(np.abs(across[level]))
        first = np.minimum(lowest(z) * (BINS / top), BINS - 1).astype(np.int64)[~level]
        last = np.minimum(highest(z) * (BINS / top), BINS - 1).astype(np.int64)[~level]
        for total, weight in ((swept, np.abs(across)), (surface, along)):
            share = weight[~level] / (last - first + 1)
            np.add(total, np.bincount(first, share, BINS + 1) - np.bincount(last + 1, share, BINS + 1), out=total)
    per_mm = BINS / top
    return _Profile(
        top_mm=top,
        footprint_mm2=footprint,
        level_mm=np.concatenate(level_mm),
        level_mm2=np.concatenate(level_mm2),
        swept=np.maximum(np.cumsum(swept[:BINS]), 0) * per_mm,
        surface=np.maximum(np.cumsum(surface[:BINS]), 0) * per_mm,
    )


def _pieces(triangles: Floats) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Yield heights (m, 3), signed area seen from above (m,) and from the side (m,), some triangles at a time."""
    for start in range(0, len(triangles), CHUNK):
        some = np.asarray(triangles[start : start + CHUNK], dtype=np.float64)
        one, other = some[:, 1] - some[:, 0], some[:, 2] - some[:, 0]
        x = one[:, 1] * other[:, 2] - one[:, 2] * other[:, 1]
        y = one[:, 2] * other[:, 0] - one[:, 0] * other[:, 2]
        z = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
        yield some[:, :, 2], z / 2, np.hypot(x, y) / 2


def _levels(profile: _Profile) -> Floats:
    """Return the rising heights of level faces of some extent, strictly inside the part."""
    heights, group = np.unique(np.round(profile.level_mm, 2), return_inverse=True)
    extent = np.bincount(group, profile.level_mm2, len(heights))
    middle = np.bincount(group, profile.level_mm * profile.level_mm2, len(heights)) / np.maximum(extent, 1e-12)
    middle = np.sort(middle[extent > LEVEL_EXTENT * profile.footprint_mm2])
    middle = middle[(middle > SAME_HEIGHT_MM) & (middle < profile.top_mm - SAME_HEIGHT_MM)]
    return middle[np.diff(middle, prepend=-np.inf) > SAME_HEIGHT_MM]


def _stops(top: float, levels: Floats, share_swept: Floats) -> Floats:
    """Return heights that must be edges: level faces, and where contours begin or cease to move."""
    moving = share_swept > MOVING_PER_MM
    onsets = (np.flatnonzero(moving[1:] != moving[:-1]) + 1) * (top / BINS)
    stops = np.unique(np.r_[0.0, levels, top])
    far = np.abs(onsets[:, None] - stops[None, :]).min(axis=1) > ONSET_MM
    return np.unique(np.r_[stops, onsets[far]])


def _edges(stops: Floats, per_mm: Floats, most: int) -> Floats:
    """Divide the ranges between stops so that slabs carry equal shares of the wanted density, in all at most `most`."""
    grid = np.linspace(0, stops[-1], BINS + 1)
    wanted = np.r_[0.0, np.cumsum(per_mm)] * (stops[-1] / BINS) + np.arange(BINS + 1) * 1e-9
    at = np.interp(stops, grid, wanted)
    parts = np.maximum(1, np.ceil(np.diff(at) - 0.2))
    while parts.sum() > max(most, len(parts)):
        parts = np.maximum(1, np.floor(parts * 0.85))
    ranges = zip(at[:-1], at[1:], parts.astype(np.int64), stops[:-1], strict=True)
    pieces = [np.r_[low, np.interp(np.linspace(a, b, n + 1)[1:-1], wanted, grid)] for a, b, n, low in ranges]
    edges = np.r_[np.concatenate(pieces), stops[-1]]
    return np.asarray(edges[np.r_[np.diff(edges) > 1e-3, True]] if len(edges) > 2 else edges)
