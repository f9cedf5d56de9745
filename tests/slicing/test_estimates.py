"""Estimates: exact where arithmetic is enough, close to real slices where it is not, and the same every time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh

from fablab.errors import Invalid
from fablab.slicing import slicer as slicing
from fablab.slicing.calibration import typical
from fablab.slicing.choices import Choices, Quality
from fablab.slicing.estimate import estimate, estimate_plate
from fablab.slicing.features import Features
from fablab.slicing.measure import measure
from fablab.slicing.profiles import settings

Stl = Callable[..., Path]


def features_of(stl: Stl, shape: object) -> Features:
    return measure(stl(shape), "part.stl")[1]


def table(leg_mm: float = 30.0) -> trimesh.Trimesh:
    """A leg with a plate on top: the plate needs supports."""
    leg = trimesh.creation.box((10, 10, leg_mm))
    plate = trimesh.creation.box((50, 50, 4))
    plate.apply_translation([0, 0, leg_mm / 2 + 2])
    return trimesh.util.concatenate([leg, plate])


def grams(features: Features, **choices: object) -> float:
    return estimate(features, settings("mk3", Choices("PLA", **choices))).mass_g  # type: ignore[arg-type]


def test_a_solid_block_weighs_its_volume(stl: Stl) -> None:
    features = features_of(stl, trimesh.creation.box((40, 40, 20)))
    found = estimate(features, settings("mk3", Choices("PLA", infill_percent=100)))
    assert found.mass_g == pytest.approx(32 * 1.24, rel=0.04)
    assert found.filament_mm == pytest.approx(found.mass_g / 1.24 * 1000 / (np.pi * 1.75**2 / 4))


def test_an_empty_block_weighs_its_shell(stl: Stl) -> None:
    found = grams(features_of(stl, trimesh.creation.box((60, 60, 60))), infill_percent=0)
    walls, skins = 0.86 * 4 * 60 * 60, 1.8 * 60 * 60
    assert found == pytest.approx((walls + skins) / 1000 * 1.24, rel=0.1)


def test_parts_of_the_figures_add_up(stl: Stl) -> None:
    found = estimate(features_of(stl, table()), settings("mk3", Choices("PLA", supports=True)), 3)
    assert sum(found.mass_g_by.values()) == pytest.approx(found.mass_g)
    assert sum(found.time_s_by.values()) == pytest.approx(found.time_s)
    assert found.copies == 3


def test_more_infill_weighs_more_and_takes_longer(stl: Stl) -> None:
    features = features_of(stl, trimesh.creation.box((40, 40, 40)))
    found = [estimate(features, settings("mk3", Choices("PLA", infill_percent=p))) for p in (0, 10, 20, 50, 100)]
    assert [each.mass_g for each in found] == sorted(each.mass_g for each in found)
    assert [each.time_s for each in found] == sorted(each.time_s for each in found)


def test_thinner_layers_take_longer_for_much_the_same_mass(stl: Stl) -> None:
    features = features_of(stl, trimesh.creation.box((40, 40, 40)))
    fine, draft = (estimate(features, settings("mk3", Choices("PLA", q))) for q in (Quality.FINE, Quality.DRAFT))
    assert fine.time_s > 1.7 * draft.time_s
    assert fine.mass_g == pytest.approx(draft.mass_g, rel=0.25)


def test_a_soft_material_flows_slowly(stl: Stl) -> None:
    features = features_of(stl, trimesh.creation.box((40, 40, 20)))
    soft, hard = (estimate(features, settings("mk3", Choices(name))) for name in ("TPU", "PLA"))
    assert soft.time_s > 1.2 * hard.time_s
    assert soft.mass_g / hard.mass_g == pytest.approx(1.21 / 1.24, rel=1e-6)


def test_supports_are_under_overhangs_and_nowhere_else(stl: Stl) -> None:
    upright = features_of(stl, trimesh.creation.box((20, 20, 20)))
    assert grams(upright, supports=True) == grams(upright)
    short, tall = features_of(stl, table(20)), features_of(stl, table(40))
    added = [grams(each, supports=True) - grams(each) for each in (short, tall)]
    assert added[0] > 1
    assert added[1] > 1.5 * added[0]


def test_copies_share_the_wait_for_cooling_and_the_skirt(stl: Stl) -> None:
    small = features_of(stl, trimesh.creation.cylinder(radius=3, height=15))
    used = settings("mk3", Choices("PLA"))
    one, nine = estimate(small, used), estimate(small, used, 9)
    assert one.time_s_by["cooling"] > 0
    assert nine.time_s < 0.9 * 9 * one.time_s
    assert nine.mass_g < 9 * one.mass_g
    large = features_of(stl, trimesh.creation.box((50, 50, 20)))
    assert estimate(large, used, 4).time_s == pytest.approx(4 * estimate(large, used).time_s, rel=0.03)


@pytest.mark.parametrize("copies", [0, -1, 10**9])
def test_a_senseless_number_of_copies_is_refused(copies: int, stl: Stl) -> None:
    with pytest.raises(Invalid):
        estimate(features_of(stl, trimesh.creation.box((5, 5, 5))), settings("mk3", Choices("PLA")), copies)


def test_the_same_file_gives_the_same_figures(sample_files: list[Path]) -> None:
    used = settings("ender3", Choices("PETG", supports=True))
    for file in sample_files:
        first, second = (estimate(measure(file, file.name)[1], used) for _ in range(2))
        assert (first.mass_g, first.time_s) == (second.mass_g, second.time_s)


def test_an_open_part_gives_an_untrusted_estimate(stl: Stl) -> None:
    box = np.array(trimesh.creation.box((20, 20, 20)).triangles)
    used = settings("mk3", Choices("PLA"))
    assert not estimate(features_of(stl, box[1:]), used).trusted
    assert estimate(features_of(stl, box), used).trusted


@pytest.mark.parametrize(
    ("machine", "choices"),
    [("mk3", Choices("PLA", Quality.NORMAL, 15)), ("ender3", Choices("PETG", Quality.DRAFT, 30))],
    ids=["mk3", "ender3"],
)
def test_estimates_are_close_to_real_slices(
    machine: str, choices: Choices, slicer: slicing.Slicer, sample_files: list[Path], tmp_path: Path
) -> None:
    used = settings(machine, choices)
    for file in sample_files:
        report, features = measure(file, file.name)
        found = estimate(features, used)
        real = slicing.slice_model(slicer, file, used, 1, tmp_path / "out.gcode", size_mm=report.size_mm)
        assert found.mass_g == pytest.approx(real.mass_g, rel=0.12), file.name
        assert found.time_s == pytest.approx(real.time_s, rel=0.25), file.name


def test_copies_and_supports_are_close_to_real_slices(slicer: slicing.Slicer, stl: Stl, tmp_path: Path) -> None:
    file = stl(table(20))
    report, features = measure(file, "table.stl")
    used = settings("mk3", Choices("PLA", supports=True))
    found = estimate(features, used, 4)
    real = slicing.slice_model(slicer, file, used, 4, tmp_path / "out.gcode", size_mm=report.size_mm)
    assert found.mass_g == pytest.approx(real.mass_g, rel=0.2)
    assert found.time_s == pytest.approx(real.time_s, rel=0.3)


def test_other_parts_on_the_plate_shorten_the_wait_for_cooling(stl: Stl) -> None:
    small = features_of(stl, trimesh.creation.cylinder(radius=3, height=15))
    large = features_of(stl, trimesh.creation.box((50, 50, 20)))
    used = settings("mk3", Choices("PLA"))
    both = estimate_plate([(small, 1), (large, 2)], used)
    assert both.copies == 3
    assert both.time_s < estimate(small, used).time_s + estimate(large, used, 2).time_s
    assert both.mass_g == pytest.approx(estimate(small, used).mass_g + estimate(large, used, 2).mass_g, rel=0.02)


def test_a_range_holds_the_figure_and_is_wider_for_faults(stl: Stl) -> None:
    box = np.array(trimesh.creation.box((20, 20, 20)).triangles)
    used = settings("mk3", Choices("PLA"))
    closed, torn = (estimate(features_of(stl, shape), used) for shape in (box, box[1:]))
    for found in (closed, torn):
        assert found.mass_range_g[0] < found.mass_g < found.mass_range_g[1]
        assert 0 < found.time_range_s[0] < found.time_s < found.time_range_s[1]
    assert torn.time_range_s[1] / torn.time_s > closed.time_range_s[1] / closed.time_s


def test_the_calibration_says_where_it_comes_from() -> None:
    assert typical().slicer.startswith("PrusaSlicer")
    assert typical().slices > 200
    assert typical().error
