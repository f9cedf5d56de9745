"""Calibration: real slices of our own parts bring the estimate in line, and are kept with their date and slicer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fablab import standalone
from fablab.errors import Invalid
from fablab.settings import settings as program_settings
from fablab.slicing import calibrating
from fablab.slicing.anatomy import features_of
from fablab.slicing.calibration import Calibration, calibration_for, own_file, profile_key, save, typical
from fablab.slicing.choices import Choices, Quality
from fablab.slicing.closure import open_edge_share
from fablab.slicing.plates import fits
from fablab.slicing.profiles import machine_profiles, settings
from fablab.slicing.references import REFERENCES
from fablab.slicing.slicer import Slicer

DRAFT = settings("mk3", Choices("PLA", Quality.DRAFT))
QUICK = ("mounting_plate", "thin_ring", "open_box", "lid", "stepped_block", "cog", "small_cog", "washers", "spacer",
         "comb", "grille", "hook", "name_sign", "table")  # fmt: skip


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FABLAB_DATA_DIR", str(tmp_path))
    program_settings.cache_clear()
    yield tmp_path
    program_settings.cache_clear()


@pytest.mark.parametrize("name", REFERENCES)
def test_every_reference_is_a_closed_part_that_fits(name: str) -> None:
    triangles = REFERENCES[name]()
    triangles = triangles - triangles.min(axis=(0, 1))
    x, y, z = (float(side) for side in triangles.max(axis=(0, 1)))
    assert open_edge_share(triangles) == 0
    assert features_of(triangles, 1.0, 1.0, closed=True).trusted
    assert all(fits((x, y, z), machine) for machine in machine_profiles().values())


def test_forty_slices_are_enough() -> None:
    assert len(REFERENCES) <= 40


def test_a_place_calibrates_to_its_slicer_and_uses_it_at_once(
    own_folder: Path, slicer: Slicer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrating, "REFERENCES", {name: REFERENCES[name] for name in QUICK})
    (said,) = standalone.calibrate("mk3", "draft", lambda _text: None)
    assert "14 slices" in said
    made = calibration_for(DRAFT)
    assert (own_folder / "calibration.json").exists()
    assert (made.slicer, made.slices) == (slicer.version, 14)
    assert made.error["mass"] < 0.05
    assert made.mass_spread.low < 0 < made.mass_spread.high
    assert calibration_for(settings("mk3", Choices("PETG", Quality.DRAFT, 40))) == made
    assert calibration_for(settings("mk3", Choices("PLA", Quality.FINE))) != made


@pytest.mark.parametrize(("machine", "quality"), [("no-such", None), (None, "best")])
def test_unknown_names_are_refused(own_folder: Path, machine: str | None, quality: str | None) -> None:
    with pytest.raises(Invalid):
        list(standalone.calibrate(machine, quality, lambda _text: None))


def test_a_calibration_survives_its_file_beside_others(own_folder: Path) -> None:
    save({"one": typical()}, own_file())
    save({"two": typical()}, own_file())
    assert calibration_for(DRAFT) != typical()
    assert Calibration.from_json(typical().to_json()) == typical()
    assert own_file().read_text().count('"slicer"') == 2


@pytest.mark.parametrize("content", ["", "{", "[]", '{"one": 1}', '{"one": {"volume": {}}}'])
def test_a_damaged_file_is_left_aside(own_folder: Path, content: str) -> None:
    own_file().write_text(content)
    assert calibration_for(DRAFT).slices > 0


def test_a_changed_profile_is_another_profile(tmp_path: Path) -> None:
    folder = tmp_path / "profiles"
    (folder / "print").mkdir(parents=True)
    own = (calibrating.Path(standalone.__file__).parent / "slicing/profiles/print/draft.ini").read_text()
    (folder / "print" / "draft.ini").write_text(own.replace("perimeters = 2", "perimeters = 3"))
    changed = settings("mk3", Choices("PLA", Quality.DRAFT), folder)
    assert profile_key(changed) != profile_key(DRAFT)
    assert calibration_for(changed) == typical()


def test_a_fit_finds_the_factors_that_made_the_figures() -> None:
    truth = dict.fromkeys(calibrating.VOLUMES, 1.0) | {"walls": 1.06, "infill": 0.9}
    samples = []
    for name in QUICK:
        triangles = REFERENCES[name]()
        features = features_of(triangles - triangles.min(axis=(0, 1)), 1.0, 1.0, closed=True)
        nothing = calibrating.Sample(features, DRAFT, 1.0, 1.0)
        samples.append(calibrating.Sample(features, DRAFT, 1.0 + calibrating.mass_error(nothing, truth), 1.0))
    found = calibrating.fit_volume(samples)
    errors = [calibrating.mass_error(sample, found) for sample in samples]
    assert found["walls"] == pytest.approx(1.06, abs=0.03)
    assert float(np.abs(errors).max()) < 0.02
