"""Layers of shapes whose walls, skins, bridges and supports can be computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as some

from fablab.slicing.anatomy import features_of
from fablab.slicing.bands import Bands, bands_of
from fablab.slicing.choices import Choices, Quality
from fablab.slicing.deposits import deposits_of
from fablab.slicing.drawing import lofted, rectangle
from fablab.slicing.estimate import estimate
from fablab.slicing.features import Features
from fablab.slicing.process import Process, process_of
from fablab.slicing.profiles import settings as profile_settings
from fablab.slicing.slabs import slabs_of
from fablab.slicing.supports import islands

MK3 = profile_settings("mk3", Choices("PLA", Quality.NORMAL, 15))
PROCESS = process_of(MK3)
SHAPE = PROCESS.shape


def standing(shape: object) -> np.ndarray:
    triangles = np.array(getattr(shape, "triangles", shape), dtype=float)
    return triangles - triangles.min(axis=(0, 1))


def features(shape: object) -> Features:
    triangles = standing(shape)
    volume = float(np.einsum("ij,ij->i", triangles[:, 0], np.cross(triangles[:, 1], triangles[:, 2])).sum() / 6)
    return features_of(triangles, volume, 1.0, closed=True)


def by_layer(values: np.ndarray, bands: Bands) -> np.ndarray:
    return np.repeat(values, bands.layers)


def ring(side: float, outer: float, inner: float) -> float:
    return (side - 2 * outer) ** 2 - (side - 2 * inner) ** 2


def test_a_cube_is_walls_around_infill_between_skins() -> None:
    bands = bands_of(features(trimesh.creation.box((20, 20, 20))), SHAPE)
    assert bands.layers.sum() == 100
    walls = by_layer(bands.wall_mm2, bands)
    assert walls == pytest.approx(ring(20, SHAPE.first_edge_mm, SHAPE.inner_edge_mm), rel=5e-3)
    solid, sparse = by_layer(bands.solid_mm2, bands), by_layer(bands.sparse_mm2, bands)
    core = (20 - 2 * SHAPE.fill_edge_mm) ** 2
    assert solid[1:4] == pytest.approx(core, rel=5e-3)
    assert solid[-5:] == pytest.approx(core, rel=5e-3)
    assert sparse[4:-5] == pytest.approx(core, rel=5e-3)
    assert solid[4:-5] == pytest.approx(0)
    assert by_layer(bands.outer_mm, bands) == pytest.approx(80)
    assert by_layer(bands.top_mm2, bands)[-1] == pytest.approx(core, rel=5e-3)


def test_the_lowest_skin_over_infill_is_a_bridge() -> None:
    bands = bands_of(features(trimesh.creation.box((20, 20, 20))), SHAPE)
    begins = np.cumsum(bands.layers) - bands.layers
    bridged = begins[bands.inner_bridge_mm2 > 0]
    assert bridged.tolist() == [95]
    assert bands.inner_bridge_mm2.sum() == pytest.approx((20 - 2 * SHAPE.fill_edge_mm) ** 2, rel=0.02)


def test_a_closed_cavity_has_skins_below_and_above() -> None:
    cavity = standing(trimesh.creation.box((10, 10, 10)))[:, ::-1] + 5
    bands = bands_of(features(np.concatenate([standing(trimesh.creation.box((20, 20, 20))), cavity])), SHAPE)
    solid = by_layer(bands.solid_mm2, bands)
    grown = 10 + 2 * 3.0
    assert solid[20:25] == pytest.approx(grown**2, rel=0.06)
    assert solid[75:79] == pytest.approx(grown**2, rel=0.06)
    assert solid[45:55] == pytest.approx(0, abs=1)
    assert by_layer(bands.outer_mm, bands)[50] == pytest.approx(120)


def test_a_thin_rib_is_all_wall() -> None:
    bands = bands_of(features(trimesh.creation.box((30, 1.9, 10))), SHAPE)
    edge = SHAPE.first_edge_mm
    assert bands.wall_mm2 == pytest.approx((30 - 2 * edge) * (1.9 - 2 * edge), rel=0.02)
    assert bands.sparse_mm2 == pytest.approx(0, abs=1e-6)


def test_a_rib_of_two_lines_has_no_inner_wall() -> None:
    bands = bands_of(features(trimesh.creation.box((30, 0.95, 10))), SHAPE)
    assert bands.inner_mm == pytest.approx(0, abs=1e-6)
    assert bands.outer_mm == pytest.approx(2 * (30 + 0.95), rel=0.01)


def test_the_shell_of_a_pyramid_is_as_thick_as_its_skins_reach() -> None:
    pyramid = trimesh.creation.cone(radius=20 * math.sqrt(2), height=20, sections=4)
    bands = bands_of(features(pyramid), SHAPE)
    lean = 1.0
    shift = lean * SHAPE.layer_mm * (SHAPE.top_layers - 1)
    layer = 25
    side = 2 * (20 - (layer + 0.5) * SHAPE.layer_mm) * lean
    ring_mm2 = ring(side, SHAPE.fill_edge_mm, SHAPE.inner_edge_mm + shift)
    inside = side - 2 * (SHAPE.inner_edge_mm + shift)
    overlap = 0.315 * SHAPE.solid_spacing_mm * 4 * inside
    assert by_layer(bands.solid_mm2, bands)[layer] == pytest.approx(ring_mm2 + overlap, rel=0.12)


def test_a_ball_has_the_volume_of_a_ball_in_its_layers() -> None:
    bands = bands_of(features(trimesh.creation.icosphere(subdivisions=4, radius=15)), SHAPE)
    areas = bands.wall_mm2 + bands.solid_mm2 + bands.sparse_mm2
    assert float((areas * bands.layers).sum()) * 0.2 == pytest.approx(4 / 3 * math.pi * 15**3, rel=0.02)


def test_supports_fill_the_room_under_a_table() -> None:
    leg, plate = trimesh.creation.box((10, 10, 20)), trimesh.creation.box((50, 50, 4))
    plate.apply_translation([0, 0, 12])
    found = features(trimesh.util.concatenate([leg, plate]))
    under = found.edges_mm[:-1] < 19.9
    grown = 50 + 2 * 1.4
    expected = grown**2 - (10 + 2 * 0.27) ** 2
    assert found.support_mm2[under] == pytest.approx(expected, rel=0.03)
    assert found.support_mm2[~under] == pytest.approx(0)
    assert float(found.support_floor_mm2) == 0
    assert found.support_islands[under] == pytest.approx(1)
    assert not found.support_is_fine.any()


@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_pieces_of_supports_are_counted_by_their_corners(pieces: int) -> None:
    mask = np.zeros((2, 12, 40), dtype=bool)
    for place in range(pieces):
        mask[0, 3:9, 8 * place + 1 : 8 * place + 6] = True
        mask[0, 5, 8 * place + 6 - place % 2] = True
    assert list(islands(mask)) == [pieces, 0]


def test_supports_of_slopes_have_layers_as_thin_as_the_part_and_others_taller_ones() -> None:
    """A ramp from its top edge down, and a table of the same height: the same room, held up in steps or at once."""
    lean = math.tan(math.radians(60))
    ramp = features(lofted(lambda z: np.array(rectangle(10 + lean * z, 30, lean * z / 2, 0)), [0, 20]))
    held = ramp.support_mm2[1:-1] > 0
    assert held.any()
    assert ramp.support_is_fine[1:-1][held].all()


def test_interfaces_and_gaps_take_their_room_from_the_body_of_supports() -> None:
    supported = process_of(profile_settings("mk3", Choices("PLA", Quality.NORMAL, 15, supports=True)))

    def body_and_interface(height: float) -> tuple[float, float]:
        leg, plate = trimesh.creation.box((10, 10, height)), trimesh.creation.box((50, 50, 4))
        plate.apply_translation([0, 0, height / 2 + 2])
        found = features(trimesh.util.concatenate([leg, plate]))
        made = deposits_of(found, bands_of(found, SHAPE), supported).supports
        return made.body_mm3, made.interface_mm3

    (low, under_low), (high, under_high) = body_and_interface(3), body_and_interface(23)
    assert under_low == pytest.approx(under_high, rel=0.01)
    spacing = 0.38 - supported.support_tallest_mm * (1 - math.pi / 4)
    room = 52.8**2 - (10 + 2 * 0.27) ** 2
    across = room * spacing / (spacing + supported.support_spacing_mm)
    around = 0.8 * (4 * 52.8 + 4 * (10 + 2 * 0.27)) * spacing
    assert high - low == pytest.approx(20 * (across + around), rel=0.06)
    first = (room * 0.95 - across + around / 0.8 / spacing * 0.4) * supported.first_layer_mm
    taken = supported.support_gap_mm + 1.1 * supported.support_interface_layers * supported.support_tallest_mm
    assert low == pytest.approx((3 - taken) * (across + around) + first, rel=0.06)


@pytest.mark.parametrize(("lean_deg", "held"), [(30, False), (44, False), (48, True), (60, True)])
def test_a_wall_that_leans_out_is_held_up_from_46_degrees(lean_deg: float, held: bool) -> None:
    lean = math.tan(math.radians(lean_deg))
    wall = lofted(lambda z: np.array(rectangle(40, 8, 0, lean * z)), [0, 20])
    assert bool(features(wall).support_mm2.sum() > 0) is held


def test_a_ledge_inside_is_held_up_from_the_part() -> None:
    shelf = np.concatenate([
        standing(trimesh.creation.box((30, 30, 3))),
        standing(trimesh.creation.box((3, 30, 20))) + np.array([0, 0, 3]),
        standing(trimesh.creation.box((15, 30, 3))) + np.array([0, 0, 23]),
    ])  # fmt: skip
    found = features(shelf)
    assert float(found.support_floor_mm2) == pytest.approx((15 - 3 - 0.27 + 1) * 30, rel=0.15)


def test_few_slabs_for_straight_walls_and_many_for_a_ball() -> None:
    assert len(slabs_of(standing(trimesh.creation.box((20, 20, 20))), 200).is_moving) == 1
    ball = slabs_of(standing(trimesh.creation.icosphere(subdivisions=4, radius=15)), 200)
    assert 40 < len(ball.is_moving) <= 200
    assert ball.is_moving.mean() > 0.9


def test_a_level_face_is_an_edge_between_slabs() -> None:
    steps = np.concatenate(
        [standing(trimesh.creation.box((20, 20, 7))), standing(trimesh.creation.box((10, 10, 6))) + np.array([5, 5, 7])]
    )
    found = slabs_of(steps, 200)
    assert found.edges_mm.tolist() == pytest.approx([0, 7, 13])
    assert found.is_level.tolist() == [False, True, False]


def test_material_of_a_block_without_walls_is_all_infill_and_skins() -> None:
    process: Process = PROCESS
    bare = type(SHAPE)(**{**{f: getattr(SHAPE, f) for f in SHAPE.__dataclass_fields__}, "loops": 0})
    bands = bands_of(features(trimesh.creation.box((20, 20, 20))), bare)
    assert process.shape.loops == 2
    assert bands.wall_mm2 == pytest.approx(0)
    assert by_layer(bands.sparse_mm2, bands)[50] == pytest.approx(400, rel=5e-3)


BLOCK = standing(trimesh.creation.box((24, 14, 9)))
WITH_STEP = np.concatenate([BLOCK, standing(trimesh.creation.box((10, 10, 5))) + np.array([3, 2, 9])])


@settings(max_examples=12, deadline=None)
@given(move=some.tuples(*[some.floats(-300, 300)] * 2), order=some.permutations(range(len(WITH_STEP))))
def test_place_and_order_of_triangles_change_no_figure(move: tuple[float, float], order: list[int]) -> None:
    here = estimate(features(WITH_STEP), MK3)
    there = estimate(features(WITH_STEP[order] + np.array([*move, 0.0])), MK3)
    assert there.mass_g == pytest.approx(here.mass_g, rel=1e-3)
    assert there.time_s == pytest.approx(here.time_s, rel=2e-3)


@settings(max_examples=8, deadline=None)
@given(degrees=some.floats(0, 360))
def test_turning_a_part_about_the_vertical_hardly_changes_its_figures(degrees: float) -> None:
    turn = trimesh.transformations.rotation_matrix(math.radians(degrees), [0, 0, 1])[:3, :3]
    here, there = (estimate(features(shape), MK3) for shape in (WITH_STEP, WITH_STEP @ turn.T))
    assert there.mass_g == pytest.approx(here.mass_g, rel=0.015)
    assert there.time_s == pytest.approx(here.time_s, rel=0.04)


@settings(max_examples=8, deadline=None)
@given(scale=some.floats(1.05, 3.0))
def test_a_larger_part_takes_more(scale: float) -> None:
    small, large = (estimate(features(shape), MK3) for shape in (WITH_STEP, WITH_STEP * scale))
    assert small.mass_g < large.mass_g < scale**3 * small.mass_g
    assert small.time_s < large.time_s


def test_triangles_given_twice_add_nothing() -> None:
    once, twice = estimate(features(BLOCK), MK3), estimate(features(np.concatenate([BLOCK, BLOCK])), MK3)
    assert twice.mass_g == pytest.approx(once.mass_g, rel=0.01)
    assert not twice.trusted
