"""OrcaSlicer 2: its arguments and its three settings files, as its manual describes them. Not run against a real one.

Its settings are JSON with names of their own, so a place exports them from OrcaSlicer itself, complete, into the
folders `orca/machine`, `orca/process` and `orca/filament` of its own profiles, under the names of our machine, print
and filament profiles. Only infill and supports are set by us. Manual: https://www.orcaslicer.com/wiki/cli/cli_mode
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fablab.settings import settings as place_settings
from fablab.slicing import plates
from fablab.slicing.dialect import MODEL, Failure, Fault, Plate
from fablab.slicing.profiles import BrokenProfile, Settings
from fablab.slicing.prusaslicer import FAILURES as OF_THE_COMMON_ANCESTOR
from fablab.words import say

FOLDER = "orca"
RESULT = "result.json"
"""Where it says in words why it gave up."""

_NO_ROOM = Failure(say("The parts do not fit on the build plate."))
_UNREADABLE = Failure(say("The slicer cannot read this file: it is damaged or not an STL."))
_TOO_DETAILED = Failure(say("Slicing needs more memory than allowed: the part is too detailed."))
_BAD_PROFILE = Failure(say("The slicer refuses one of the settings of this profile."), Fault.PLACE)

FAILURES: tuple[tuple[str, Failure], ...] = (
    ("over the boundary of the heated bed", _NO_ROOM),
    ("no object fully inside it", _NO_ROOM),
    ("occurred when auto-arranging", _NO_ROOM),
    ("input model file to the slicer can not be parsed", _UNREADABLE),
    ("Triangle count of single plate exceeds", _TOO_DETAILED),
    ("Out of memory during slicing", _TOO_DETAILED),
    ("input preset file is invalid", _BAD_PROFILE),
    ("incorrect slicing parameters", _BAD_PROFILE),
    ("not compatible with the process preset", _BAD_PROFILE),
    ("process not compatible with printer", _BAD_PROFILE),
)
"""The sentences of OrcaSlicer's own table of errors, and what they mean for us."""


class OrcaSlicer:
    """The family that reads JSON, arranges plates by itself, and names what it writes after the plate."""

    name = "OrcaSlicer"
    names_on_path: Sequence[str] = ("orca-slicer", "OrcaSlicer")
    supported = "2"
    writes = "plate_1.gcode"

    def version_in(self, help_text: str) -> str | None:
        found = re.search(r"OrcaSlicer[ -](\d+\.\d+\.\d+[\w.-]*)", help_text)
        return found[1] if found else None

    def supports(self, version: str) -> bool:
        return version.split(".", maxsplit=1)[0] == "2"

    def fingerprint(self, settings: Settings) -> str:
        content = json.dumps(_presets(settings), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def prepare(self, program: Path, plate: Plate, work: Path) -> list[str]:
        for kind, preset in _presets(plate.settings).items():
            (work / f"{kind}.json").write_text(json.dumps(preset), encoding="utf-8")
        command = [str(program), "--load-settings", "machine.json;process.json", "--load-filaments", "filament.json"]
        if plates.is_turned(plate.size_mm, plate.settings.machine, plate.copies):
            command += ["--rotate", "90"]
        if plate.copies > 1:
            command += ["--clone-objects", str(plate.copies)]
        return [*command, "--arrange", "1", "--slice", "0", "--outputdir", ".", MODEL]

    def failure_in(self, said: str, plate: Plate, work: Path) -> Failure | None:  # noqa: ARG002 - it tells by itself
        if (work / "plate_2.gcode").exists():  # it had to begin a second plate
            return _NO_ROOM
        told = said + _told(work / RESULT)
        return next((failure for words, failure in (*FAILURES, *OF_THE_COMMON_ANCESTOR) if words in told), None)


def _told(result: Path) -> str:
    try:
        return result.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _presets(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the three files of `settings`; raises `BrokenProfile` for one that is missing or not complete."""
    chosen = {
        "sparse_infill_density": f"{settings.choices.infill_percent}%",
        "enable_support": "1" if settings.choices.supports else "0",
    }
    return {
        "machine": _preset("machine", settings.machine.name),
        "process": {**_preset("process", settings.print.name), **chosen},
        "filament": _preset("filament", settings.filament.name),
    }


def _preset(kind: str, name: str) -> dict[str, Any]:
    folder = place_settings().profiles
    file = folder / FOLDER / kind / f"{name}.json" if folder is not None else None
    if file is None or not file.is_file():
        raise BrokenProfile(
            say(
                "OrcaSlicer needs its own settings {kind}/{name}.json in the folder “orca” of the own profiles.",
                kind=kind,
                name=name,
            )
        )
    preset = _read(file)
    if preset is None or preset.get("type") != kind or preset.get("inherits"):
        raise BrokenProfile(
            say("The settings {kind}/{name}.json are not a complete export from OrcaSlicer.", kind=kind, name=name)
        )
    return preset


def _read(file: Path) -> dict[str, Any] | None:
    try:
        preset = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return preset if isinstance(preset, dict) else None
