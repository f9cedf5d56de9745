"""How many separate bodies a part is made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.closure import corner_keys
from fablab.slicing.mesh import Triangles

MOST_TRIANGLES = 300_000
"""Counting 300 000 takes 0.3 s; a part with more is not counted."""


def connected(triangles: Triangles) -> NDArray[np.int64]:
    """Return for each triangle the number of its group: groups share no corner with another."""
    from scipy.sparse import coo_array  # slow to import
    from scipy.sparse.csgraph import connected_components

    keys, corner = np.unique(corner_keys(triangles), return_inverse=True)
    corner = corner.reshape(-1, 3)
    starts, ends = np.concatenate([corner[:, 0], corner[:, 0]]), np.concatenate([corner[:, 1], corner[:, 2]])
    joined = coo_array((np.ones(len(starts), dtype=np.int8), (starts, ends)), shape=(len(keys), len(keys)))
    _, labels = connected_components(joined, directed=False)
    _, group = np.unique(labels[corner[:, 0]], return_inverse=True)
    return np.asarray(group, dtype=np.int64)


def count_bodies(triangles: Triangles) -> int | None:
    """Return how many bodies outward triangles form, cavities not counted; None for a part with too many triangles."""
    if len(triangles) > MOST_TRIANGLES:
        return None
    crosses = np.cross(triangles[:, 1], triangles[:, 2])
    volumes = np.bincount(connected(triangles), (triangles[:, 0] * crosses).sum(axis=1))
    return max(1, int((volumes > 0).sum()))
