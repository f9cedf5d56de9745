"""Parts of our own for calibration, as varied as what people print: plates, boxes, brackets, vases, threads, blobs.

Holes are bodies turned inside out that end flush with the surface around them; slicers and estimates count windings.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.drawing import (
    Triangles,
    blob,
    box,
    circle,
    gear,
    hole,
    lofted,
    lying,
    moved,
    prism,
    rectangle,
    rounded,
    square_ring,
    tilted,
    tube,
    turned,
)  # fmt: skip


def _with(*bodies: Triangles) -> Triangles:
    return np.concatenate(bodies)


def _pin_hole(x: float, y: float, radius: float, top: float, bottom: float = 0.0) -> Triangles:
    return hole(prism(circle(radius, 32, x, y), top, bottom))


def _cross_hole(x: float, z: float, radius: float, depth: float, y: float = 0.0) -> Triangles:
    """Return a hole along y through something `depth` thick that begins at `y`."""
    return hole(moved(lying(prism(circle(radius, 32), depth)), x, y, z))


def _mounting_plate() -> Triangles:
    holes = [_pin_hole(x, y, 2.2, 4) for x in (8, 72) for y in (8, 42)]
    return _with(prism(rounded(80, 50, 5), 4), *holes, hole(prism(rounded(30, 20, 3, 25, 15), 4)))


def _perforated_plate() -> Triangles:
    holes = [_pin_hole(9 + 11 * i, 9 + 11 * j, 3.2, 4) for i in range(7) for j in range(5)]
    return _with(prism(rounded(84, 62, 5), 4), *holes)


def _thin_ring() -> Triangles:
    return tube(circle(32, 96), circle(29.5, 96), 0, 5)


def _open_box() -> Triangles:
    return _with(
        box(70, 45, 2), *_walls(70, 45, 2.0, 2, 28), *[box(6, 6, 5, x, y, 2) for x in (4, 60) for y in (4, 35)]
    )


def _walls(width: float, depth: float, thick: float, bottom: float, top: float) -> list[Triangles]:
    inner = rectangle(width - 2 * thick, depth - 2 * thick, thick, thick)
    return [tube(rectangle(width, depth), inner, bottom, top)]


def _thin_box() -> Triangles:
    return _with(box(50, 40, 1.2), *_walls(50, 40, 1.2, 1.2, 30))


def _divided_tray() -> Triangles:
    dividers = [box(1.6, 56, 18, 30 * i - 0.8, 2, 1.6) for i in (1, 2)]
    return _with(box(90, 60, 1.6), *_walls(90, 60, 2.0, 1.6, 20), *dividers)


def _lid() -> Triangles:
    return _with(prism(rounded(70, 45, 4), 2), tube(rounded(66, 41, 3, 2, 2), rounded(62, 37, 2, 4, 4), 2, 6))


def _stepped_block() -> Triangles:
    return _with(box(50, 40, 8), box(40, 30, 6, 5, 5, 8), box(20, 20, 10, 10, 10, 14), _pin_hole(20, 20, 4, 24, 14))


def _bearing_block() -> Triangles:
    return _with(box(44, 18, 36), _cross_hole(22, 18, 8, 18), _pin_hole(5, 9, 2.0, 36), _pin_hole(39, 9, 2.0, 36))


def _hinge() -> Triangles:
    knuckle = prism(circle(6, 40), 12)
    leaf = box(30, 3, 36, 6, -1.5)
    bodies = [moved(knuckle, 0, 0, z) for z in (0, 24)]
    return _with(*bodies, leaf, *[_pin_hole(0, 0, 2.1, z + 12, z) for z in (0, 24)])


def _lying_rod() -> Triangles:
    return moved(lying(prism(circle(9, 48), 60)), 0, 0, 9)


def _clamp() -> Triangles:
    ring = tube(circle(16, 72), circle(12, 72), 0, 14)
    return _with(ring, box(6, 12, 14, 15.6, -6), _cross_hole(18.6, 7, 1.7, 12, -6))


def _wedge() -> Triangles:
    return lying(prism([(0, 0), (60, 0), (60, 6), (0, 24)], 30))


def _shallow_dome() -> Triangles:
    rim = [(30 * math.sin(a), 40 * math.cos(a) - 40 * math.cos(0.85) + 2) for a in np.linspace(0.85, 0, 24)]
    scale = 30 / rim[0][0]
    return turned([(0.0, 0.0), (30.0, 0.0), *[(x * scale, z) for x, z in rim[:-1]], (0.0, rim[-1][1])], 72)


def _ball_on_foot() -> Triangles:
    curve = [(14 * math.sin(a), 18 - 14 * math.cos(a)) for a in np.linspace(0.62, math.pi, 30)]
    return turned([(0.0, 0.0), (12.0, 0.0), (12.0, 3.0), (8.1, 6.5), *curve[:-1], (0.0, 32.0)], 64)


def _motor_mount() -> Triangles:
    screws = [_pin_hole(21 + 15.5 * i, 21 + 15.5 * j, 1.7, 12) for i in (-1, 1) for j in (-1, 1)]
    slots = [hole(prism(rounded(4, 14, 1.9, x, 36), 12)) for x in (48, 56)]
    pocket = hole(prism(rounded(12, 20, 2, 48, 6), 12, 5))
    return _with(prism(rounded(66, 56, 4), 12), _pin_hole(21, 21, 11.2, 12), *screws, *slots, pocket)


def _pyramid() -> Triangles:
    def section(z: float) -> NDArray[np.float64]:
        return np.array(square_ring(22 - 20 * z / 30, 16))

    return lofted(section, [0, 30])


def _funnel() -> Triangles:
    outside = [(6.2, 0.0), (6.2, 14.0), (30.0, 38.0), (30.0, 41.0)]
    inside = [(28.6, 41.0), (28.6, 38.6), (5.0, 15.0), (5.0, 0.0)]
    return turned([(5.0, 0.0), *outside, *inside], 72)


def _vase() -> Triangles:
    heights = np.linspace(0, 70, 29)
    outside = [(20 + 6 * math.sin(z / 70 * 5.0), float(z)) for z in heights]
    inside = [(radius - 1.3, z) for radius, z in outside if z >= 1.5]
    floor = float(np.interp(1.5, heights, [radius for radius, _ in outside])) - 1.3
    return turned([(0.0, 0.0), *outside, *reversed(inside), (floor, 1.5), (0.0, 1.5)], 72)


def _twisted_column() -> Triangles:
    def section(z: float) -> NDArray[np.float64]:
        angles = np.linspace(0, 2 * math.pi, 60, endpoint=False)
        radius = 13 + 3 * np.cos(5 * angles)
        turn = z / 60 * 1.6
        return np.stack([radius * np.cos(angles + turn), radius * np.sin(angles + turn)], axis=1)

    return lofted(section, np.linspace(0, 60, 41).tolist())


def _screw() -> Triangles:
    heights = np.linspace(8, 38, 151)
    thread = [(6 + 0.75 * (2 * abs((z / 3) % 1 - 0.5)), float(z)) for z in heights]
    head = [(0.0, 0.0), (11.0, 0.0), (11.0, 8.0)]
    return turned([*head, *thread, (0.0, 38.0)], 48)


def _ribbed_tube() -> Triangles:
    outside: list[tuple[float, float]] = []
    for z in range(0, 40, 4):
        outside += [(14.0, float(z)), (14.0, z + 2.0), (15.2, z + 2.0), (15.2, z + 4.0)]
    return turned([(11.5, 0.0), *outside, (11.5, 40.0), (11.5, 0.0)], 64)


def _cog() -> Triangles:
    return _with(prism(gear(20, 18, 3), 8), _pin_hole(0, 0, 4, 8))


def _small_cog() -> Triangles:
    return _with(prism(gear(12, 6, 1.6), 6), _pin_hole(0, 0, 1.6, 6))


def _ribbed_panel() -> Triangles:
    ribs = [box(1.8, 46, 7, 12 + 16 * i, 2, 2.4) for i in range(4)]
    bosses = [tube(circle(3.4, 28, x, y), circle(1.4, 28, x, y), 2.4, 11) for x in (5, 69) for y in (6, 44)]
    return _with(prism(rounded(74, 50, 3), 2.4), *ribs, *bosses)


def _washers() -> Triangles:
    return _with(*[moved(tube(circle(5, 40), circle(2.2, 40), 0, 1.6), 14 * i, 0, 0) for i in range(3)])


def _spacer() -> Triangles:
    return tube(circle(4, 40), circle(1.8, 40), 0, 12)


def _pegs() -> Triangles:
    return _with(
        box(44, 30, 2), *[prism(circle(2.0, 24, 6 + 8 * i, 6 + 9 * j), 14, 2) for i in range(5) for j in range(3)]
    )


def _comb() -> Triangles:
    return _with(box(60, 6, 10), *[box(2.4, 26, 10, 1 + 6.1 * i, 6) for i in range(10)])


def _grille() -> Triangles:
    slots = [hole(prism(rounded(5, 36, 2.4, 6 + 9 * i, 7), 3)) for i in range(7)]
    return _with(prism(rounded(74, 50, 4), 3), *slots)


def _table() -> Triangles:
    legs = [box(5, 5, 22, x, y) for x in (0, 35) for y in (0, 25)]
    return _with(*legs, box(40, 30, 3, 0, 0, 22))


def _bridge() -> Triangles:
    return _with(box(8, 20, 16), box(8, 20, 16, 36, 0), box(44, 20, 5, 0, 0, 16))


def _shelf_bracket() -> Triangles:
    side = [(0.0, 0.0), (4.0, 0.0), (4.0, 26.0), (30.0, 52.0), (30.0, 56.0), (0.0, 56.0)]
    return lying(prism(side, 18))


def _hook() -> Triangles:
    angles = np.linspace(-0.4 * math.pi, 0.9 * math.pi, 24)
    outer = [(16 * math.cos(a), 16 * math.sin(a)) for a in angles]
    inner = [(10.5 * math.cos(a), 10.5 * math.sin(a)) for a in reversed(angles)]
    return prism([*outer, *inner], 9)


def _tilted_plate() -> Triangles:
    return tilted(box(40, 30, 5), 35)


def _figure() -> Triangles:
    return moved(blob(19, [(3, 2, 0.12, 0.4), (5, 3, 0.07, 1.1), (2, 5, 0.06, 2.0)]), 0, 0, 17)


def _pebble() -> Triangles:
    stone = blob(24, [(2, 1, 0.15, 0.0), (4, 3, 0.05, 0.7)]) * np.array([1.0, 0.8, 0.45])
    return moved(stone, 0, 0, 10)


def _name_sign() -> Triangles:
    letters = [box(2.2, 14, 1.2, 6 + 9 * i, 4, 2.4) for i in range(6)] + [
        box(6, 2.2, 1.2, 8.2 + 18 * i, 10, 2.4) for i in range(3)
    ]
    return _with(prism(rounded(66, 22, 4), 2.4), *letters)


def _enclosure() -> Triangles:
    posts = [tube(circle(3.2, 32, x, y), circle(1.25, 32, x, y), 2.4, 12) for x in (9, 71) for y in (9, 46)]
    return _with(box(80, 55, 2.4), *_walls(80, 55, 2.4, 2.4, 26), *posts)


def _elbow() -> Triangles:
    """Return a pipe that leans out at 45° half-way."""

    def section(radius: float) -> Callable[[float], NDArray[np.float64]]:
        def at(z: float) -> NDArray[np.float64]:
            return np.array(circle(radius, 48, x=max(0.0, z - 20)))

        return at

    heights = [0.0, 20.0, 44.0]
    return _with(lofted(section(11), heights), hole(lofted(section(9), heights)))


REFERENCES: dict[str, Callable[[], Triangles]] = {
    each.__name__.removeprefix("_"): each
    for each in (
        _mounting_plate, _perforated_plate, _thin_ring, _open_box, _thin_box, _divided_tray, _lid,
        _stepped_block, _bearing_block, _hinge, _lying_rod, _clamp, _wedge, _shallow_dome, _ball_on_foot,
        _motor_mount, _pyramid, _funnel, _vase, _twisted_column, _screw, _ribbed_tube, _cog, _small_cog,
        _ribbed_panel, _washers, _spacer, _pegs, _comb, _grille, _table, _bridge, _shelf_bracket, _hook,
        _tilted_plate, _figure, _pebble, _name_sign, _enclosure, _elbow,
    )
}  # fmt: skip
"""40 parts; `samples` are tried on people, these on slicers."""
