"""Solids drawn by formula: prisms, turned and twisted bodies, holes; triangles (n, 3, 3) in mm, outward."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Triangles = NDArray[np.float64]
Outline = Sequence[tuple[float, float]]


def circle(radius: float, points: int = 48, x: float = 0.0, y: float = 0.0) -> Outline:
    """Return a circle, counter-clockwise."""
    angles = np.linspace(0, 2 * math.pi, points, endpoint=False)
    return [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]


def rectangle(width: float, depth: float, x: float = 0.0, y: float = 0.0) -> Outline:
    """Return a rectangle with its lower left corner at (x, y), counter-clockwise."""
    return [(x, y), (x + width, y), (x + width, y + depth), (x, y + depth)]


def rounded(width: float, depth: float, radius: float, x: float = 0.0, y: float = 0.0) -> Outline:
    """Return a rectangle with rounded corners, counter-clockwise."""
    middles = [(x + width - radius, y + depth - radius), (x + radius, y + depth - radius),
               (x + radius, y + radius), (x + width - radius, y + radius)]  # fmt: skip
    turns = [np.linspace(quarter, quarter + math.pi / 2, 9) for quarter in (0, math.pi / 2, math.pi, 1.5 * math.pi)]
    return [
        (mx + radius * math.cos(a), my + radius * math.sin(a))
        for (mx, my), angles in zip(middles, turns, strict=True)
        for a in angles
    ]


def square_ring(half: float, points: int) -> Outline:
    """Return a square as `points` points, one for each point of a circle seen from its middle."""
    return [(x * half / max(abs(x), abs(y)), y * half / max(abs(x), abs(y))) for x, y in circle(1.0, points)]


def gear(teeth: int, radius: float, tooth: float) -> Outline:
    """Return a gear with trapezoid teeth, `tooth` mm high."""
    shape = ((0.0, 0.0), (0.3, 0.0), (0.42, 1.0), (0.58, 1.0), (0.7, 0.0))
    pitch = 2 * math.pi / teeth
    return [
        ((radius + rise * tooth) * math.cos((n + at) * pitch), (radius + rise * tooth) * math.sin((n + at) * pitch))
        for n in range(teeth)
        for at, rise in shape[:-1]
    ]


def prism(outline: Outline, top: float, bottom: float = 0.0) -> Triangles:
    """Return a simple counter-clockwise outline, raised from `bottom` to `top`."""
    low = np.array([(x, y, bottom) for x, y in outline])
    high = low + np.array([0.0, 0.0, top - bottom])
    ears = _ears(outline)
    return np.concatenate([band(low, high), high[ears], low[ears[:, ::-1]]])


def box(width: float, depth: float, height: float, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Triangles:
    """Return a box with its lowest corner at (x, y, z)."""
    return prism(rectangle(width, depth, x, y), z + height, z)


def tube(outer: Outline, inner: Outline, bottom: float, top: float) -> Triangles:
    """Return the ring between two outlines with the same number of points, from `bottom` to `top`."""
    profile = [(outer, bottom), (outer, top), (inner, top), (inner, bottom)]
    rings = [np.array([(x, y, z) for x, y in outline]) for outline, z in profile]
    return np.concatenate([band(low, high) for low, high in zip(rings, [*rings[1:], rings[0]], strict=True)])


def turned(outline: Outline, points: int) -> Triangles:
    """Return an outline (radius, height), counter-clockwise from axis to axis, turned around the vertical."""
    angles = np.linspace(0, 2 * math.pi, points, endpoint=False)
    round_about = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rings = [np.column_stack([radius * round_about, np.full(points, z)]) for radius, z in outline]
    bands = np.concatenate([band(low, high) for low, high in pairwise(rings)])
    return bands[_areas(bands) > 1e-9]


def lofted(section: Callable[[float], NDArray[np.float64]], heights: Sequence[float]) -> Triangles:
    """Return the body through sections (m, 2), counter-clockwise and star-shaped, at rising heights, with flat ends."""
    rings = [np.column_stack([section(z), np.full(len(section(z)), z)]) for z in heights]
    sides = [band(low, high) for low, high in pairwise(rings)]
    return np.concatenate([*sides, _cap(rings[-1]), _cap(rings[0])[:, ::-1]])


def blob(radius: float, bumps: Sequence[tuple[int, int, float, float]], points: int = 48) -> Triangles:
    """Return a ball with bumps: waves (around, up and down, height in radii, phase), cut flat at the bottom."""
    steep = np.linspace(0.04, math.pi * 0.86, points)
    around = np.linspace(0, 2 * math.pi, 2 * points, endpoint=False)
    waves = 1 + sum(
        size * np.cos(m * around[None, :] + phase) * np.sin(n * steep[:, None]) for m, n, size, phase in bumps
    )
    reach = radius * waves * np.sin(steep)[:, None]
    height = radius * np.cos(steep)[:, None] * np.ones_like(reach)
    rings = np.stack([reach * np.cos(around), reach * np.sin(around), height], axis=2)[::-1]
    return np.concatenate(
        [*[band(low, high) for low, high in pairwise(rings)], _cap(rings[-1]), _cap(rings[0])[:, ::-1]]
    )


def hole(body: Triangles) -> Triangles:
    """Return a body turned inside out: together with a solid around it, a hole in that solid."""
    return np.asarray(body[:, ::-1])


def lying(body: Triangles) -> Triangles:
    """Return a body turned so that what was its height lies along y."""
    return np.asarray(body[:, :, [0, 2, 1]][:, ::-1])


def moved(body: Triangles, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Triangles:
    """Return a body moved."""
    return np.asarray(body + np.array([x, y, z]))


def tilted(body: Triangles, degrees: float) -> Triangles:
    """Return a body tilted around the x axis, set on the plate."""
    angle = math.radians(degrees)
    turn = np.array([[1, 0, 0], [0, math.cos(angle), -math.sin(angle)], [0, math.sin(angle), math.cos(angle)]])
    lifted: Triangles = body @ turn.T
    return np.asarray(lifted - np.array([0, 0, lifted[:, :, 2].min()]))


def band(low: NDArray[np.float64], high: NDArray[np.float64]) -> Triangles:
    """Return the triangles between two rings of the same number of points."""
    next_low, next_high = np.roll(low, -1, axis=0), np.roll(high, -1, axis=0)
    return np.concatenate([np.stack([low, next_low, next_high], axis=1), np.stack([low, next_high, high], axis=1)])


def _cap(ring: NDArray[np.float64]) -> Triangles:
    middle = np.broadcast_to(ring.mean(axis=0), ring.shape)
    return np.stack([ring, np.roll(ring, -1, axis=0), middle], axis=1)


def _ears(outline: Outline) -> NDArray[np.intp]:
    """Return the triangles of a simple counter-clockwise outline as indices, cut off ear by ear."""
    left = list(range(len(outline)))
    triangles = []
    while len(left) > 3:
        place = next(i for i in range(len(left)) if _is_ear(outline, left, i))
        triangles.append((left[place - 1], left[place], left[(place + 1) % len(left)]))
        del left[place]
    return np.array([*triangles, tuple(left)])


def _is_ear(outline: Outline, left: list[int], place: int) -> bool:
    a, b, c = (outline[left[i % len(left)]] for i in (place - 1, place, place + 1))
    if _turn(a, b, c) <= 0:
        return False
    others = [outline[i] for i in left if outline[i] not in (a, b, c)]
    return not any(_turn(a, b, p) >= 0 and _turn(b, c, p) >= 0 and _turn(c, a, p) >= 0 for p in others)


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _areas(triangles: Triangles) -> NDArray[np.float64]:
    crosses = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return np.asarray(np.linalg.norm(crosses, axis=1) / 2)
