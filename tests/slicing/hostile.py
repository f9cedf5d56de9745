"""Files that are made to hurt: each looks like a part and is none, or far too much of one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.slicing.drawn import box

SEED = 11


def slivers(count: int = 200_000) -> np.ndarray:
    """Vertical needles, as thin as a number can be, all over a plate."""
    random = np.random.default_rng(SEED)
    feet = np.concatenate([random.random((count, 1, 2)) * 100, np.zeros((count, 1, 1))], axis=2)
    return feet + np.array([[0, 0, 0], [0.001, 0, 0], [0, 0.001, 100]])


def thicket(count: int = 200_000) -> np.ndarray:
    """Huge triangles in all directions through one another."""
    return np.random.default_rng(SEED).random((count, 3, 3)) * 200


def tiny_bodies(count: int = 100_000) -> np.ndarray:
    """Closed little tetrahedra, each a body of its own."""
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]) * 0.4
    one = corners[[[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]]]
    places = np.random.default_rng(SEED).random((count, 1, 1, 3)) * 100
    return (one + places).reshape(-1, 3, 3)


def repeated(count: int = 300_000) -> np.ndarray:
    """One triangle over and over, beside a box."""
    return np.concatenate([box(), np.repeat(box()[3:4], count, axis=0)])


def fan(count: int = 200_000) -> np.ndarray:
    """All triangles on one edge."""
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    tips = np.stack([np.cos(angles), np.sin(angles), np.full(count, 0.5)], axis=1) * 50
    ends = np.broadcast_to(np.array([[0, 0, 0], [0, 0, 50]], dtype=float), (count, 2, 3))
    return np.concatenate([ends, tips[:, None]], axis=1)


def spheres_in_spheres(count: int = 150) -> np.ndarray:
    """Shell in shell, all wound outwards: every ray is in a hundred bodies at once."""
    import trimesh

    ball = np.array(trimesh.creation.icosphere(subdivisions=4, radius=1).triangles)
    return np.concatenate([ball * radius for radius in np.linspace(5, 50, count)])


def holes(count: int = 16_000) -> np.ndarray:
    """Boxes that each lack a side."""
    places = np.stack(np.unravel_index(np.arange(count), (40, 40, 10)), axis=1)[:, None, None, :] * 3.0
    return (box(1, 1, 1)[2:] + places).reshape(-1, 3, 3)


def denormal() -> np.ndarray:
    """A box in the smallest numbers there are."""
    return box() * 1e-42


def zero_areas(count: int = 200_000) -> np.ndarray:
    """A box among triangles that are points and lines."""
    points = np.repeat(np.random.default_rng(SEED).random((count, 1, 3)) * 20, 3, axis=1)
    points[::2, 0] += 0.5
    return np.concatenate([box(), points])


def far_apart() -> np.ndarray:
    """Two specks of dust at the ends of a room."""
    return np.concatenate([box(0.01, 0.01, 0.01), box(0.01, 0.01, 0.01) + 9000])


def sponge() -> np.ndarray:
    """A closed body with as many walls as fit: rays meet it thousands of times."""
    slabs = np.stack([np.zeros(3000), np.zeros(3000), np.arange(3000) * 0.05], axis=1)[:, None, None, :]
    return (box(100, 100, 0.02) + slabs).reshape(-1, 3, 3)


HOSTILE: dict[str, Callable[[], np.ndarray]] = {
    "slivers": slivers,
    "thicket": thicket,
    "tiny bodies": tiny_bodies,
    "one triangle repeated": repeated,
    "fan": fan,
    "shells": spheres_in_spheres,
    "holes": holes,
    "denormal": denormal,
    "no areas": zero_areas,
    "far apart": far_apart,
    "sponge": sponge,
}
