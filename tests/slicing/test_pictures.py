"""Pictures of parts: what is in front is seen, what a finding is about stands out, and they are small and quick."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh

from fablab.slicing import picture, raster, samples
from fablab.slicing.examine import examine
from fablab.slicing.findings import Kind
from tests.slicing.drawn import box

Stl = Callable[..., Path]
RED = 60
"""A marked pixel is at least this much redder than blue."""


def decoded(png: bytes) -> np.ndarray:
    """Return RGBA (h, w, 4) of a picture as we write them: a palette, no filters."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(png):
        length, name = struct.unpack_from(">I4s", png, at)
        content = png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length)[0] == zlib.crc32(name + content)
        chunks[name], at = content, at + 12 + length
    width, height, depth, kind = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    assert (depth, kind) == (8, 3)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), dtype=np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    colours = np.frombuffer(chunks[b"PLTE"], dtype=np.uint8).reshape(-1, 3)
    opacity = np.frombuffer(chunks[b"tRNS"], dtype=np.uint8)
    return np.concatenate([colours[rows[:, 1:]], opacity[rows[:, 1:], None]], axis=2).astype(int)


def marked(pixels: np.ndarray) -> np.ndarray:
    return (pixels[:, :, 0] > pixels[:, :, 2] + RED) & (pixels[:, :, 3] > 0)


def test_a_triangle_covers_its_pixels_once() -> None:
    square = np.array([[[0, 0, 1], [8, 0, 1], [8, 4, 2]], [[0, 0, 1], [8, 4, 2], [0, 4, 2]]], dtype=float)
    seen = list(raster.fragments(square, 10, 10))
    pixels = np.concatenate([each.pixel for each in seen])
    assert sorted(pixels) == sorted(10 * y + x for y in range(4) for x in range(8))
    depth = np.concatenate([each.depth for each in seen])
    assert depth == pytest.approx(1 + (pixels // 10 + 0.5) / 4)


def test_what_lies_outside_the_picture_is_left_out() -> None:
    outside = np.array([[[-50, -50, 0], [-40, -50, 0], [-45, -40, 0]], [[3, 3, 0], [3, 3, 0], [3, 3, 0]]], dtype=float)
    assert sum(len(each.pixel) for each in raster.fragments(outside, 10, 10)) == 0


def test_a_box_fills_the_middle_and_leaves_the_corners_free() -> None:
    pixels = decoded(picture.draw(picture.look(box())))
    assert pixels.shape == (400, 400, 4)
    assert pixels[200, 200, 3] == 255
    assert pixels[[0, 0, -1, -1], [0, -1, 0, -1], 3].tolist() == [0] * 4
    assert pixels[:, :, 3].any(axis=0).sum() > 350 or pixels[:, :, 3].any(axis=1).sum() > 350


def test_the_top_is_brighter_than_the_sides() -> None:
    pixels = decoded(picture.draw(picture.look(box())))
    middle = pixels[:, 200]
    covered = np.flatnonzero(middle[:, 3] == 255)
    assert middle[covered[10], :3].sum() > middle[covered[-10], :3].sum() + 60


def test_what_is_in_front_hides_what_is_behind() -> None:
    pair = np.concatenate([box(), box(10, 10, 10) + np.array([5, 40, 0])])
    behind = np.arange(24) >= 12
    assert not marked(decoded(picture.draw(picture.look(pair), ~behind)))[:150].all()
    front = np.concatenate([box(60, 5, 60), box(10, 10, 10) + np.array([25, 20, 5])])
    assert not marked(decoded(picture.draw(picture.look(front), behind))).any()


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        (box()[2:], Kind.OPEN),
        (box()[np.arange(12) // 2 != 4], Kind.OPEN),
        (np.concatenate([box(40, 0.3, 30), box(40, 30, 4) + np.array([60, 0, 0])]), Kind.THIN),
    ],
    ids=["open side", "open bottom", "thin"],
)
def test_the_place_of_a_finding_stands_out(shape: np.ndarray, kind: Kind, stl: Stl) -> None:
    seen = examine(stl(shape), "part.stl")
    assert kind in [finding.kind for finding in seen.report.findings]
    assert marked(decoded(seen.look.picture(kind))).sum() > 500
    assert not marked(decoded(seen.look.picture())).any()


def test_an_overhang_is_shown_from_below(stl: Stl) -> None:
    mushroom = np.concatenate([box(20, 20, 30), box(60, 60, 6) + np.array([-20, -20, 30])])
    seen = examine(stl(mushroom), "part.stl")
    assert marked(decoded(seen.look.picture(Kind.OVERHANG))).sum() > 5000


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_a_picture_is_small(name: str) -> None:
    assert len(picture.draw(picture.look(samples.SAMPLES[name]()))) < 20_000


def test_a_hundred_thousand_triangles_are_drawn_quickly() -> None:
    ball = np.array(trimesh.creation.icosphere(subdivisions=6, radius=20).triangles)
    picture.draw(picture.look(box()))
    started = time.process_time()
    png = picture.draw(picture.look(ball))
    assert time.process_time() - started < 0.45  # 0.12 s when nothing runs beside
    assert len(png) < 20_000


def test_a_million_triangles_are_drawn_as_a_sample_without_holes() -> None:
    ball = np.array(trimesh.creation.icosphere(subdivisions=8, radius=20).triangles)
    opacity = decoded(picture.draw(picture.look(ball)))[:, :, 3]
    y, x = np.mgrid[:400, :400]
    inside = np.hypot(x - 199.5, y - 199.5) < 178
    assert (opacity[inside] == 0).mean() < 0.001


def test_a_thicket_is_drawn_within_its_time() -> None:
    thicket = np.random.default_rng(1).random((100_000, 3, 3)) * 100
    started = time.process_time()
    picture.draw(picture.look(thicket, closed=False))
    assert time.process_time() - started < 1.5


def test_a_part_of_which_nothing_faces_us_gives_an_empty_picture() -> None:
    turned_away = box()[[0, 1, 6, 7, 8, 9]]
    pixels = decoded(picture.draw(picture.look(turned_away)))
    assert not pixels.any()
