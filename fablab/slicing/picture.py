"""A picture of a part without a graphics card: a depth buffer in numpy, soft light, thin outlines, a PNG by zlib.

Transparent around the part, and in the middle of the scale of greys, so that it stands on light and dark pages.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fablab.slicing import raster
from fablab.slicing.geometry import surface
from fablab.slicing.mesh import Triangles

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Where = Literal["above", "below"]

PIXELS = 400
FINER = 2
"""Each pixel is the mean of this many squared."""
MARGIN = 0.04
MOST_TRIANGLES = 250_000
"""More are drawn as a sample, each larger by as much as others are missing: 1 M takes 0.3 s."""
MOST_FRAGMENTS = 2_500_000.0
SEED = 7
AZIMUTH_DEG, ELEVATION_DEG = -32.0, 28.0
KEY_LIGHT, FILL_LIGHT = np.array([-0.45, -0.65, 0.75]), np.array([0.9, -0.1, 0.25])
CREASE = 0.8
"""Cosine of the angle between neighbouring faces from which on a line is drawn: 37°."""
SHADES, SOFT_SHADES = 40, 10
PLAIN_COLOURS = ((26, 38, 64), (104, 138, 190), (226, 235, 248))
MARKED_COLOURS = ((96, 30, 8), (232, 96, 36), (255, 205, 160))


@dataclass(frozen=True)
class View:
    """A part as it is seen: for every fine pixel the triangle in front (-1: none), turned away or not, and depth."""

    triangle: NDArray[np.int64]
    depth: Floats
    backs: NDArray[np.bool_]
    normals: Floats


def look(triangles: Triangles, where: Where = "above", *, closed: bool = True) -> View:
    """Return how a part (n, 3, 3) looks from the front and above, or below; of open ones the insides are seen too."""
    sample, growth = _sampled(len(triangles))
    corners = triangles if sample is None else triangles[sample]
    camera = _camera(where)
    placed = _framed(corners @ camera.T, growth)
    towards = _crosses(placed)[:, 2]
    wanted = np.flatnonzero((towards > 0) if closed else (towards != 0))
    wanted = _affordable(placed, wanted)
    normals = surface(corners).normals
    front, depth = _front(placed[wanted])
    if sample is not None:
        front, depth = _filled(front, depth)
    chosen = np.append(wanted, -1)[front]  # the last for pixels with nothing in front
    backs = (towards[chosen] < 0) & (chosen >= 0)
    original = chosen if sample is None else np.where(chosen >= 0, sample[chosen], -1)
    seen = normals[np.maximum(chosen, 0)] * np.where(backs, -1.0, 1.0)[..., None]
    return View(original, depth, backs, seen)


def seen(view: View, marked: NDArray[np.bool_]) -> float:
    """Return how much of a view, 0..1, is marked triangles or insides."""
    there = view.triangle >= 0
    shown = (marked[np.maximum(view.triangle, 0)] & there) | view.backs
    return float(shown.sum() / max(1, there.sum()))


def draw(view: View, marked: NDArray[np.bool_] | None = None, *, mark_backs: bool = False) -> bytes:
    """Return a view as PNG; `marked` (n,) says which triangles stand out in colour, `mark_backs` also insides."""
    covered = view.triangle >= 0
    light = _lit(view.normals) * np.where(_lines(view, covered), 0.5, 1.0)
    colour = np.zeros(covered.shape, dtype=bool)
    if marked is not None:
        colour = marked[np.maximum(view.triangle, 0)] & covered
    if mark_backs:
        colour |= view.backs
    return _png(_indexed(covered, light, colour))


def _sampled(count: int) -> tuple[NDArray[np.int64] | None, float]:
    """Return which triangles to draw, None for all, and how much larger."""
    if count <= MOST_TRIANGLES:
        return None, 1.0
    return np.linspace(0, count - 1, MOST_TRIANGLES).astype(np.int64), 2.0 * float(np.sqrt(count / MOST_TRIANGLES))


def _camera(where: Where) -> Floats:
    """Return the camera's axes as rows: right, up, towards us."""
    azimuth, elevation = np.radians(AZIMUTH_DEG), np.radians(ELEVATION_DEG if where == "above" else -ELEVATION_DEG)
    towards = np.array([-np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation)])
    right = np.array([np.cos(azimuth), -np.sin(azimuth), 0.0])
    return np.stack([right, np.cross(towards, right), towards])


def _framed(corners: Floats, growth: float) -> Floats:
    """Return corners in fine pixels, y downwards, depth from 0 (far) to 1."""
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    side = PIXELS * FINER
    scale = side * (1 - 2 * MARGIN) / max(float((high - low)[:2].max()), 1e-9)
    placed = corners - (low + high) / 2
    if growth > 1:
        middle = placed.mean(axis=1, keepdims=True)
        placed = middle + (placed - middle) * growth
    placed[:, :, :2] *= scale
    placed[:, :, 1] *= -1
    placed[:, :, :2] += side / 2
    placed[:, :, 2] = placed[:, :, 2] / max(float(high[2] - low[2]), 1e-9) + 0.5
    return np.asarray(placed)


def _crosses(corners: Floats) -> Floats:
    """Return the direction each triangle faces, times twice its area; the y axis points down."""
    crosses = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.asarray(crosses * -1.0)


def _affordable(placed: Floats, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return as many of the wanted triangles as can be drawn in time: all but for thickets of huge ones."""
    work = float(raster.expected(placed[wanted]).sum())
    if work <= MOST_FRAGMENTS:
        return wanted
    share = int(len(wanted) * MOST_FRAGMENTS / work)
    return np.sort(np.random.default_rng(SEED).permutation(wanted)[: max(1, share)])


def _front(placed: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return the number of the triangle in front at each fine pixel (-1: none), and its depth (0: none)."""
    side = PIXELS * FINER
    best = np.full(side * side, -1, dtype=np.int64)
    for some in raster.fragments(placed, side, side):
        near = np.clip(some.depth, 0.0, 1.0) * (1 << 30)
        np.maximum.at(best, some.pixel, (near.astype(np.int64) << 32) | some.triangle)
    nothing = best < 0
    front = np.where(nothing, -1, best & 0xFFFFFFFF)
    depth = np.where(nothing, 0.0, (best >> 32) / float(1 << 30))
    return front.reshape(side, side), depth.reshape(side, side)


def _filled(front: NDArray[np.int64], depth: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return the same with the pinholes of a sample closed: pixels far behind their neighbours on both sides."""
    for axis in (0, 1, 0, 1):
        nearer = np.minimum(np.roll(depth, 1, axis), np.roll(depth, -1, axis))
        hole = (depth < nearer - 0.01) & (nearer > 0)
        front = np.where(hole, np.roll(front, 1, axis), front)
        depth = np.where(hole, np.roll(depth, 1, axis), depth)
    return front, depth


def _lit(normals: Floats) -> Floats:
    """Return how bright (0..1) surfaces with these normals are."""
    key, fill = KEY_LIGHT / np.linalg.norm(KEY_LIGHT), FILL_LIGHT / np.linalg.norm(FILL_LIGHT)
    sky = 0.16 * normals[..., 2] + 0.16
    return np.asarray(
        np.clip(0.16 + sky + 0.52 * np.maximum(normals @ key, 0) + 0.2 * np.maximum(normals @ fill, 0), 0, 1)
    )


def _lines(view: View, covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say where an outline or an edge of the part is."""
    found = np.zeros(covered.shape, dtype=bool)
    for axis in (0, 1):
        here, there = (slice(None), slice(None, -1)), (slice(None), slice(1, None))
        if axis == 0:
            here, there = (here[1], here[0]), (there[1], there[0])
        rim = covered[here] != covered[there]
        bend = (view.normals[here] * view.normals[there]).sum(axis=-1) < CREASE
        step = np.abs(view.depth[here] - view.depth[there]) > 0.03
        edge = rim | ((bend | step) & covered[here] & covered[there])
        found[here] |= edge
        found[there] |= rim
    return found & covered


def _indexed(covered: NDArray[np.bool_], light: Floats, colour: NDArray[np.bool_]) -> Bytes:
    """Return a picture of palette numbers (see `_palette`) from fine pixels."""
    share = _means(covered.astype(np.float64))
    bright = _means(np.where(covered, light, 0.0)) / np.maximum(share, 1e-9)
    marked = _means(colour.astype(np.float64)) * 2 > share
    whole = share > 0.99
    solid = np.rint(bright * (SHADES - 1)) + marked * SHADES
    soft_level = np.clip(np.rint(share * 4) - 1, 0, 2)
    soft = np.rint(bright * (SOFT_SHADES - 1)) + marked * SOFT_SHADES + soft_level * 2 * SOFT_SHADES + 2 * SHADES
    return np.asarray(np.where(share == 0, 0, 1 + np.where(whole, solid, soft)).astype(np.uint8))


def _means(fine: Floats) -> Floats:
    side = fine.shape[0] // FINER
    return np.asarray(fine.reshape(side, FINER, side, FINER).mean(axis=(1, 3)))


def _palette() -> tuple[Bytes, Bytes]:
    """Return colours (k, 3) and opacities (k,): nothing, then plain and marked shades, then the same for soft rims."""
    solid = np.concatenate([_ramp(PLAIN_COLOURS, SHADES), _ramp(MARKED_COLOURS, SHADES)])
    soft = np.concatenate([_ramp(PLAIN_COLOURS, SOFT_SHADES), _ramp(MARKED_COLOURS, SOFT_SHADES)])
    colours = np.concatenate([np.zeros((1, 3)), solid, soft, soft, soft])
    opacity = np.concatenate([[0], np.full(len(solid), 255), np.repeat([64, 128, 191], len(soft))])
    return colours.astype(np.uint8), opacity.astype(np.uint8)


def _ramp(stops: tuple[tuple[int, int, int], ...], count: int) -> Floats:
    at = np.linspace(0, len(stops) - 1, count)
    return np.stack([np.interp(at, range(len(stops)), channel) for channel in zip(*stops, strict=True)], axis=1)


def _png(indexed: Bytes) -> bytes:
    """Return palette numbers (h, w) as PNG (ISO/IEC 15948)."""
    height, width = indexed.shape
    colours, opacity = _palette()
    rows = np.zeros((height, width + 1), dtype=np.uint8)  # each row begins with its filter: 0, none
    rows[:, 1:] = indexed
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", colours.tobytes()),
            _chunk(b"tRNS", opacity.tobytes()),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
