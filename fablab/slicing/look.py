"""A part as it is looked at: outward, on the plate, each thing about it measured once and only when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fablab.slicing import changes, checks, orientation, overhangs, picture, thinness
from fablab.slicing.changes import UNTURNED, Change
from fablab.slicing.closure import open_edge_share, open_steps
from fablab.slicing.findings import Kind
from fablab.slicing.geometry import standing, surface
from fablab.slicing.mesh import BadMesh, Triangles
from fablab.words import say

Floats = NDArray[np.float64]

SMALLEST_SIZE_MM = 0.1
DUST_MM = 0.005
MOSTLY_OPEN = 0.5
LITTLE_SEEN = 0.01
FLAT_SHARE = 1e-6
"""A volume below this share of area × size is no volume."""


@dataclass(frozen=True)
class Look:
    """Outward triangles (n, 3, 3) that stand on z = 0. `rims` are the holes in the surface, None for a torn one.

    `volume_mm3` counts the holes as closed.
    """

    triangles: Triangles
    normals: Floats
    areas: Floats
    inverted: bool
    open_share: float
    rims: list[Floats] | None
    volume_mm3: float

    @staticmethod
    def at(triangles: Triangles) -> Look:
        """Look at triangles that stand on z = 0; a surface that is inside out is turned back. Raises `BadMesh`."""
        open_share = open_edge_share(triangles)
        outside = surface(triangles)
        normals, area = outside.normals, float(outside.areas.sum())
        rims = _closable(triangles, area, open_share) if open_share else []
        volume = outside.volume_mm3 + (surface(changes.covers(rims)).volume_mm3 if rims else 0.0)
        _check_solid(np.ptp(triangles, axis=(0, 1)), volume, area)
        if volume < 0:
            triangles, normals = triangles[:, ::-1], -normals
            rims = [rim[::-1] for rim in rims] if rims is not None else None
        return Look(triangles, normals, outside.areas, volume < 0, open_share, rims, abs(volume))

    @cached_property
    def size_mm(self) -> tuple[float, float, float]:
        """Size as it lies."""
        x, y, z = np.ptp(self.triangles, axis=(0, 1)).tolist()
        return x, y, z

    @cached_property
    def walls(self) -> thinness.Walls | None:
        """How thick it is; not asked of open surfaces."""
        return thinness.walls(self.triangles, self.normals) if not self.open_share else None

    @cached_property
    def poses(self) -> list[orientation.Pose]:
        """Ways to lie, the present one first."""
        return orientation.poses(orientation.surface_of(self.triangles, self.normals, self.areas))

    @cached_property
    def flat_side(self) -> tuple[orientation.Lying, orientation.Lying] | None:
        """How it lies now and a way that is clearly better, if there is one."""
        if self.underneath is None:
            return None
        now = orientation.Lying(self.poses[0], self.underneath.room_mm3)
        best = orientation.better(now, [self._laid(way) for way in orientation.promising(self.poses)])
        return (now, best) if best is not None else None

    def _laid(self, way: orientation.Pose) -> orientation.Lying:
        laid = standing(changes.moved(self.triangles, Change(turn=way.turn)))
        under = overhangs.underneath(laid, self.normals @ np.asarray(way.turn).T)
        return orientation.Lying(way, np.inf if under is None else under.room_mm3)

    @cached_property
    def hanging(self) -> tuple[NDArray[np.int64], float]:
        """Steep triangles that need supports, and their area in mm²."""
        return overhangs.hanging(self.triangles, self.normals, self.areas)

    @cached_property
    def underneath(self) -> overhangs.Underneath | None:
        """The room for supports; None for thickets and parts too detailed to look at."""
        return overhangs.underneath(self.triangles, self.normals)

    @property
    def hanging_mm2(self) -> float:
        """Area that needs supports: what hangs, without the places where bodies stand on one another."""
        triangles, area = self.hanging
        return area if self.underneath is None else self.underneath.area_mm2(triangles)

    @cached_property
    def _front(self) -> picture.View:
        return picture.look(self.triangles, closed=not self.open_share)

    def picture(self, kind: Kind | None = None, turn: changes.Turn = UNTURNED) -> bytes:
        """Return a PNG of the part, or of where a finding is: in colour, from below, or turned as is proposed."""
        match kind:
            case Kind.OPEN:
                steps = open_steps(self.triangles, changes.MOST_OPEN_STEPS)
                torn = np.empty(0, dtype=np.int64) if steps is None else steps // 3
                return self._telling(self._only(torn))
            case Kind.THIN:
                sides = self.walls.sides_thinner_than(checks.LINE_MM) if self.walls else np.empty(0, dtype=np.int64)
                return self._telling(self._only(sides))
            case Kind.OVERHANG:
                return picture.draw(picture.look(self.triangles, "below"), self._only(self.hanging[0]))
            case Kind.FLAT_SIDE:
                return picture.draw(picture.look(changes.moved(self.triangles, Change(turn=turn))))
            case _:
                return picture.draw(self._front)

    def _telling(self, marked: NDArray[np.bool_]) -> bytes:
        """Return the picture from above, or from below when little of what is marked is seen from above."""
        views = [self._front]
        if picture.seen(self._front, marked) < LITTLE_SEEN:
            views.append(picture.look(self.triangles, "below", closed=not self.open_share))
        best = max(views, key=lambda view: picture.seen(view, marked))
        return picture.draw(best, marked, mark_backs=True)

    def _only(self, some: NDArray[np.int64]) -> NDArray[np.bool_]:
        marked = np.zeros(len(self.triangles), dtype=bool)
        marked[some] = True
        return marked


def _closable(triangles: Triangles, area: float, open_share: float) -> list[Floats] | None:
    """Return the rims of holes; None when covering them would invent more than is there."""
    rims = changes.holes(triangles) if open_share < MOSTLY_OPEN else None
    if rims is None:
        return None
    return rims if float(surface(changes.covers(rims)).areas.sum()) < area else None


def _check_solid(size: Floats, volume: float, area: float) -> None:
    largest = float(size.max())
    if largest < DUST_MM:
        raise BadMesh(say("This part is smaller than a grain of sand: check the unit it was exported in."))
    thinnest = float(size.min()) * checks.likely_scale(largest)
    if thinnest < SMALLEST_SIZE_MM or abs(volume) <= FLAT_SHARE * area * largest:
        raise BadMesh(say("This part is flat: it has no volume to print. Give it a thickness."))
