"""Machine, filament and print profiles: our own versioned ini files, and the settings they resolve to.

A profile is a flat list of PrusaSlicer keys. Lines that begin with `#@` hold what the slicer does not need: a label, a
version, the size of the bed. A folder of own profiles with the same three sub-folders, given as an argument or named by
`$FABLAB_PROFILES`, adds profiles or replaces ours by name. Files are read once per process.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType

from fablab.errors import Invalid, Problem
from fablab.slicing.choices import Choices

OWN_PROFILES = Path(__file__).parent / "profiles"
EXTRA_FOLDER_VARIABLE = "FABLAB_PROFILES"
RESOLUTION_VERSION = 1
"""Changes whenever `settings` puts the same profiles together in another way: part of the hash."""


class BrokenProfile(Problem):
    """A profile file lacks something or holds something unreadable: for the person who wrote it."""

    status = 500


@dataclass(frozen=True)
class Profile:
    """One ini file: `name` is the file's, `keys` what the slicer reads, `notes` the `#@` lines."""

    name: str
    keys: Mapping[str, str]
    notes: Mapping[str, str]

    @property
    def label(self) -> str:
        """What people call it."""
        return self.notes.get("label", self.name)

    @property
    def version(self) -> str:
        """Changes with every change of the file that should make new estimates."""
        return self.notes.get("version", "0")

    def note_numbers(self, note: str, count: int) -> tuple[float, ...]:
        """Return the `count` numbers of a `#@` line, or raise `BrokenProfile`."""
        numbers = _numbers(self.notes.get(note, ""))
        if len(numbers) != count or not all(math.isfinite(number) and number > 0 for number in numbers):
            raise BrokenProfile(
                "The profile “{profile}” needs a line “#@ {note} = …” with {count} positive numbers.",
                profile=self.name,
                note=note,
                count=count,
            )
        return numbers

    def number(self, key: str) -> float:
        """Return one number the slicer also reads, or raise `BrokenProfile`."""
        numbers = _numbers(self.keys.get(key, ""))
        if len(numbers) != 1:
            raise BrokenProfile("The profile “{profile}” needs one number for “{key}”.", profile=self.name, key=key)
        return numbers[0]


@dataclass(frozen=True)
class MachineProfile:
    """What a printer can do. `bed_mm` is the room for parts: width, depth, height.

    `rim_mm` around the bed may be reached too: some start codes purge there (`#@ rim_mm = 4`).
    """

    name: str
    label: str
    bed_mm: tuple[float, float, float]
    nozzle_mm: float
    max_nozzle_c: float
    max_bed_c: float
    rim_mm: float
    profile: Profile

    @property
    def label_with_size(self) -> str:
        """What it is called, with the room it has for parts."""
        return f"{self.label} ({' × '.join(f'{side:g}' for side in self.bed_mm)} mm)"


@dataclass(frozen=True)
class FilamentProfile:
    """A material as the slicer sees it."""

    name: str
    label: str
    diameter_mm: float
    density_g_cm3: float
    nozzle_c: float
    bed_c: float
    profile: Profile


@dataclass(frozen=True)
class PrintProfile:
    """How finely to print."""

    name: str
    label: str
    layer_mm: float
    profile: Profile


@dataclass(frozen=True)
class Settings:
    """Everything the slicer and the estimate need to know, resolved from one machine and one set of choices.

    Two are equal when their `hash` is.
    """

    machine: MachineProfile = field(compare=False)
    filament: FilamentProfile = field(compare=False)
    print: PrintProfile = field(compare=False)
    choices: Choices = field(compare=False)
    keys: Mapping[str, str] = field(compare=False, repr=False)
    hash: str
    """sha256 of the resolved keys and the versions of their profiles: the same hash means the same G-code settings."""

    def number(self, key: str) -> float:
        """Return a numeric key; a percentage such as `25%` gives 25."""
        numbers = _numbers(self.keys.get(key, "").replace("%", " "))
        if len(numbers) != 1:
            raise BrokenProfile(
                "The settings of {machine} need one number for “{key}”.", machine=self.machine.label, key=key
            )
        return numbers[0]

    def switched_on(self, key: str) -> bool:
        """Return whether a key is set to 1."""
        return self.keys.get(key, "0") == "1"

    def speed(self, key: str, of_mm_s: float) -> float:
        """Return a speed in mm/s; a percentage is taken of `of_mm_s`."""
        value = self.number(key)
        return value * of_mm_s / 100 if "%" in self.keys[key] else value

    @cached_property
    def nozzle_c(self) -> float:
        """The hottest the nozzle is told to be."""
        return max(self.number("temperature"), self.number("first_layer_temperature"))

    @cached_property
    def bed_c(self) -> float:
        """The hottest the bed is told to be."""
        return max(self.number("bed_temperature"), self.number("first_layer_bed_temperature"))


def machine_profiles(folder: Path | None = None) -> dict[str, MachineProfile]:
    """Return the machines we have settings for, by name."""
    return {name: _machine(profile) for name, profile in _profiles("machine", folder).items()}


def filament_profiles(folder: Path | None = None) -> dict[str, FilamentProfile]:
    """Return the materials we have settings for, by name."""
    return {name: _filament(profile) for name, profile in _profiles("filament", folder).items()}


def print_profiles(folder: Path | None = None) -> dict[str, PrintProfile]:
    """Return the print qualities we have settings for, by name."""
    return {name: _print(profile) for name, profile in _profiles("print", folder).items()}


def machine_profile(name: str, folder: Path | None = None) -> MachineProfile:
    """Return one machine, or raise `Invalid` with the names that exist."""
    machines = machine_profiles(folder)
    if name not in machines:
        raise Invalid(
            "We have no settings for the machine “{name}”. There are: {known}.",
            field="machine",
            name=name,
            known=", ".join(machines),
        )
    return machines[name]


def settings(machine: str, choices: Choices, folder: Path | None = None) -> Settings:
    """Return the settings of `choices` on `machine`. Raises `Invalid` for names we do not know."""
    return _settings(machine, choices, _extra_folder(folder))


@cache
def _settings(machine: str, choices: Choices, folder: Path | None) -> Settings:
    machine_used = machine_profile(machine, folder)
    filament = _known_filament(choices.material, folder)
    quality = _known_print(choices.quality, folder)
    _check_temperatures(machine_used, filament)
    layers = (machine_used.profile, filament.profile, quality.profile)
    keys = {key: value for layer in layers for key, value in layer.keys.items()}
    keys["fill_density"] = f"{choices.infill_percent}%"
    keys["support_material"] = "1" if choices.supports else "0"
    if choices.infill_percent == 100:
        keys["fill_pattern"] = "rectilinear"  # PrusaSlicer refuses 100 % with patterns that cannot be solid
    versions = [f"{layer.name} {layer.version}" for layer in layers]
    return Settings(
        machine=machine_used,
        filament=filament,
        print=quality,
        choices=choices,
        keys=MappingProxyType(keys),
        hash=_hash(keys, versions),
    )


def _hash(keys: Mapping[str, str], versions: list[str]) -> str:
    content = json.dumps(
        [RESOLUTION_VERSION, versions, sorted(keys.items())], ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(content.encode()).hexdigest()


def _known_filament(material: str, folder: Path | None) -> FilamentProfile:
    filaments = filament_profiles(folder)
    if material not in filaments:
        raise Invalid(
            "We have no settings for the material “{name}”. There are: {known}.",
            field="material",
            name=material,
            known=", ".join(filaments),
        )
    return filaments[material]


def _known_print(quality: str, folder: Path | None) -> PrintProfile:
    qualities = print_profiles(folder)
    if quality not in qualities:
        raise Invalid(
            "We have no settings for the quality “{name}”. There are: {known}.",
            field="quality",
            name=quality,
            known=", ".join(qualities),
        )
    return qualities[quality]


def _check_temperatures(machine: MachineProfile, filament: FilamentProfile) -> None:
    if filament.nozzle_c > machine.max_nozzle_c or filament.bed_c > machine.max_bed_c:
        raise Invalid(
            "{material} needs {nozzle} °C at the nozzle and {bed} °C on the bed: more than {machine} may reach.",
            field="material",
            material=filament.label,
            nozzle=round(filament.nozzle_c),
            bed=round(filament.bed_c),
            machine=machine.label,
        )


def _machine(profile: Profile) -> MachineProfile:
    width, depth, height = profile.note_numbers("bed_mm", 3)
    return MachineProfile(
        name=profile.name,
        label=profile.label,
        bed_mm=(width, depth, height),
        nozzle_mm=profile.number("nozzle_diameter"),
        max_nozzle_c=profile.note_numbers("max_nozzle_c", 1)[0],
        max_bed_c=profile.note_numbers("max_bed_c", 1)[0],
        rim_mm=profile.note_numbers("rim_mm", 1)[0] if "rim_mm" in profile.notes else 0.0,
        profile=profile,
    )


def _filament(profile: Profile) -> FilamentProfile:
    return FilamentProfile(
        name=profile.name,
        label=profile.label,
        diameter_mm=profile.number("filament_diameter"),
        density_g_cm3=profile.number("filament_density"),
        nozzle_c=max(profile.number("temperature"), profile.number("first_layer_temperature")),
        bed_c=max(profile.number("bed_temperature"), profile.number("first_layer_bed_temperature")),
        profile=profile,
    )


def _print(profile: Profile) -> PrintProfile:
    return PrintProfile(profile.name, profile.label, profile.number("layer_height"), profile)


def _profiles(kind: str, folder: Path | None) -> dict[str, Profile]:
    return dict(_read_kind(kind, _extra_folder(folder)))


def _extra_folder(folder: Path | None) -> Path | None:
    named = os.environ.get(EXTRA_FOLDER_VARIABLE)
    return folder or (Path(named) if named else None)


@cache
def _read_kind(kind: str, extra: Path | None) -> Mapping[str, Profile]:
    folders = [OWN_PROFILES / kind] + ([extra / kind] if extra else [])
    files = {file.stem: file for folder in folders for file in sorted(folder.glob("*.ini"))}
    return MappingProxyType({name: read_profile(file) for name, file in files.items()})


def read_profile(file: Path) -> Profile:
    """Return the profile written in an ini file: `key = value` lines, `#@ name = value` notes, `#` comments."""
    keys: dict[str, str] = {}
    notes: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        place = notes if line.startswith("#@") else keys
        text = line.removeprefix("#@").strip()
        if not text or text.startswith(("#", ";", "[")):
            continue
        name, equals, value = text.partition("=")
        if not equals:
            raise BrokenProfile(
                "“{line}” in the profile “{profile}” is not “name = value”.", line=text, profile=file.stem
            )
        place[name.strip()] = value.strip()
    return Profile(file.stem, MappingProxyType(keys), MappingProxyType(notes))


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in text.replace(",", " ").split())
    except ValueError:
        return ()
