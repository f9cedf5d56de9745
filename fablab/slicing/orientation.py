"""Which side a part should lie on: the sides it can rest on, what each costs, and whether one is clearly better.

The cost from normals alone picks a few ways; the room for supports, measured by rays, decides among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.changes import Turn, turn_from
from fablab.slicing.mesh import Triangles

Floats = NDArray[np.float64]

MOST_FACES = 20_000
"""More are looked at as a sample of the largest and of the others."""
MOST_CORNERS = 2_500
FLAT_SIDES, HULL_SIDES = 12, 12
OVERHANG_COSINE = float(np.cos(np.radians(45.0)))
RESTING_COSINE = 0.9998
RESTING_MM = 0.15
HEIGHT_MM2 = 12.0
"""One millimetre of height costs about as much time as this much supported area: layers change, the head travels."""
CONTACT_SHARE = 0.15
ROUNDED = 1e-3
MOST_PROMISING = 3
SUPPORT_S_PER_MM3, HEIGHT_S_PER_MM = 0.08, 15.0
CLEARLY, WORTH_S = 0.75, 120.0
SOME_SUPPORT_MM3 = 1000.0


@dataclass(frozen=True)
class Pose:
    """A way to lie: the turn that leads there, the size then, the area on the plate, and the area that hangs over."""

    turn: Turn
    size_mm: tuple[float, float, float]
    contact_mm2: float
    overhang_mm2: float

    @property
    def cost(self) -> float:
        """Return what this way costs, in mm² of overhang: hanging area, height, less what holds it to the plate."""
        return self.overhang_mm2 + HEIGHT_MM2 * self.size_mm[2] - CONTACT_SHARE * self.contact_mm2

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` turns back into this pose."""
        return {"turn": self.turn, "size_mm": self.size_mm, "areas_mm2": [self.contact_mm2, self.overhang_mm2]}

    @staticmethod
    def from_json(data: dict[str, Any]) -> Pose:
        """Return the pose that `to_json` wrote."""
        (x, y, z), (contact, overhang) = data["size_mm"], data["areas_mm2"]
        return Pose(turn_from(data["turn"]), (x, y, z), contact, overhang)


@dataclass(frozen=True)
class Surface:
    """A part as the search sees it: middles, unit normals and areas of faces (k), and corners (m, 3)."""

    middles: Floats
    normals: Floats
    areas: Floats
    corners: Floats


def surface_of(triangles: Triangles, normals: Floats, areas: Floats) -> Surface:
    """Return the surface of a part, as a fair sample when it has many faces."""
    some = np.arange(len(triangles))
    weights = areas
    if len(triangles) > MOST_FACES:
        half = MOST_FACES // 2
        order = np.argpartition(-areas, half)
        others = order[half:]
        stride = others[np.linspace(0, len(others) - 1, half).astype(np.int64)]
        some = np.concatenate([order[:half], stride])
        weights = areas.copy()
        left = float(areas[stride].sum())
        weights[stride] *= float(areas[others].sum()) / left if left > 0 else 1.0
    return Surface(triangles[some].mean(axis=1), normals[some], weights[some], _outermost(triangles))


def _outermost(triangles: Triangles) -> Floats:
    """Return the corners of the hull; of very round parts a sample."""
    from scipy.spatial import ConvexHull, QhullError  # slow to import

    corners = triangles.reshape(-1, 3)
    if len(corners) > MOST_CORNERS:
        directions = np.random.default_rng(5).normal(size=(160, 3))
        stride = corners[np.linspace(0, len(corners) - 1, 12 * MOST_CORNERS).astype(np.int64)]
        far = stride[(stride @ directions.T).argmax(axis=0)]
        corners = np.concatenate([far, stride[::12]])
    corners = np.unique(corners, axis=0)
    try:
        return np.asarray(corners[ConvexHull(corners).vertices])
    except (QhullError, ValueError):  # a flat sample
        return np.asarray(corners)


def poses(surface: Surface) -> list[Pose]:
    """Return the ways to lie on the largest flat sides, on sides of the hull and along the axes, as it lies first."""
    downs = _distinct(np.concatenate([[[0.0, 0.0, -1.0]], _flat_sides(surface), _hull_sides(surface), _axes()]))
    return [_pose(surface, down) for down in downs]


def _flat_sides(surface: Surface) -> Floats:
    """Return the normals of the largest groups of faces that look the same way."""
    _, group = np.unique(np.round(surface.normals / ROUNDED), axis=0, return_inverse=True)
    group = group.ravel()
    sums = np.bincount(group, weights=surface.areas)
    largest = np.argsort(-sums)[:FLAT_SIDES]
    means = [np.bincount(group, weights=surface.areas * surface.normals[:, axis])[largest] for axis in range(3)]
    return _units(np.stack(means, axis=1) / np.maximum(sums[largest], 1e-12)[:, None])


def _hull_sides(surface: Surface) -> Floats:
    from scipy.spatial import ConvexHull, QhullError

    try:
        hull = ConvexHull(surface.corners)
    except (QhullError, ValueError):
        return np.empty((0, 3))
    corners = surface.corners[hull.simplices]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    _, group = np.unique(np.round(hull.equations[:, :3], 2), axis=0, return_inverse=True)
    sums = np.bincount(group.ravel(), weights=areas)
    largest = np.argsort(-sums)[:HULL_SIDES]
    first = np.array([np.flatnonzero(group.ravel() == each)[0] for each in largest])
    return np.asarray(hull.equations[first, :3])


def _axes() -> Floats:
    return np.concatenate([np.eye(3), -np.eye(3)])


def _units(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray((vectors / np.maximum(lengths, 1e-12))[lengths[:, 0] > 0.5])


def _distinct(downs: Floats) -> Floats:
    kept: list[Floats] = []
    for down in downs:
        if not any(float(down @ other) > RESTING_COSINE for other in kept):
            kept.append(down)
    return np.array(kept)


def _pose(surface: Surface, down: Floats) -> Pose:
    turn = _turn_down(down)
    if down[2] > -1:
        turn = _squared(surface.corners @ turn.T) @ turn
    corners = surface.corners @ turn.T
    low, size = corners.min(axis=0), np.ptp(corners, axis=0)
    height = surface.middles @ turn[2] - low[2]
    facing = surface.normals @ turn[2]
    resting = (facing < -RESTING_COSINE) & (height < RESTING_MM)
    hanging = (facing < -OVERHANG_COSINE) & ~resting & (height > RESTING_MM)
    return Pose(
        turn_from(turn.tolist()),
        (float(size[0]), float(size[1]), float(size[2])),
        float(surface.areas[resting].sum()),
        float((surface.areas * -facing)[hanging].sum()),
    )


def _turn_down(down: Floats) -> Floats:
    """Return the shortest rotation that turns `down` to (0, 0, -1); right angles come out exact."""
    if down[2] < -1 + 1e-12:
        return np.eye(3)
    if down[2] > 1 - 1e-12:
        return np.diag([1.0, -1.0, -1.0])
    axis = np.cross(down, [0.0, 0.0, -1.0])
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.eye(3) + cross + cross @ cross / (1 - down[2])
    return np.asarray(np.where(np.abs(turn) < 1e-9, 0.0, turn))


def _squared(corners: Floats) -> Floats:
    """Return the turn about the vertical that makes the box around corners smallest, by less than 45°.

    An edge of the hull lies on a side of the smallest box (Freeman and Shapira, 1975).
    """
    from scipy.spatial import ConvexHull, QhullError

    try:
        rim = corners[ConvexHull(corners[:, :2]).vertices, :2]
    except (QhullError, ValueError):
        return np.eye(3)
    along = np.roll(rim, -1, axis=0) - rim
    angles = (
        np.unique(np.round(np.remainder(np.arctan2(along[:, 1], along[:, 0]) + np.pi / 4, np.pi / 2), 9)) - np.pi / 4
    )
    cosines, sines = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y = cosines * rim[:, 0] + sines * rim[:, 1], cosines * rim[:, 1] - sines * rim[:, 0]
    best = int((np.ptp(x, axis=1) * np.ptp(y, axis=1)).argmin())
    c, s = float(cosines[best, 0]), float(sines[best, 0])
    return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])


@dataclass(frozen=True)
class Lying:
    """A way to lie with the room for supports that was measured for it."""

    pose: Pose
    support_mm3: float

    @property
    def seconds(self) -> float:
        """About how long supports and layer changes take: 80 s for each cm³ of room, 15 s for each mm of height."""
        return SUPPORT_S_PER_MM3 * self.support_mm3 + HEIGHT_S_PER_MM * self.pose.size_mm[2]


def promising(ways: list[Pose]) -> list[Pose]:
    """Return the few ways that may be better than the first, how the part lies now."""
    now = ways[0]
    others = [way for way in ways[1:] if not is_tiny(way) and (is_tiny(now) or way.cost < now.cost)]
    return sorted(others, key=lambda way: way.cost)[:MOST_PROMISING]


def better(now: Lying, others: list[Lying]) -> Lying | None:
    """Return the way to lie that is clearly better: with far less to support, or held by the plate when now it is not.

    A part that is merely flatter on another side is left alone: its owner may want the layers to run as they do.
    """
    best = min(others, key=lambda way: way.seconds, default=None)
    if best is None:
        return None
    spared = now.support_mm3 - best.support_mm3
    quicker = spared > SOME_SUPPORT_MM3 and best.seconds < min(CLEARLY * now.seconds, now.seconds - WORTH_S)
    holds = is_tiny(now.pose) and best.support_mm3 <= max(now.support_mm3, SOME_SUPPORT_MM3)
    return best if quicker or holds else None


def is_tiny(way: Pose) -> bool:
    """Say whether so little of a part touches the plate that it may come off or not hold at all."""
    footprint = way.size_mm[0] * way.size_mm[1]
    return way.contact_mm2 < max(4.0, min(0.02 * footprint, 60.0)) and way.size_mm[2] > 2.0
