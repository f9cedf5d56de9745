"""The commands for scripts: figures as JSON, one sentence and exit 2 for what cannot be used, never a traceback."""

import json
import os
import subprocess

import pytest

from fablab.slicing.samples import write_samples
from fablab.slicing.slicer import find_slicer
from tests.running import FABLAB
from tests.slicing.drawn import box, obj, one_object, three_mf


def run(*arguments, **environment):
    command = [str(FABLAB), *[str(each) for each in arguments]]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment}
    )


@pytest.fixture
def cube(tmp_path):
    return write_samples(tmp_path)[0]


def test_an_estimate_needs_no_database_and_gives_its_figures(cube):
    answer = run("estimate", cube, "--json", FABLAB_DATA_DIR="/nonexistent")
    assert answer.returncode == 0, answer.stderr
    figures = json.loads(answer.stdout)
    names = {
        "triangles",
        "watertight",
        "size_mm",
        "volume_mm3",
        "area_mm2",
        "mass_g",
        "time_s",
        "price_cents",
        "warnings",
    }
    assert names <= set(figures)
    assert figures["size_mm"] == [20, 20, 20]
    assert figures["watertight"] is True
    assert figures["price_cents"] >= 200
    assert figures["mass_range_g"][0] < figures["mass_g"] < figures["mass_range_g"][1]
    assert figures["time_range_s"][0] < figures["time_s"] < figures["time_range_s"][1]
    assert figures["copies_per_plate"] == 63


def test_choices_change_the_estimate(cube):
    plain = json.loads(run("estimate", cube, "--json").stdout)
    options = ["--material", "PETG", "--quality", "fine", "--infill", "50", "--machine", "ender3", "--quantity", "4"]
    rich = json.loads(run("estimate", cube, "--json", "--supports", *options).stdout)
    assert rich["machine"] == "ender3"
    assert rich["mass_g"] > 3 * plain["mass_g"]
    assert rich["time_s"] > 4 * plain["time_s"]


def test_a_slice_gives_its_figures_and_its_gcode(cube, tmp_path):
    if find_slicer() is None:
        pytest.skip("PrusaSlicer is not installed: the package prusa-slicer")
    output = tmp_path / "out.gcode"
    answer = run("slice", cube, "--json", "--output", output)
    assert answer.returncode == 0, answer.stderr
    figures = json.loads(answer.stdout)
    assert set(figures) == {"time_s", "mass_g", "filament_mm", "filament_mm3", "layers"}
    assert figures["mass_g"] > 1
    assert figures["layers"] == 100
    assert output.stat().st_size > 10_000
    estimated = json.loads(run("estimate", cube, "--json").stdout)
    assert estimated["mass_g"] == pytest.approx(figures["mass_g"], rel=0.15)
    assert estimated["time_s"] == pytest.approx(figures["time_s"], rel=0.3)


@pytest.mark.parametrize(
    ("name", "content"),
    [("part.3mf", three_mf(one_object(box(2, 2, 1), "centimeter"))), ("part.obj", obj(box(20, 20, 10)))],
    ids=["3mf", "obj"],
)
def test_the_other_kinds_of_files_are_estimated_and_sliced(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    answer = run("estimate", path, "--json")
    assert answer.returncode == 0, answer.stderr
    estimated = json.loads(answer.stdout)
    assert estimated["size_mm"] == [20, 20, 10]
    sliced = run("slice", path, "--json")
    assert sliced.returncode == 0, sliced.stderr
    assert estimated["mass_g"] == pytest.approx(json.loads(sliced.stdout)["mass_g"], rel=0.15)


@pytest.mark.parametrize("command", ["estimate", "slice"])
@pytest.mark.parametrize("name", ["missing", "empty", "text", "truncated", "folder", "flat"])
def test_a_file_that_cannot_be_used_gets_one_sentence_and_exit_2(tmp_path, command, name):
    path = tmp_path / f"{name}.stl"
    contents = {"empty": b"", "text": b"hello\n" * 50, "truncated": b"x" * 80 + b"\xff\0\0\0" + b"\0" * 700}
    if name in contents:
        path.write_bytes(contents[name])
    elif name == "folder":
        path.mkdir()
    elif name == "flat":
        path.write_text(
            "solid f\n"
            + "facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 9 0 0\nvertex 0 9 0\nendloop\nendfacet\n" * 4
            + "endsolid f\n"
        )
    answer = run(command, path, "--json")
    assert answer.returncode == 2, answer.stdout
    assert answer.stdout == ""
    assert "Traceback" not in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
    assert len(answer.stderr) > 15


@pytest.mark.parametrize(
    "option",
    [("--material", "WOOD"), ("--quality", "perfect"), ("--infill", "900"), ("--machine", "cnc"), ("--quantity", "0")],
)
def test_a_choice_that_does_not_exist_gets_one_sentence_and_exit_2(cube, option):
    answer = run("estimate", cube, *option)
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr


def test_migrate_demo_and_administrator_prepare_a_place(tmp_path):
    environment = {"FABLAB_DATA_DIR": str(tmp_path / "data")}
    assert run("migrate", **environment).returncode == 0
    assert run("migrate", **environment).returncode == 0
    made = run("administrator", "--name", "A", "--email", "a@b.fr", "--password", "long enough", **environment)
    assert made.returncode == 0, made.stderr
    again = run("administrator", "--name", "A", "--email", "a@b.fr", "--password", "long enough", **environment)
    assert again.returncode == 2
    refused = run("demo", **environment)
    assert refused.returncode == 2
    assert "empty one only" in refused.stderr
    assert run("demo", FABLAB_DATA_DIR=str(tmp_path / "other")).returncode == 0


def test_up_without_an_administrator_says_what_to_do(tmp_path):
    answer = subprocess.run(
        [FABLAB, "up"],
        env={**os.environ, "FABLAB_DATA_DIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 2
    assert "fablab administrator" in answer.stderr


def test_doctor_on_an_empty_folder_says_what_is_missing(tmp_path):
    answer = run("doctor", FABLAB_DATA_DIR=str(tmp_path / "none"))
    assert answer.returncode == 1
    assert "fablab migrate" in answer.stdout
    assert "Traceback" not in answer.stderr


def test_several_files_are_laid_out_together(cube, tmp_path):
    other = tmp_path / "other.stl"
    other.write_bytes(cube.read_bytes())
    together = json.loads(run("estimate", cube, other, "--quantity", "2", "--json").stdout)
    (plate,) = together["plates"]
    assert plate["parts"] == {cube.name: 2, "other.stl": 2}
    alone = json.loads(run("estimate", cube, "--quantity", "4", "--json").stdout)
    assert together["mass_g"] == pytest.approx(alone["mass_g"], rel=0.01)
    assert together["time_s"] == pytest.approx(alone["time_s"], rel=0.02)
    assert together["price_cents"] == pytest.approx(alone["price_cents"], abs=5)


def test_books_of_an_older_program_are_not_checked_but_its_update_is_asked_for(tmp_path):
    answer = run("billing", "verify", FABLAB_DATA_DIR=str(tmp_path), FABLAB_DATABASE_URL="")
    assert (answer.returncode, answer.stderr.strip()) == (2, "The database is not up to date: run “fablab migrate”.")
