"""Reading G-code: figures, extent, temperatures, and the curve of the filament."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fablab.slicing import gcode
from fablab.slicing.profiles import machine_profiles

MK3 = machine_profiles()["mk3"]
FIGURES = """; filament used [mm] = 3815.40
; filament used [cm3] = 9.18
; filament used [g] = 11.38
; estimated printing time (normal mode) = 1d 2h 3m 4s
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "plate.gcode"
    file.write_text(text)
    return file


def print_of(lines: int, first: float = 10.0, mode: str = "M83") -> str:
    moves = [f"G1 X{first + i % 50} Y{20 + i % 7} E{1.0 if mode == 'M83' else i + 1.0:.5f}" for i in range(lines)]
    return "\n".join([mode, "M104 S215", "M140 S60", "M109 S210", "G1 Z0.2", *moves, "G1 Z30", ""])


def test_figures_are_read_from_the_end(tmp_path: Path) -> None:
    figures = gcode.read_figures(written(tmp_path, print_of(9000) + FIGURES + "; setting = 1\n" * 2000))
    assert figures == gcode.Figures(time_s=86400 + 7200 + 180 + 4, mass_g=11.38, filament_mm=3815.40, filament_mm3=9180)


def test_a_file_that_was_cut_off_has_no_figures(tmp_path: Path) -> None:
    assert gcode.read_figures(written(tmp_path, print_of(10))) is None
    assert gcode.read_figures(written(tmp_path, FIGURES.replace("[g]", "[kg]"))) is None


def test_the_box_is_that_of_the_moves(tmp_path: Path) -> None:
    text = print_of(200) + "M201 X1000 Y1000 Z1000\n; G1 X999\nG92 X500\nG1 X3 ; Y-7\n"
    box = gcode.bounding_box(written(tmp_path, text))
    assert box == gcode.Box((3.0, 20.0, 0.2), (59.0, 26.0, 30.0))


def test_relative_moves_are_left_out(tmp_path: Path) -> None:
    box = gcode.bounding_box(written(tmp_path, print_of(20) + "G91\nG1 X-50 Z-10\nG90\nG1 X40\n"))
    assert box is not None
    assert box.low_mm[0] == 10


def test_nothing_moved_has_no_box(tmp_path: Path) -> None:
    assert gcode.bounding_box(written(tmp_path, "M104 S200\nG1 Z5\n")) is None


@pytest.mark.parametrize("mode", ["M82", "M83"])
def test_an_even_print_has_a_straight_curve(mode: str, tmp_path: Path) -> None:
    curve = gcode.extrusion_curve(written(tmp_path, print_of(5000, mode=mode)))
    assert len(curve) == 101
    assert all(abs(share - i / 100) < 0.02 for i, share in enumerate(curve))


def test_retractions_and_resets_cancel_out(tmp_path: Path) -> None:
    relative = "M83\n" + "G1 X1 Y1 E1\nG1 E-5 F2400\nG1 E5 F2400\n" * 500
    absolute = "M82\n" + "G92 E0\nG1 X1 Y1 E1\nG1 E-4\nG1 E1\n" * 500
    for text in (relative, absolute):
        curve = gcode.extrusion_curve(written(tmp_path, text))
        assert curve[50] == pytest.approx(0.5, abs=0.02)
        assert curve == sorted(curve)


def test_nothing_extruded_is_not_a_print(tmp_path: Path) -> None:
    with pytest.raises(gcode.BadGcode, match="extrudes nothing"):
        gcode.extrusion_curve(written(tmp_path, "G1 X1 Y1 Z1\nG1 X2 Y2\n"))


@given(
    steps=some.lists(some.floats(0, 1), min_size=2, max_size=50),
    progress=some.floats(allow_nan=True, allow_infinity=True),
)
def test_a_share_is_always_a_share(steps: list[float], progress: float) -> None:
    curve = sorted([0.0, *steps, 1.0])
    assert 0 <= gcode.extruded_share(curve, progress) <= 1


def test_a_share_is_read_between_the_points() -> None:
    assert gcode.extruded_share([0.0, 0.2, 1.0], 0.25) == pytest.approx(0.1)
    assert gcode.extruded_share([0.0, 0.2, 1.0], 2) == 1
    assert gcode.extruded_share([0.0, 0.2, 1.0], -1) == 0
    assert gcode.extruded_share([], 0.5) == 0


def test_the_hottest_is_found(tmp_path: Path) -> None:
    assert gcode.temperatures(written(tmp_path, print_of(3))) == gcode.Temperatures(215, 60)


def test_a_printable_file_passes(tmp_path: Path) -> None:
    gcode.check_printable(written(tmp_path, print_of(100)), MK3)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (print_of(100, first=-42), "moves outside"),
        (print_of(100) + "G1 Z400\n", "moves outside"),
        (print_of(100).replace("S215", "S400"), "400 °C"),
        (print_of(100).replace("S60", "S140"), "140 °C"),
        ("", "moves nothing"),
        ("G1 X1 Y1 Z1\n", "extrudes nothing"),
    ],
    ids=["beside the bed", "above", "hot nozzle", "hot bed", "empty", "no filament"],
)
def test_an_unprintable_file_says_why(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(gcode.BadGcode, match=sentence):
        gcode.check_printable(written(tmp_path, text), MK3)
