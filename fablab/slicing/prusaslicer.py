"""PrusaSlicer 2.5 to 2.9: its arguments, its settings file, and what its last words mean.

Its command line checks neither the bed (with `--center`) nor the height, and may end with 0 without having written
anything: `slicer.py` checks before and after.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from fablab.slicing import plates
from fablab.slicing.dialect import MODEL, Failure, Fault, Plate
from fablab.slicing.profiles import Settings
from fablab.words import say

SETTINGS_FILE = "settings.ini"

_BAD_SETTING = Failure(say("The slicer refuses one of the settings of this profile."), Fault.PLACE)
_TOO_DETAILED = Failure(say("Slicing needs more memory than allowed: the part is too detailed."))
_NOTHING_SOLID = Failure(
    say("The slicer finds no solid part in this file: it is not closed, or far too small. Repair it or check it.")
)
_NO_FOOT = "no extrusions in the first layer"
_NO_ROOM = "could not fit on the bed"

FAILURES: tuple[tuple[str, Failure], ...] = (
    (_NO_ROOM, Failure(say("The parts do not fit on the build plate."))),
    ("Loading of a model file failed", Failure(say("The slicer cannot read this file: it is damaged or not an STL."))),
    (
        _NO_FOOT,
        Failure(say("Nothing touches the build plate: turn the part onto a flat side, or choose supports.")),
    ),
    ("No layers were detected", _NOTHING_SOLID),
    ("The print is empty", Failure(say("The part is too small or too thin to be printed with this nozzle."))),
    ("failed to map segment", _TOO_DETAILED),
    ("bad_alloc", _TOO_DETAILED),
    ("Value out of range", _BAD_SETTING),
    (
        "can't be greater than nozzle diameter",
        Failure(say("The layers of this profile are too thick for the nozzle."), Fault.PLACE),
    ),
    ("invalid custom G-code", Failure(say("The start or end G-code of this profile contains a mistake."), Fault.PLACE)),
    ('Add "G92 E0" to layer_gcode', _BAD_SETTING),
    ("Unknown option", _BAD_SETTING),
    ("G-code export to", Failure(say("The slicer could not write its G-code: is the disk full?"), Fault.PLACE)),
)
"""What PrusaSlicer says when it gives up, and what that means; the first that is found counts."""


class PrusaSlicer:
    """The family that reads our profiles as they are."""

    name = "PrusaSlicer"
    names_on_path: Sequence[str] = ("prusa-slicer", "PrusaSlicer", "prusaslicer")
    supported = "2.5 – 2.9"
    writes = "plate.gcode"

    def version_in(self, help_text: str) -> str | None:
        found = re.search(r"PrusaSlicer[ -](\d+\.\d+\.\d+[\w.-]*)", help_text)
        return found[1] if found else None

    def supports(self, version: str) -> bool:
        major, minor = map(int, version.split(".")[:2])
        return major == 2 and 5 <= minor <= 9

    def fingerprint(self, settings: Settings) -> str:  # noqa: ARG002 - it reads nothing but them
        return ""

    def prepare(self, program: Path, plate: Plate, work: Path) -> list[str]:
        (work / SETTINGS_FILE).write_text(ini_text(_on_bed(plate.settings, plate.copies)), encoding="utf-8")
        command = [str(program), "--export-gcode", "--load", SETTINGS_FILE, "--loglevel", "1"]
        if plates.is_turned(plate.size_mm, plate.settings.machine, plate.copies):
            command += ["--rotate", "90"]
        if plate.copies == 1:
            width, depth, _ = plate.settings.machine.bed_mm
            command += ["--center", f"{width / 2:g},{depth / 2:g}"]
        else:
            command += ["--duplicate", str(plate.copies)]
        return [*command, "--output", self.writes, MODEL]

    def failure_in(self, said: str, plate: Plate, work: Path) -> Failure | None:  # noqa: ARG002 - it says it all
        if _NO_ROOM in said and plate.copies == 1:  # its size was checked: a corner is not a number, or far away
            return Failure(say("The slicer cannot place this part: its coordinates make no sense."))
        if _NO_FOOT in said and plate.settings.choices.supports:
            return Failure(say("Nothing touches the build plate, even with supports: turn the part onto a flat side."))
        return next((failure for words, failure in FAILURES if words in said), None)


def _on_bed(settings: Settings, copies: int) -> Mapping[str, str]:
    """Return the keys, the bed without its edges when parts are arranged: the skirt would lie beside the bed."""
    if copies == 1:
        return settings.keys
    width, depth, _ = settings.machine.bed_mm
    low, right, back = plates.EDGE_MM, width - plates.EDGE_MM, depth - plates.EDGE_MM
    corners = ((low, low), (right, low), (right, back), (low, back))
    return {**settings.keys, "bed_shape": ",".join(f"{x:g}x{y:g}" for x, y in corners)}


def ini_text(keys: Mapping[str, str]) -> str:
    """Return settings as PrusaSlicer reads them from a file."""
    return "".join(f"{key} = {value}\n" for key, value in sorted(keys.items()))
