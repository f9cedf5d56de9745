"""The samples are good examples: closed, small, flat on the plate, and the same every time."""

from __future__ import annotations

from pathlib import Path

import trimesh

from fablab.slicing import samples
from fablab.slicing.measure import measure
from fablab.slicing.plates import fits
from fablab.slicing.profiles import machine_profiles


def test_samples_are_closed_and_stand_on_the_plate(sample_files: list[Path]) -> None:
    assert len(sample_files) >= 5
    for file in sample_files:
        shape = trimesh.load_mesh(file)
        assert shape.is_watertight, file.name
        assert shape.is_winding_consistent, file.name
        assert shape.bounds[0][2] == 0, file.name


def test_samples_are_small_and_without_faults(sample_files: list[Path]) -> None:
    for file in sample_files:
        report, features = measure(file, file.name)
        assert (report.warnings, report.inverted, report.trusted) == ([], False, True), file.name
        assert all(fits(report.size_mm, machine) for machine in machine_profiles().values())
        assert file.stat().st_size < 500_000
        assert features.support_mm2.max() < 0.02 * report.area_mm2, file.name


def test_samples_are_drawn_the_same_every_time(sample_files: list[Path], tmp_path: Path) -> None:
    again = samples.write_samples(tmp_path)
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in sample_files]
