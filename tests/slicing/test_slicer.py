"""The real PrusaSlicer: what it makes of our settings, and what we make of its failures."""

from __future__ import annotations

import os
import re
import struct
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import trimesh

from fablab.slicing import gcode, sandbox
from fablab.slicing import slicer as slicing
from fablab.slicing.choices import Choices, Quality
from fablab.slicing.dialect import Fault
from fablab.slicing.profiles import Settings, filament_profiles, machine_profiles, settings
from fablab.slicing.slicer import LIMITS, SliceFailed, Slicer, SliceResult, slice_model
from tests.conftest import environment

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


def test_supports_are_not_advised_where_they_did_not_help(slicer: Slicer, stl: Stl) -> None:
    failed = fails(slicer, stl(top()), settings("mk3", Choices("PLA", supports=True)))
    assert "even with supports" in str(failed)


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


def stand_in(folder: Path, script: str, version: str = "PrusaSlicer-2.9.2+test") -> Path:
    """A program that says it is a slicer and then does what `script` says."""
    program = folder / "slicer"
    program.write_text(f'#!/bin/sh\nif [ "$1" = --help ]; then echo "{version}"; exit 0; fi\n{script}\n')
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("version", ["2.5.0+UNKNOWN", "2.6.1", "2.7.4+linux-x64", "2.8.1", "2.9.2"])
def test_a_named_slicer_is_used_with_its_version(version: str, tmp_path: Path) -> None:
    program = stand_in(tmp_path, "", f"PrusaSlicer-{version} based on Slic3r")
    with environment(slicer=str(program)):
        assert slicing.find_slicer() == Slicer(program, f"PrusaSlicer {version.partition('+')[0]}")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("PrusaSlicer-2.4.2", "PrusaSlicer 2.4.2 is not supported"),
        ("PrusaSlicer-3.0.0", "PrusaSlicer 3.0.0 is not supported"),
        ("Cura 5", "none of the slicers we know"),
    ],
)
def test_a_slicer_that_may_misunderstand_us_is_refused_in_words(said: str, sentence: str, tmp_path: Path) -> None:
    with environment(slicer=str(stand_in(tmp_path, "", said))):
        with pytest.raises(slicing.SlicerMissing, match=sentence):
            slicing.require_slicer()
        assert slicing.find_slicer() is None


def test_a_wrong_name_is_not_replaced(tmp_path: Path) -> None:
    with environment(slicer=str(tmp_path / "missing")), pytest.raises(slicing.SlicerMissing, match="no such program"):
        slicing.require_slicer()


def test_an_upgraded_slicer_is_noticed_without_a_restart(tmp_path: Path) -> None:
    with environment(slicer=str(stand_in(tmp_path, "", "PrusaSlicer-2.8.0"))):
        assert slicing.require_slicer().version == "PrusaSlicer 2.8.0"
        os.utime(stand_in(tmp_path, "", "PrusaSlicer-2.9.0"), ns=(1, 1))
        assert slicing.require_slicer().version == "PrusaSlicer 2.9.0"


def test_a_slicer_that_writes_nothing_is_not_believed(stl: Stl, normal: Settings, tmp_path: Path) -> None:
    assert "without writing" in str(fails(Slicer(Path("/bin/true"), "none"), stl(top()), normal))


def test_a_result_is_plain_values(slicer: Slicer, sample_files: list[Path], normal: Settings, tmp_path: Path) -> None:
    result = slice_model(slicer, sample_files[0], normal, 1, tmp_path / "out.gcode", size_mm=(20, 20, 20))
    assert isinstance(result, SliceResult)
    assert result.settings_hash == normal.hash


def refused_or_sliced(slicer: Slicer, file: Path, used: Settings, **changes: object) -> str:
    """The sentence of a failure, or "sliced"."""
    try:
        slice_model(slicer, file, used, 1, file.parent / "out.gcode", size_mm=(20, 20, 20), **changes)  # type: ignore[arg-type]
    except SliceFailed as failed:
        return str(failed)
    return "sliced"


def cube() -> np.ndarray:
    return np.array(trimesh.creation.box((20, 20, 20)).triangles)


def with_corner(value: float) -> np.ndarray:
    triangles = cube()
    triangles[0, 0, 0] = value
    return triangles


MESHES: dict[str, tuple[Callable[[], np.ndarray], str]] = {
    "a corner that is not a number": (lambda: with_corner(np.nan), "coordinates make no sense"),
    "a corner at infinity": (lambda: with_corner(np.inf), "coordinates make no sense"),
    "no height": (lambda: cube() * [1, 1, 0], "coordinates make no sense"),
    "ten kilometres away": (lambda: cube() + 1e7, "coordinates make no sense"),
    "absurdly large numbers": (lambda: cube() * 1e29, "coordinates make no sense"),
    "a missing half": (lambda: cube()[cube()[:, :, 0].min(axis=1) < 10], "finds no solid part"),
    "far too small": (lambda: cube() / 1000, "finds no solid part"),
    "thinner than a line": (lambda: cube() / 100, "too small or too thin"),
    "inside out": (lambda: cube()[:, ::-1], "sliced"),
    "above the plate": (lambda: cube() + np.array([0, 0, 50]), "sliced"),
    "inches taken for millimetres": (lambda: cube() / 25.4, "sliced"),
    "two that overlap": (lambda: np.concatenate([cube(), cube() + np.array([5, 0, 0])]), "sliced"),
}


@pytest.mark.parametrize("name", MESHES)
def test_a_strange_mesh_is_sliced_or_told_in_plain_words(name: str, slicer: Slicer, stl: Stl, normal: Settings) -> None:
    shape, sentence = MESHES[name]
    with np.errstate(invalid="ignore"):
        file = stl(shape())
    assert sentence in refused_or_sliced(slicer, file, normal)


def binary(header: bytes = b"", count: int = 12, end: int | None = None) -> bytes:
    body = b"".join(struct.pack("<12fH", 0, 0, 0, *triangle.flatten(), 0) for triangle in cube())
    return (header.ljust(80) + struct.pack("<I", count) + body)[:end]


def ascii_stl() -> str:
    return str(trimesh.creation.box((20, 20, 20)).export(file_type="stl_ascii"))


FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "cannot read"),
    "no triangles": (lambda: binary(count=0, end=84), "cannot read"),
    "cut off": (lambda: binary(end=300), "cannot read"),
    "noise": (lambda: np.random.default_rng(1).bytes(1000), "cannot read"),
    "a zip": (lambda: b"PK\3\4" + bytes(500), "cannot read"),
    "a text": (lambda: b"hello\n" * 50, "cannot read"),
    "upper case": (lambda: ascii_stl().upper().encode(), "cannot read"),
    "decimal commas": (lambda: ascii_stl().replace(".", ",").encode(), "cannot read"),
    "too few announced": (lambda: binary(count=3), "sliced"),
    "a milliard announced": (lambda: binary(count=10**9), "sliced"),
    "the most announced": (lambda: binary(count=2**32 - 1), "sliced"),
    "binary that says solid": (lambda: binary(b"solid"), "sliced"),
    "Windows line ends": (lambda: ascii_stl().replace("\n", "\r\n").encode(), "sliced"),
    "no endsolid": (lambda: ascii_stl().replace("endsolid", "").encode(), "sliced"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_strange_file_is_sliced_or_told_in_plain_words(
    name: str, slicer: Slicer, normal: Settings, tmp_path: Path
) -> None:
    content, sentence = FILES[name]
    file = tmp_path / "part.stl"
    file.write_bytes(content())
    assert sentence in refused_or_sliced(slicer, file, normal)


def test_what_the_slicer_itself_does_not_check_is_checked_afterwards(
    slicer: Slicer, stl: Stl, normal: Settings, tmp_path: Path
) -> None:
    tower, plank = stl(trimesh.creation.box((10, 10, 230)), "tower.stl"), stl(trimesh.creation.box((240, 100, 1)))
    assert "leave the build plate" in refused_or_sliced(slicer, tower, normal)
    with pytest.raises(SliceFailed, match="do not fit on the build plate"):
        slice_model(slicer, plank, normal, 3, tmp_path / "out.gcode", size_mm=(20, 20, 1))


def test_a_small_file_cannot_fill_the_disk(slicer: Slicer, stl: Stl, normal: Settings, tmp_path: Path) -> None:
    block = stl(trimesh.creation.box((400, 400, 400)))
    assert block.stat().st_size == 684
    failed = fails(slicer, block, normal, limits=replace(LIMITS, file_bytes=3 << 20, wall_s=100))
    assert "G-code would be too large" in str(failed)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"filament_density": "0"}, "has no density"),
        ({"temperature": "400", "first_layer_temperature": "400"}, "400 °C"),
        ({"first_layer_bed_temperature": "200"}, "200 °C"),
    ],
    ids=["grams of nothing", "hot nozzle", "hot bed"],
)
def test_a_dangerous_profile_is_the_places_fault(
    keys: dict[str, str], sentence: str, slicer: Slicer, stl: Stl, normal: Settings
) -> None:
    failed = fails(slicer, stl(cube()), changed(normal, **keys))
    assert sentence in str(failed)
    assert failed.fault is Fault.PLACE


def test_a_slicer_that_cannot_write_says_so(slicer: Slicer, stl: Stl, normal: Settings, tmp_path: Path) -> None:
    program = stand_in(tmp_path, f'exec {slicer.program} "$@" --output missing/plate.gcode')
    failed = fails(Slicer(program, "PrusaSlicer 2.5.0"), stl(cube()), normal)
    assert "could not write" in str(failed)
    assert failed.fault is Fault.PLACE


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("sleep 60", "took too long"),
        ("while :; do echo working hard; done", "did not say why"),
        ("read answer && sleep 60; exit 3", "did not say why"),
        ("kill -SEGV $$", "did not say why"),
    ],
    ids=["silent", "talkative", "asking", "crashing"],
)
def test_a_slicer_that_misbehaves_is_ended(
    script: str, sentence: str, stl: Stl, normal: Settings, tmp_path: Path
) -> None:
    impatient = replace(LIMITS, silence_s=1.0, wall_s=30.0, output_bytes=100_000)
    failed = fails(Slicer(stand_in(tmp_path, script), "none"), stl(cube()), normal, limits=impatient)
    assert sentence in str(failed)
    assert failed.fault is Fault.PLACE
