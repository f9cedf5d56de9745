"""What may be done to a part, with its owner's consent, before it is printed: scale it, turn it, close its holes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.closure import open_steps
from fablab.slicing.mesh import Triangles

Row = tuple[float, float, float]
Turn = tuple[Row, Row, Row]
"""A rotation matrix, by rows."""

UNTURNED: Turn = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
MOST_OPEN_STEPS = 50_000
"""Open edges that are looked at; a part with more is torn, and covering it would invent a surface."""


@dataclass(frozen=True)
class Change:
    """Scale, then turn, then close the holes; the part is set on the plate again whenever it is measured."""

    scale: float = 1.0
    turn: Turn = UNTURNED
    close: bool = False

    def then(self, other: Change) -> Change:
        """Return both changes as one, the other after this one."""
        turn = np.asarray(other.turn) @ np.asarray(self.turn)
        return Change(self.scale * other.scale, turn_from(turn.tolist()), self.close or other.close)

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` turns back into this change."""
        return {"scale": self.scale, "turn": self.turn, "close": self.close}

    @staticmethod
    def from_json(data: dict[str, Any]) -> Change:
        """Return the change that `to_json` wrote."""
        return Change(float(data["scale"]), turn_from(data["turn"]), bool(data["close"]))


AS_SENT = Change()


def turn_from(rows: Sequence[Sequence[float]]) -> Turn:
    """Return three rows of three numbers as a turn."""
    first, second, third = ((float(x), float(y), float(z)) for x, y, z in rows)
    return first, second, third


def moved(triangles: Triangles, change: Change) -> Triangles:
    """Return triangles (n, 3, 3) scaled and turned."""
    made = triangles if change.scale == 1 else triangles * change.scale
    return made if change.turn == UNTURNED else np.asarray(made @ np.asarray(change.turn).T)


def holes(triangles: Triangles) -> list[NDArray[np.float64]] | None:
    """Return the rims (k, 3) of the holes in a surface, the way its edges run; None when it is torn.

    A rim that leads nowhere is no hole: what is open there stays open.
    """
    steps = open_steps(triangles, MOST_OPEN_STEPS)
    if steps is None:
        return None
    corners = triangles.reshape(-1, 3)
    after = steps - steps % 3 + (steps + 1) % 3
    places, number = np.unique(corners[np.r_[steps, after]], axis=0, return_inverse=True)
    tails, heads = np.split(number.ravel(), 2)
    return [places[loop] for loop in _loops(tails, heads)]


def covers(rims: list[NDArray[np.float64]]) -> Triangles:
    """Return triangles that cover holes, each with a fan around its middle."""
    return np.concatenate([np.empty((0, 3, 3)), *[_fan(rim) for rim in rims]])


def _loops(tails: NDArray[np.int64], heads: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Walk the edges into closed loops; an edge that leads nowhere is left out."""
    onwards: dict[int, list[int]] = {}
    for tail, head in zip(tails.tolist(), heads.tolist(), strict=True):
        onwards.setdefault(tail, []).append(head)
    loops = []
    for start in list(onwards):
        while onwards.get(start):
            loop, at = [start], onwards[start].pop()
            while at != start and onwards.get(at):
                loop.append(at)
                at = onwards[at].pop()
            if at == start and len(loop) > 2:
                loops.append(np.array(loop))
    return loops


def _fan(rim: NDArray[np.float64]) -> Triangles:
    """Return triangles from the middle of a rim (k, 3) to its edges, walked the other way than the surface does."""
    after = np.roll(rim, -1, axis=0)
    middle = np.broadcast_to(rim.mean(axis=0), rim.shape)
    return np.stack([after, rim, middle], axis=1)
