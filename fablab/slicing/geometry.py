"""Areas, normals and volume of triangles, in pieces, so that a million of them do not stand in memory five times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.mesh import Triangles, bounds

Floats = NDArray[np.float64]

PIECE = 50_000
"""Triangles worked on at once: 10 MB."""


def pieces(count: int) -> Iterator[slice]:
    """Yield slices that together are `count` triangles."""
    for begin in range(0, count, PIECE):
        yield slice(begin, begin + PIECE)


@dataclass(frozen=True)
class Surface:
    """Unit normals (n, 3), zero for triangles without area, areas (n,) in mm², and the volume they enclose in mm³.

    The volume is negative for a surface that is inside out.
    """

    normals: Floats
    areas: Floats
    volume_mm3: float


def surface(triangles: Triangles) -> Surface:
    """Return normals, areas and volume: the cross product of two sides is all three (divergence theorem)."""
    normals, areas, volume = np.empty((len(triangles), 3)), np.empty(len(triangles)), 0.0
    for some in pieces(len(triangles)):
        corners = triangles[some]
        crosses = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        volume += float(np.einsum("ij,ij->", corners[:, 0], crosses)) / 6
        lengths = np.linalg.norm(crosses, axis=1)
        areas[some] = lengths / 2
        normals[some] = crosses / np.maximum(lengths, np.finfo(np.float64).tiny)[:, None]
    return Surface(normals, areas, volume)


def standing(triangles: Triangles) -> Triangles:
    """Move triangles to the plate and the origin, in place, and return them."""
    triangles -= bounds(triangles)[0]
    return triangles
