"""Areas, normals and volume of triangles, in pieces, so that a million of them do not stand in memory five times."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.mesh import Triangles

Floats = NDArray[np.float64]

PIECE = 50_000
"""Triangles worked on at once: trimesh needs 200 bytes for each."""


def pieces(count: int) -> Iterator[slice]:
    """Yield slices that together are `count` triangles."""
    for begin in range(0, count, PIECE):
        yield slice(begin, begin + PIECE)


def volume_of(triangles: Triangles) -> float:
    """Return the signed volume in mm³: negative for a surface that is inside out."""
    from trimesh.triangles import mass_properties  # 0.3 s to import: only where it is needed

    with np.errstate(divide="ignore", invalid="ignore"):  # a flat part has no centre of mass
        return sum(float(mass_properties(triangles[some], skip_inertia=True).volume) for some in pieces(len(triangles)))


def normals_and_areas(triangles: Triangles) -> tuple[Floats, Floats]:
    """Return unit normals (n, 3), zero for triangles without area, and areas (n,) in mm²."""
    normals = np.empty((len(triangles), 3))
    areas = np.empty(len(triangles))
    for some in pieces(len(triangles)):
        corners = triangles[some]
        crosses = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        lengths = np.linalg.norm(crosses, axis=1)
        areas[some] = lengths / 2
        normals[some] = crosses / np.maximum(lengths, np.finfo(np.float64).tiny)[:, None]
    return normals, areas


def standing(triangles: Triangles) -> Triangles:
    """Move triangles to the plate and the origin, in place, and return them."""
    triangles -= triangles.min(axis=(0, 1))
    return triangles
