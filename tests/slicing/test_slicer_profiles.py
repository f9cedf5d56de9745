"""Choices are checked, profiles are found, and settings have a hash that follows their content."""

from __future__ import annotations

from pathlib import Path

import pytest

from fablab.errors import Invalid
from fablab.slicing.choices import Choices, Quality
from fablab.slicing.profiles import (
    BrokenProfile,
    filament_profiles,
    machine_profiles,
    print_profiles,
    read_profile,
    settings,
)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"infill_percent": 101}, "infill_percent"),
        ({"infill_percent": -1}, "infill_percent"),
        ({"infill_percent": 15.5}, "infill_percent"),
        ({"infill_percent": True}, "infill_percent"),
        ({"quality": "superb"}, "quality"),
        ({"material": ""}, "material"),
        ({"material": "../../etc"}, "material"),
        ({"supports": "yes"}, "supports"),
    ],
)
def test_a_wrong_choice_names_its_field(wrong: dict[str, object], field: str) -> None:
    right: dict[str, object] = {"material": "PLA", "quality": Quality.NORMAL, "infill_percent": 15, "supports": False}
    with pytest.raises(Invalid) as refused:
        Choices(**{**right, **wrong})  # type: ignore[arg-type]
    assert refused.value.field == field


def test_a_quality_may_come_as_a_word_from_a_form() -> None:
    assert Choices("PLA", "fine").quality is Quality.FINE  # type: ignore[arg-type]


def test_every_quality_has_a_print_profile_with_its_layer_height() -> None:
    layers = {name: profile.layer_mm for name, profile in print_profiles().items()}
    assert {quality: layers[quality] for quality in Quality} == {"draft": 0.28, "normal": 0.2, "fine": 0.12}


def test_machines_say_their_size_and_materials_their_density() -> None:
    assert machine_profiles()["mk3"].bed_mm == (250, 210, 210)
    assert machine_profiles()["ender3"].bed_mm == (220, 220, 250)
    assert {name: profile.density_g_cm3 for name, profile in filament_profiles().items()} == {
        "PLA": 1.24,
        "PETG": 1.27,
        "TPU": 1.21,
    }


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(Invalid, match="ender3, mk3"):
        settings("cnc", Choices("PLA"))
    with pytest.raises(Invalid, match="PETG, PLA, TPU"):
        settings("mk3", Choices("Chocolate"))


def test_choices_reach_the_slicer() -> None:
    keys = settings("mk3", Choices("PLA", Quality.DRAFT, 30, supports=True)).keys
    assert (keys["fill_density"], keys["support_material"], keys["layer_height"]) == ("30%", "1", "0.28")
    assert settings("mk3", Choices("PLA", infill_percent=100)).keys["fill_pattern"] == "rectilinear"


def test_the_hash_is_stable_and_differs_for_every_combination() -> None:
    combinations = [
        (machine, Choices(material, quality, infill, supports))
        for machine in machine_profiles()
        for material in filament_profiles()
        for quality in Quality
        for infill in (15, 30)
        for supports in (False, True)
    ]
    hashes = {settings(machine, choices).hash for machine, choices in combinations}
    assert len(hashes) == len(combinations)
    assert settings("mk3", Choices("PLA")).hash == settings("mk3", Choices("PLA")).hash


def own_folder(tmp_path: Path, density: str, version: str = "1") -> Path:
    filament = tmp_path / "filament"
    filament.mkdir()
    lines = filament_profiles()["PLA"].profile.keys | {"filament_density": density}
    text = "".join(f"{key} = {value}\n" for key, value in lines.items())
    (filament / "Wood.ini").write_text(f"#@ label = Wood-filled PLA\n#@ version = {version}\n# a comment\n{text}")
    return tmp_path


def test_an_own_folder_adds_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = own_folder(tmp_path, "1.15")
    assert settings("mk3", Choices("Wood"), folder).filament.density_g_cm3 == 1.15
    monkeypatch.setenv("FABLAB_PROFILES", str(folder))
    assert filament_profiles()["Wood"].label == "Wood-filled PLA"


def test_a_new_version_of_a_profile_makes_a_new_hash(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = settings("mk3", Choices("Wood"), own_folder(tmp_path / "a", "1.15"))
    second = settings("mk3", Choices("Wood"), own_folder(tmp_path / "b", "1.15", version="2"))
    assert first.hash != second.hash


def test_a_material_too_hot_for_a_machine_is_refused(tmp_path: Path) -> None:
    folder = own_folder(tmp_path, "1.2")
    file = folder / "filament" / "Wood.ini"
    file.write_text(file.read_text().replace("\ntemperature = 210", "\ntemperature = 260"))
    settings("mk3", Choices("Wood"), folder)
    with pytest.raises(Invalid, match="more than Ender-3"):
        settings("ender3", Choices("Wood"), folder)


def test_a_broken_profile_says_which_line(tmp_path: Path) -> None:
    file = tmp_path / "odd.ini"
    file.write_text("layer_height 0.2\n")
    with pytest.raises(BrokenProfile, match=r"layer_height 0\.2"):
        read_profile(file)
