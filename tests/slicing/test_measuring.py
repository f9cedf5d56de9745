"""Shapes with known answers, and what must not change an answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as some

from fablab.slicing.anatomy import features_of
from fablab.slicing.closure import open_edge_share
from fablab.slicing.contours import trace
from fablab.slicing.depth import REACH_MM, depth_field, share_deeper
from fablab.slicing.features import Features, StaleFeatures
from fablab.slicing.measure import MeshReport, measure, measure_safely
from fablab.slicing.sections import cut

Stl = Callable[..., Path]


def cube(side: float = 20.0) -> np.ndarray:
    box = trimesh.creation.box((side, side, side))
    box.apply_translation([side / 2] * 3)
    return np.array(box.triangles)


def hollow_cube() -> np.ndarray:
    inner = cube(10)[:, ::-1] + 5
    return np.concatenate([cube(20), inner])


def test_a_cube_has_the_volume_and_area_of_a_cube(stl: Stl) -> None:
    report, features = measure(stl(cube()), "cube.stl")
    assert report.volume_mm3 == pytest.approx(8000)
    assert report.area_mm2 == pytest.approx(2400)
    assert report.size_mm == (20, 20, 20)
    assert (report.triangles, report.watertight, report.inverted, report.trusted, report.warnings) == (
        12,
        True,
        False,
        True,
        [],
    )
    assert features.slab_mm2 == pytest.approx(400)
    assert features.slab_perimeter_mm == pytest.approx(80)


@pytest.mark.parametrize("degrees", [0, 10, 30, 45, 50])
def test_walls_of_a_turned_box_are_as_wide_as_those_of_a_straight_one(degrees: float) -> None:
    box = trimesh.creation.box((100, 60, 10))
    box.apply_transform(trimesh.transformations.rotation_matrix(math.radians(degrees), (0, 0, 1)))
    box.apply_translation((0, 0, 5))
    features = features_of(np.asarray(box.triangles), 60_000.0, 15_200.0, True)
    cell = float(features.cell_mm)
    for width in (0.84, 1.5):
        wall = 6000 - float(share_deeper(features.depth_mm[0], width, cell).sum()) * cell**2
        assert wall == pytest.approx(6000 - (100 - 2 * width) * (60 - 2 * width), rel=0.015)


def test_a_cavity_is_subtracted(stl: Stl) -> None:
    report, features = measure(stl(hollow_cube()), "hollow.stl")
    assert report.volume_mm3 == pytest.approx(7000)
    middle = np.searchsorted(features.edges_mm, 10.0) - 1
    assert features.slab_mm2[middle] == pytest.approx(300)
    assert features.slab_loops[middle] == 2
    assert report.trusted


def test_a_sphere_is_nearly_a_ball(stl: Stl) -> None:
    report, features = measure(stl(trimesh.creation.icosphere(subdivisions=4, radius=15)), "ball.stl")
    assert report.volume_mm3 == pytest.approx(4 / 3 * math.pi * 15**3, rel=0.01)
    assert report.area_mm2 == pytest.approx(4 * math.pi * 15**2, rel=0.01)
    volume_of_slabs = float((features.slab_mm2 * np.diff(features.edges_mm)).sum())
    assert volume_of_slabs == pytest.approx(report.volume_mm3, rel=0.005)


def test_a_tilted_slab_has_the_section_of_its_tilt() -> None:
    slab = trimesh.creation.box((100, 10, 100))
    slab.apply_transform(trimesh.transformations.rotation_matrix(math.radians(30), [1, 0, 0]))
    section = cut(np.array(slab.triangles), np.array([0.0]))
    assert section.areas(1)[0] == pytest.approx(100 * 10 / math.cos(math.radians(30)))
    assert section.perimeters(1)[0] == pytest.approx(2 * (100 + 10 / math.cos(math.radians(30))))


def test_planes_through_corners_and_faces_give_closed_contours() -> None:
    sections = cut(cube(), np.array([0.0, 10.0, 20.0]))
    assert sections.areas(3) == pytest.approx([400, 400, 0])
    assert trace(sections, 3).loops.tolist() == [1, 1, 0]


def test_a_square_has_four_corners_and_a_circle_none() -> None:
    square = trace(cut(cube(), np.array([5.0])), 1)
    assert sorted(square.length_mm) == pytest.approx([20] * 4)
    assert square.end_turn == pytest.approx(math.pi / 2)
    cylinder = trimesh.creation.cylinder(radius=10, height=20, sections=128)
    around = trace(cut(np.array(cylinder.triangles), np.array([1.0])), 1)
    assert around.length_mm == pytest.approx([2 * math.pi * 10], rel=1e-3)


def field_of(triangles: np.ndarray, height: float, cells: int = 4000) -> tuple[np.ndarray, float, float]:
    low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
    field = depth_field(cut(triangles, np.array([height])), 1, low[:2], high[:2], cells)
    return field.depth_mm[0], field.cell_mm, field.unpaired


def area_deeper(triangles: np.ndarray, height: float, than_mm: float) -> float:
    depth, cell, _ = field_of(triangles, height)
    return float(share_deeper(depth, than_mm, cell).sum() * cell**2)


def test_depth_is_the_distance_to_the_wall() -> None:
    depth, cell, unpaired = field_of(cube(), 5.0)
    rows, columns = depth.shape
    y, x = ((np.arange(count) + 0.5 - count / 2) * cell for count in (rows, columns))
    expected = np.minimum(10 - np.abs(x)[None, :], 10 - np.abs(y)[:, None])
    inside = expected > 0
    assert depth[inside] == pytest.approx(np.minimum(expected[inside], REACH_MM), abs=1e-4)
    assert (depth[~inside] <= 0).all()
    assert unpaired == 0


@pytest.mark.parametrize("than_mm", [0.0, 0.02, 0.84, 2.0])
def test_areas_inside_walls_are_those_of_smaller_squares(than_mm: float) -> None:
    assert area_deeper(cube(), 5.0, than_mm) == pytest.approx((20 - 2 * than_mm) ** 2, rel=2e-3)


def test_a_turned_square_has_the_areas_of_a_square() -> None:
    turn = trimesh.transformations.rotation_matrix(math.radians(27), [0, 0, 1])[:3, :3]
    assert area_deeper(cube() @ turn.T, 5.0, 0.84) == pytest.approx(18.32**2, rel=2e-3)


def test_the_depth_around_a_cavity_counts_from_its_walls() -> None:
    assert area_deeper(hollow_cube(), 10.0, 1.0) == pytest.approx(18**2 - 12**2 + (4 - math.pi), rel=5e-3)


def test_overlapping_bodies_are_one_on_the_grid() -> None:
    both = np.concatenate([cube(), cube() + np.array([10, 0, 0])])
    assert area_deeper(both, 5.0, 1.0) == pytest.approx(28 * 18, rel=2e-3)


def test_a_torn_surface_is_noticed_on_the_grid() -> None:
    side = np.flatnonzero((cube()[:, :, 0] == 0).all(axis=1))
    torn = np.delete(cube(), side, axis=0)
    assert field_of(torn, 5.0)[2] > 0.4


def test_touching_bodies_are_closed_and_a_missing_face_is_not() -> None:
    assert open_edge_share(np.concatenate([cube(), cube() + np.array([20, 20, 0])])) == 0
    assert open_edge_share(cube()[1:]) == pytest.approx(3 / 33)
    turned = cube()
    turned[0] = turned[0, ::-1]
    assert open_edge_share(turned) > 0


def test_an_inverted_part_is_turned_back(stl: Stl) -> None:
    right, features = measure(stl(cube()), "part.stl")
    wrong, turned = measure(stl(cube()[:, ::-1], "wrong.stl"), "part.stl")
    assert wrong.inverted
    assert wrong.volume_mm3 == pytest.approx(right.volume_mm3)
    assert "inside out" in str(wrong.warnings[0])
    assert turned.slab_mm2 == pytest.approx(features.slab_mm2)


def test_an_open_part_is_measured_but_not_trusted(stl: Stl) -> None:
    report, features = measure(stl(cube()[1:]), "open.stl")
    assert (report.watertight, report.trusted, bool(features.trusted)) == (False, False, False)
    assert "not closed" in str(report.warnings[0])


def test_overlapping_bodies_are_said(stl: Stl) -> None:
    report, _ = measure(stl(np.concatenate([cube(), cube() + np.array([5, 0, 0])])), "two.stl")
    assert (report.watertight, report.trusted) == (True, False)
    assert "overlap" in str(report.warnings[0])


@pytest.mark.parametrize(("side", "word"), [(0.8, "inches"), (2000, "millimetres")])
def test_an_odd_size_is_questioned(side: float, word: str, stl: Stl) -> None:
    report, _ = measure(stl(cube(side)), "part.stl")
    assert word in str(report.warnings[0])


def test_a_report_survives_json(stl: Stl) -> None:
    report, _ = measure(stl(cube()[1:, ::-1]), "part.stl")
    assert MeshReport.from_json(report.to_json()) == report


def test_features_survive_their_file(stl: Stl, tmp_path: Path) -> None:
    _, features = measure(stl(cube()), "part.stl")
    features.save(tmp_path / "features.npz")
    again = Features.load(tmp_path / "features.npz")
    assert again.depth_steps.tolist() == features.depth_steps.tolist()
    assert bool(again.trusted)


def test_a_file_of_another_version_or_kind_is_stale(stl: Stl, tmp_path: Path) -> None:
    _, features = measure(stl(cube()), "part.stl")
    np.savez(tmp_path / "old.npz", version=np.array(0), size_mm=features.size_mm)
    (tmp_path / "none.npz").write_text("no features")
    for name in ("old.npz", "none.npz", "missing.npz"):
        with pytest.raises(StaleFeatures):
            Features.load(tmp_path / name)


def test_the_locked_child_measures_the_same(sample_files: list[Path], tmp_path: Path) -> None:
    for file in sample_files[:2]:
        report, features = measure(file, file.name)
        assert measure_safely(file, file.name, tmp_path / "f.npz") == report
        assert Features.load(tmp_path / "f.npz").depth_steps.tolist() == features.depth_steps.tolist()


BRACKET = np.array(trimesh.creation.box((30, 12, 8)).triangles)
MOVES = some.tuples(*[some.floats(-500, 500, width=32)] * 3)


@settings(max_examples=6, deadline=None)
@given(move=MOVES)
def test_moving_a_part_changes_nothing(move: tuple[float, float, float]) -> None:
    moved = features_of(BRACKET + move - (BRACKET + move).min(axis=(0, 1)), 2880.0, 1.0, True)
    here = features_of(BRACKET - BRACKET.min(axis=(0, 1)), 2880.0, 1.0, True)
    assert moved.slab_mm2 == pytest.approx(here.slab_mm2, rel=1e-6)
    assert moved.slab_perimeter_mm == pytest.approx(here.slab_perimeter_mm, rel=1e-6)
    assert moved.depth_mm.mean() == pytest.approx(here.depth_mm.mean(), rel=0.01)


@settings(max_examples=15, deadline=None)
@given(order=some.permutations(range(24)), corner=some.integers(0, 2))
def test_the_order_of_triangles_changes_nothing(order: list[int], corner: int) -> None:
    shuffled = np.roll(hollow_cube()[order], corner, axis=1)
    assert cut(shuffled, np.array([7.0])).areas(1)[0] == pytest.approx(300)
    assert open_edge_share(shuffled) == 0
    assert field_of(shuffled, 7.0)[0] == pytest.approx(field_of(hollow_cube(), 7.0)[0])


@settings(max_examples=10, deadline=None)
@given(sides=some.tuples(*[some.floats(5, 60)] * 3))
def test_a_quarter_turn_keeps_every_section(sides: tuple[float, float, float]) -> None:
    box = np.array(trimesh.creation.box(sides).triangles)
    turned = box[:, :, [1, 0, 2]] * [-1, 1, 1]
    heights = np.linspace(-sides[2] / 2, sides[2] / 2, 7)[1:-1]
    assert cut(turned, heights).areas(5) == pytest.approx(cut(box, heights).areas(5))
    assert cut(turned, heights).areas(5) == pytest.approx(sides[0] * sides[1])
