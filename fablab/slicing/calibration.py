"""Factors that bring estimates in line with the slicer, one set for each machine and quality, and how far they reach.

`calibration.json` beside this module was made with the slicer it names and our own profiles; `fablab calibrate`
writes another one into the data folder, which goes before. A profile that is in neither gets the factors typical for
the others and their wider ranges.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from fablab.settings import settings as program_settings
from fablab.slicing.profiles import Settings

log = logging.getLogger(__name__)

OWN = Path(__file__).with_name("calibration.json")
FILE_NAME = "calibration.json"


@dataclass(frozen=True)
class Spread:
    """A relative range around an estimate that holds nine real figures in ten: `low` is negative, `high` positive."""

    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """Factors near 1 for each kind of volume and of time, and where they come from.

    `slicer` and `made_on` say with what and when (ISO date); `slices` from how many slices; `error` is the mean error
    of mass and time on parts left out of the fit.
    """

    slicer: str
    made_on: str
    slices: int
    volume: Mapping[str, float]
    time: Mapping[str, float]
    mass_spread: Spread
    time_spread: Spread
    error: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` turns back into this calibration."""
        spreads = {
            "mass_spread": [self.mass_spread.low, self.mass_spread.high],
            "time_spread": [self.time_spread.low, self.time_spread.high],
        }
        plain = {"slicer": self.slicer, "made_on": self.made_on, "slices": self.slices}
        return {**plain, "volume": dict(self.volume), "time": dict(self.time), **spreads, "error": dict(self.error)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Calibration:
        """Return the calibration that `to_json` wrote."""
        return Calibration(
            **{**data, "mass_spread": Spread(*data["mass_spread"]), "time_spread": Spread(*data["time_spread"])}
        )


def profile_key(settings: Settings) -> str:
    """Return what a calibration is for: a machine and a quality as their profiles are now, whatever the material."""
    machine, quality = settings.machine.profile, settings.print.profile
    content = json.dumps([sorted(machine.keys.items()), sorted(quality.keys.items())], ensure_ascii=False)
    return f"{machine.name} {quality.name} {hashlib.sha256(content.encode()).hexdigest()[:12]}"


def calibration_for(settings: Settings) -> Calibration:
    """Return the factors for a machine and a quality: the place's own, else ours, else the typical ones."""
    key = profile_key(settings)
    for stored in _all_stored():
        if key in stored:
            return stored[key]
    return typical()


def typical() -> Calibration:
    """Return the factors for profiles that were not calibrated."""
    return _read(OWN, OWN.stat().st_mtime_ns)["typical"]


def own_file() -> Path:
    """Return where this place's own calibration is kept."""
    return program_settings().data_dir.absolute() / FILE_NAME


def save(calibrations: Mapping[str, Calibration], path: Path) -> None:
    """Write calibrations by profile key (or "typical"), keeping what the file has on other profiles."""
    kept = dict(_read(path, path.stat().st_mtime_ns)) if path.exists() else {}
    data = {key: each.to_json() for key, each in {**kept, **calibrations}.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".tmp")
    written.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    written.replace(path)


def _all_stored() -> list[Mapping[str, Calibration]]:
    found = [path for path in (own_file(), OWN) if path.exists()]
    return [_read(path, path.stat().st_mtime_ns) for path in found]


@lru_cache(maxsize=8)
def _read(path: Path, _changed_ns: int) -> Mapping[str, Calibration]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return {key: Calibration.from_json(data) for key, data in stored.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        if path == OWN:
            raise
        log.warning("%s cannot be read and is not used: run `fablab calibrate` again", path)
        return {}
