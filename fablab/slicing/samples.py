"""A few parts of our own, drawn by formula: for trying the service out, for demonstrations and for tests.

Each is one closed surface that stands flat on the plate, prints without supports and takes at most an hour or two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.stl import write_stl

Triangles = NDArray[np.float64]
Outline = Sequence[tuple[float, float]]


def write_samples(folder: Path) -> list[Path]:
    """Write every sample as a binary STL into `folder` and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    return [write_stl(folder / f"{name}.stl", draw()) for name, draw in SAMPLES.items()]


def calibration_cube() -> Triangles:
    """Return a 20 mm cube with a vertical 8 mm hole."""
    square = _square_ring(10.0, 64)
    hole = _circle(4.0, 64)
    return _tube(square, hole, 0.0, 20.0)


def bracket() -> Triangles:
    """Return an L-shaped bracket, 40 × 40 × 20 mm and 5 mm thick, with a rounded inner corner."""
    corner = [(13 - 8 * math.sin(a), 13 - 8 * math.cos(a)) for a in np.linspace(0, math.pi / 2, 13)]
    outline = [(0.0, 0.0), (40.0, 0.0), (40.0, 5.0), *corner, (5.0, 40.0), (0.0, 40.0)]
    return _prism(outline, 20.0)


def pot() -> Triangles:
    """Return a vase-like pot, 60 mm high, its 2.4 mm wall turned around the vertical."""
    heights = np.linspace(0, 60, 21)
    outside = [(22 + 6 * math.sin(z / 60 * 4.2) + z * 0.08, float(z)) for z in heights]
    inside = [(radius - 2.4, z) for radius, z in outside if z >= 3]
    floor = float(np.interp(3.0, heights, [radius for radius, _ in outside])) - 2.4
    return _turned([(0.0, 0.0), *outside, *reversed(inside), (floor, 3.0), (0.0, 3.0)], 64)


def knob() -> Triangles:
    """Return a knob with twelve grips, 36 mm across, with a 6 mm hole through it."""
    angles = np.linspace(0, 2 * math.pi, 192, endpoint=False)
    outer = [((17 + math.cos(12 * a)) * math.cos(a), (17 + math.cos(12 * a)) * math.sin(a)) for a in angles]
    return _tube(outer, _circle(3.0, 192), 0.0, 14.0)


def phone_stand() -> Triangles:
    """Return a stand for a telephone: a side view, 60 mm wide, printed lying on its side."""
    side = [
        (0.0, 0.0),
        (70.0, 0.0),
        (70.0, 14.0),
        (64.0, 14.0),
        (64.0, 6.0),
        (34.0, 6.0),
        (14.0, 72.0),
        (8.0, 70.0),
        (28.0, 6.0),
        (0.0, 6.0),
    ]
    return _prism(side, 60.0)


SAMPLES: dict[str, Callable[[], Triangles]] = {
    "calibration-cube": calibration_cube,
    "bracket": bracket,
    "pot": pot,
    "knob": knob,
    "phone-stand": phone_stand,
}


def _circle(radius: float, points: int) -> Outline:
    return [(radius * math.cos(a), radius * math.sin(a)) for a in np.linspace(0, 2 * math.pi, points, endpoint=False)]


def _square_ring(half: float, points: int) -> Outline:
    """Return a square as `points` points, one for each point of a circle seen from its middle."""
    return [(x * half / max(abs(x), abs(y)), y * half / max(abs(x), abs(y))) for x, y in _circle(1.0, points)]


def _tube(outer: Outline, inner: Outline, bottom: float, top: float) -> Triangles:
    """Return the ring between two outlines with the same number of points, from `bottom` to `top`."""
    profile = [(outer, bottom), (outer, top), (inner, top), (inner, bottom)]
    rings = [np.array([(x, y, z) for x, y in outline]) for outline, z in profile]
    return np.concatenate([_band(low, high) for low, high in zip(rings, [*rings[1:], rings[0]], strict=True)])


def _turned(outline: Outline, points: int) -> Triangles:
    """Return an outline (radius, height), counter-clockwise from axis to axis, turned around the vertical."""
    angles = np.linspace(0, 2 * math.pi, points, endpoint=False)
    round_about = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rings = [np.column_stack([radius * round_about, np.full(points, z)]) for radius, z in outline]
    bands = np.concatenate([_band(low, high) for low, high in pairwise(rings)])
    return bands[_areas(bands) > 1e-9]


def _prism(outline: Outline, height: float) -> Triangles:
    """Return a simple counter-clockwise outline, raised by `height`."""
    low = np.array([(x, y, 0.0) for x, y in outline])
    high = low + np.array([0.0, 0.0, height])
    ears = _ears(outline)
    return np.concatenate([_band(low, high), high[ears], low[ears[:, ::-1]]])


def _band(low: NDArray[np.float64], high: NDArray[np.float64]) -> Triangles:
    """Return the triangles between two rings of the same number of points."""
    next_low, next_high = np.roll(low, -1, axis=0), np.roll(high, -1, axis=0)
    return np.concatenate([np.stack([low, next_low, next_high], axis=1), np.stack([low, next_high, high], axis=1)])


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
