"""A few parts of our own, drawn by formula: for trying the service out, for demonstrations and for tests.

Each is one closed surface that stands flat on the plate, prints without supports and takes at most an hour or two.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fablab.slicing.drawing import Triangles, circle, prism, square_ring, tube, turned
from fablab.slicing.stl import write_stl


def write_samples(folder: Path) -> list[Path]:
    """Write every sample as a binary STL into `folder` and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    return [write_stl(folder / f"{name}.stl", draw()) for name, draw in SAMPLES.items()]


def calibration_cube() -> Triangles:
    """Return a 20 mm cube with a vertical 8 mm hole."""
    square = square_ring(10.0, 64)
    hole = circle(4.0, 64)
    return tube(square, hole, 0.0, 20.0)


def bracket() -> Triangles:
    """Return an L-shaped bracket, 40 × 40 × 20 mm and 5 mm thick, with a rounded inner corner."""
    corner = [(13 - 8 * math.sin(a), 13 - 8 * math.cos(a)) for a in np.linspace(0, math.pi / 2, 13)]
    outline = [(0.0, 0.0), (40.0, 0.0), (40.0, 5.0), *corner, (5.0, 40.0), (0.0, 40.0)]
    return prism(outline, 20.0)


def pot() -> Triangles:
    """Return a vase-like pot, 60 mm high, its 2.4 mm wall turned around the vertical."""
    heights = np.linspace(0, 60, 21)
    outside = [(22 + 6 * math.sin(z / 60 * 4.2) + z * 0.08, float(z)) for z in heights]
    inside = [(radius - 2.4, z) for radius, z in outside if z >= 3]
    floor = float(np.interp(3.0, heights, [radius for radius, _ in outside])) - 2.4
    return turned([(0.0, 0.0), *outside, *reversed(inside), (floor, 3.0), (0.0, 3.0)], 64)


def knob() -> Triangles:
    """Return a knob with twelve grips, 36 mm across, with a 6 mm hole through it."""
    angles = np.linspace(0, 2 * math.pi, 192, endpoint=False)
    outer = [((17 + math.cos(12 * a)) * math.cos(a), (17 + math.cos(12 * a)) * math.sin(a)) for a in angles]
    return tube(outer, circle(3.0, 192), 0.0, 14.0)


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
    return prism(side, 60.0)


SAMPLES: dict[str, Callable[[], Triangles]] = {
    "calibration-cube": calibration_cube,
    "bracket": bracket,
    "pot": pot,
    "knob": knob,
    "phone-stand": phone_stand,
}
