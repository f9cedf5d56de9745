"""Fitting on a plate, and how many copies do: PrusaSlicer must accept what we promise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as some

from fablab.errors import Invalid
from fablab.slicing import slicer as slicing
from fablab.slicing.choices import Choices, Quality
from fablab.slicing.plates import copies_per_plate, fits, fits_as_it_lies, packed, turned
from fablab.slicing.profiles import machine_profiles, settings
from fablab.slicing.stl import write_stl

MK3, ENDER3 = machine_profiles()["mk3"], machine_profiles()["ender3"]
SIDES = some.floats(0.5, 300)


def test_a_long_part_fits_when_turned() -> None:
    long = (20.0, 230.0, 10.0)
    assert fits(long, MK3)
    assert not fits_as_it_lies(long, MK3)
    assert not fits(long, ENDER3)


def test_height_counts_and_is_never_turned() -> None:
    assert fits((10, 10, 210), MK3)
    assert not fits((10, 10, 210.5), MK3)
    assert fits((10, 10, 240), ENDER3)


def test_the_edges_are_kept_for_the_skirt() -> None:
    assert fits((240, 200, 10), MK3)
    assert not fits((241, 200, 10), MK3)


def test_what_does_not_fit_has_no_copies() -> None:
    assert copies_per_plate((300, 300, 10), MK3) == 0
    assert copies_per_plate((240, 200, 10), MK3) == 1


@given(size=some.tuples(SIDES, SIDES, SIDES))
def test_turning_a_part_changes_nothing(size: tuple[float, float, float]) -> None:
    assert fits(size, MK3) == fits(turned(size), MK3)
    assert copies_per_plate(size, MK3) == copies_per_plate(turned(size), MK3)


@given(size=some.tuples(SIDES, SIDES, SIDES), shrink=some.floats(0.1, 1))
def test_a_smaller_part_never_fits_less_often(size: tuple[float, float, float], shrink: float) -> None:
    smaller = (size[0] * shrink, size[1] * shrink, size[2] * shrink)
    assert copies_per_plate(smaller, MK3) >= copies_per_plate(size, MK3)


@pytest.mark.parametrize("machine", ["mk3", "ender3"])
@pytest.mark.parametrize("sides", [(30, 30), (100, 60), (116, 96), (205, 40), (72, 23), (52, 74)], ids=str)
def test_the_slicer_accepts_a_full_plate(
    machine: str, sides: tuple[float, float], slicer: slicing.Slicer, tmp_path: Path
) -> None:
    size = (*sides, 0.8)
    file = write_stl(tmp_path / "part.stl", np.array(trimesh.creation.box(size).triangles))
    used = settings(machine, Choices("PLA", Quality.DRAFT, 10))
    most = copies_per_plate(size, used.machine)
    result = slicing.slice_model(slicer, file, used, most, tmp_path / "out.gcode", size_mm=size)
    assert result.mass_g == pytest.approx(most * sides[0] * sides[1] * 0.8 / 1000 * 1.24, rel=0.15)


PARTS = some.lists(some.tuples(some.floats(2, 190), some.floats(2, 190), some.floats(1, 150)), min_size=1, max_size=25)


@given(sizes=PARTS)
def test_every_part_is_on_one_plate_and_no_plate_is_too_full(sizes: list[tuple[float, float, float]]) -> None:
    plates = packed(sizes, MK3)
    assert sorted(place for plate in plates for place in plate) == list(range(len(sizes)))
    assert all(plate for plate in plates)
    for plate in plates:
        assert sum(sizes[place][0] * sizes[place][1] for place in plate) <= 240 * 200


def test_equal_parts_are_packed_as_densely_as_copies() -> None:
    size = (30.0, 30.0, 10.0)
    most = copies_per_plate(size, MK3)
    assert [len(plate) for plate in packed([size] * (most + 1), MK3)] == [most, 1]


def test_a_part_that_fits_nowhere_is_refused_by_name_of_the_machine() -> None:
    with pytest.raises(Invalid, match="Prusa MK3"):
        packed([(10, 10, 10), (400, 10, 10)], MK3)
