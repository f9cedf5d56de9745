"""The real PrusaSlicer: what it makes of our settings, and what we make of its failures."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import trimesh

from fablab.slicing import gcode, prusaslicer, sandbox
from fablab.slicing.choices import Choices, Quality
from fablab.slicing.profiles import Settings, filament_profiles, machine_profiles, settings
from fablab.slicing.prusaslicer import LIMITS, SliceFailed, Slicer, SliceResult, slice_model

Stl = Callable[..., Path]
Size = tuple[float, float, float]


def changed(used: Settings, **keys: str) -> Settings:
    """The same settings with other keys, as a careless profile would have."""
    return replace(used, keys=MappingProxyType({**used.keys, **keys}))


@pytest.mark.parametrize("quality", list(Quality))
@pytest.mark.parametrize("material", sorted(filament_profiles()))
@pytest.mark.parametrize("machine", sorted(machine_profiles()))
def test_every_combination_slices(
    machine: str, material: str, quality: Quality, slicer: Slicer, sample_files: list[Path], tmp_path: Path
) -> None:
    used, output = settings(machine, Choices(material, quality, 15)), tmp_path / "plate.gcode"
    result = slice_model(slicer, sample_files[0], used, 1, output, size_mm=(20, 20, 20))
    assert result.layers == pytest.approx(20 / used.print.layer_mm, abs=1.5)
    assert result.mass_g == pytest.approx(result.filament_mm3 / 1000 * used.filament.density_g_cm3, rel=0.01)
    assert gcode.temperatures(output) == gcode.Temperatures(used.nozzle_c, used.bed_c)
    assert result.slicer_version == slicer.version
    gcode.check_printable(output, used.machine)


def test_samples_slice_and_their_curves_rise(
    slicer: Slicer, sample_files: list[Path], normal: Settings, tmp_path: Path
) -> None:
    draft = settings("mk3", Choices("PLA", Quality.DRAFT, 10))
    for file in sample_files:
        size = tuple(float(side) for side in trimesh.load_mesh(file).extents)
        result = slice_model(slicer, file, draft, 1, tmp_path / "plate.gcode", size_mm=size)  # type: ignore[arg-type]
        assert result.extrusion_curve == sorted(result.extrusion_curve)
        assert (result.extrusion_curve[0], result.extrusion_curve[-1]) == (0.0, 1.0)
        assert result.extrusion_curve[50] == pytest.approx(0.5, abs=0.25)


def test_the_gcode_heats_homes_purges_and_cools(
    slicer: Slicer, sample_files: list[Path], normal: Settings, tmp_path: Path
) -> None:
    output = tmp_path / "plate.gcode"
    slice_model(slicer, sample_files[0], normal, 1, output, size_mm=(20, 20, 20))
    lines = output.read_text().splitlines()
    order = [next(i for i, line in enumerate(lines) if line.startswith(word)) for word in ("M109", "G28", "G1 X90 Y2 E10", ";LAYER_CHANGE", "M104 S0", "M84")]  # fmt: skip
    assert order == sorted(order)


def test_one_part_is_in_the_middle_and_a_long_one_is_turned(slicer: Slicer, stl: Stl, tmp_path: Path) -> None:
    draft = settings("mk3", Choices("PLA", Quality.DRAFT, 10))
    size: Size = (10, 230, 1)
    result = slice_model(slicer, stl(trimesh.creation.box(size)), draft, 1, tmp_path / "out.gcode", size_mm=size)
    assert result.box.high_mm[0] > 230
    assert result.box.is_inside(draft.machine)


def test_supports_and_copies_weigh(slicer: Slicer, sample_files: list[Path], stl: Stl, tmp_path: Path) -> None:
    roof = trimesh.creation.box((30, 30, 2))
    roof.apply_translation([0, 0, 11])
    file = stl(trimesh.util.concatenate([trimesh.creation.box((8, 8, 20)), roof]))

    def grams(copies: int, supports: bool) -> float:
        used = settings("ender3", Choices("PLA", Quality.DRAFT, 10, supports))
        return slice_model(slicer, file, used, copies, tmp_path / "out.gcode", size_mm=(30, 30, 22)).mass_g

    assert grams(1, True) > grams(1, False) + 0.3
    assert grams(3, False) == pytest.approx(3 * grams(1, False), rel=0.1)


def fails(
    slicer: Slicer, file: Path, used: Settings, size: Size = (20, 20, 20), limits: sandbox.Limits = LIMITS
) -> SliceFailed:
    output = file.parent / "out.gcode"
    with pytest.raises(SliceFailed) as failed:
        slice_model(slicer, file, used, 1, output, size_mm=size, limits=limits)
    assert not output.exists()
    return failed.value


def top() -> trimesh.Trimesh:
    """A spinning top: it stands on a point."""
    cone = trimesh.creation.cone(radius=8, height=15)
    cone.apply_transform(trimesh.transformations.rotation_matrix(np.pi, [1, 0, 0]))
    return cone


FAILING: dict[str, tuple[Callable[[], object], str]] = {
    "open": (lambda: np.array(trimesh.creation.box((20, 20, 20)).triangles)[2:], "finds no solid part"),
    "tiny": (lambda: trimesh.creation.box((0.2, 0.2, 0.2)), "too small or too thin"),
    "on a point": (top, "touches the build plate"),
}


@pytest.mark.parametrize("name", FAILING)
def test_what_the_slicer_refuses_is_said_in_plain_words(name: str, slicer: Slicer, stl: Stl, normal: Settings) -> None:
    shape, sentence = FAILING[name]
    failed = fails(slicer, stl(shape()), normal)
    assert sentence in str(failed)
    assert failed.detail


def test_a_file_the_slicer_cannot_read(slicer: Slicer, tmp_path: Path, normal: Settings) -> None:
    (tmp_path / "part.stl").write_bytes(b"<html>" * 100)
    assert "cannot read" in str(fails(slicer, tmp_path / "part.stl", normal))


def test_what_does_not_fit_is_not_even_tried(stl: Stl, normal: Settings) -> None:
    nobody = Slicer(Path("/usr/bin/no-such-slicer"), "none")
    assert "too large for Prusa MK3" in str(fails(nobody, stl(top()), normal, (400, 400, 400)))
    with pytest.raises(SliceFailed, match="at most 1 do"):
        slice_model(nobody, stl(top()), normal, 2, Path("out.gcode"), size_mm=(200, 200, 10))
    with pytest.raises(SliceFailed, match="at least one part"):
        slice_model(nobody, stl(top()), normal, 0, Path("out.gcode"), size_mm=(20, 20, 10))


def test_gcode_that_leaves_the_bed_is_not_believed(slicer: Slicer, stl: Stl, normal: Settings) -> None:
    file = stl(trimesh.creation.box((300, 20, 1)))
    assert "leave the build plate" in str(fails(slicer, file, normal, (20, 20, 1)))


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"layer_height": "0.6"}, "too thick for the nozzle"),
        ({"fill_density": "150%"}, "refuses one of the settings"),
        ({"start_gcode": "G28 {no_such_thing}"}, "start or end G-code"),
    ],
    ids=["layers", "range", "start G-code"],
)
def test_a_profile_with_a_mistake_is_told_from_a_bad_part(
    keys: dict[str, str], sentence: str, slicer: Slicer, sample_files: list[Path], normal: Settings, tmp_path: Path
) -> None:
    file = Path(tmp_path / "part.stl")
    file.write_bytes(sample_files[0].read_bytes())
    assert sentence in str(fails(slicer, file, changed(normal, **keys)))


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (replace(LIMITS, wall_s=0.1), "too long"),
        (replace(LIMITS, file_bytes=50_000), "too large"),
        (replace(LIMITS, memory_bytes=150 << 20), "memory"),
    ],
    ids=["time", "file", "memory"],
)
def test_a_slicer_beyond_its_limits_is_stopped(
    limits: sandbox.Limits, sentence: str, slicer: Slicer, sample_files: list[Path], normal: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "part.stl"
    file.write_bytes(sample_files[0].read_bytes())
    assert re.search(sentence, str(fails(slicer, file, normal, limits=limits)))


def test_nothing_is_left_behind(
    slicer: Slicer, stl: Stl, normal: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    fails(slicer, stl(top()), normal)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_named_slicer_is_used_and_a_wrong_name_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand_in = tmp_path / "slicer"
    stand_in.write_text("#!/bin/sh\necho PrusaSlicer-9.9.9+test\n")
    stand_in.chmod(0o755)
    monkeypatch.setenv("FABLAB_SLICER", str(stand_in))
    assert prusaslicer.find_slicer() == Slicer(stand_in, "PrusaSlicer 9.9.9")
    monkeypatch.setenv("FABLAB_SLICER", str(tmp_path / "missing"))
    assert prusaslicer.find_slicer() is None
    with pytest.raises(prusaslicer.SlicerMissing):
        prusaslicer.require_slicer()


def test_a_slicer_that_writes_nothing_is_not_believed(stl: Stl, normal: Settings, tmp_path: Path) -> None:
    assert "without writing" in str(fails(Slicer(Path("/bin/true"), "none"), stl(top()), normal))


def test_a_result_is_plain_values(slicer: Slicer, sample_files: list[Path], normal: Settings, tmp_path: Path) -> None:
    result = slice_model(slicer, sample_files[0], normal, 1, tmp_path / "out.gcode", size_mm=(20, 20, 20))
    assert isinstance(result, SliceResult)
    assert result.settings_hash == normal.hash
