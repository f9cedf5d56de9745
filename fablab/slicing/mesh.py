"""A part as triangles, and what is refused whatever file it came in."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fablab.errors import Invalid
from fablab.words import Sentence, say

Triangles = NDArray[np.float64]
"""Corners in mm, shape (n, 3, 3): triangle, corner, axis."""

FEWEST_TRIANGLES = 4
MAX_TRIANGLES = 2_000_000
MAX_SIZE_MM = 10_000.0
MAX_FROM_ORIGIN_MM = 100_000.0
"""Beyond, 32-bit coordinates are coarser than a layer, and PrusaSlicer aborts."""


class BadMesh(Invalid):
    """This file cannot be printed from, and the sentence says why."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence, field="file")


def check_count(count: int) -> None:
    """Raise `BadMesh` for too few or too many triangles."""
    if count < FEWEST_TRIANGLES:
        raise BadMesh(say("This file holds only {count} triangles: a solid part needs at least four.", count=count))
    if count > MAX_TRIANGLES:
        raise BadMesh(
            say(
                "This file holds {count} triangles: more than {most}. Simplify the part before exporting it.",
                count=count,
                most=MAX_TRIANGLES,
            )
        )


def bounds(triangles: Triangles) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and the highest x, y, z: axis by axis, five times quicker than over the small axes at once."""
    columns = [triangles[:, :, axis] for axis in range(3)]
    return np.array([each.min() for each in columns]), np.array([each.max() for each in columns])


def lowest(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lowest of the three numbers (n, 3) of each triangle."""
    return np.minimum(np.minimum(corners[:, 0], corners[:, 1]), corners[:, 2])


def highest(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the highest of the three numbers (n, 3) of each triangle."""
    return np.maximum(np.maximum(corners[:, 0], corners[:, 1]), corners[:, 2])


def check_coordinates(triangles: Triangles) -> None:
    """Raise `BadMesh` for coordinates that are no numbers, no size of a part, or too far away."""
    low, high = bounds(triangles)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise BadMesh(say("This file contains coordinates that are not numbers. Export the part again."))
    size = float((high - low).max())
    if size > MAX_SIZE_MM:
        raise BadMesh(
            say("This part would measure {metres} m: check the unit it was exported in.", metres=_short(size / 1000))
        )
    if max(abs(float(low.min())), abs(float(high.max()))) > MAX_FROM_ORIGIN_MM:
        raise BadMesh(
            say("This part lies hundreds of metres from its origin: move it to the origin and export it again.")
        )


def _short(number: float) -> str:
    return f"{number:.0f}" if number < 1e6 else f"10^{math.floor(math.log10(number))}"
