"""Estimate mass and time from features and settings: algebra on what was measured once, in milliseconds.

The rules are PrusaSlicer's: `bands` divides the layers into walls, skins, bridges and infill, `deposits` turns them
into lines and volumes, `timing` into seconds; layers that would be too quick are slowed for cooling, after all copies
on the plate are counted. A few factors near 1 come from `calibration`: slices of parts of our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fablab.errors import Invalid
from fablab.slicing.bands import bands_of
from fablab.slicing.calibration import Calibration, Spread, calibration_for
from fablab.slicing.deposits import VOLUMES, Deposits, deposits_of, skirt_mm
from fablab.slicing.features import Features
from fablab.slicing.process import Process, process_of
from fablab.slicing.profiles import Settings
from fablab.slicing.timing import LayerWork, joined, plate_seconds, work_of

Floats = NDArray[np.float64]

MOST_COPIES = 10_000


@dataclass(frozen=True)
class Estimate:
    """What a plate takes. Times leave out heating and homing, masses the purge line.

    `mass_g_by` and `time_s_by` add up to the whole: walls, skins, bridges, infill, joints, supports, interfaces, skirt;
    and kinds of lines, travel, cooling, skirt. The real figure lies in `mass_range_g` and `time_range_s` nine times in
    ten. `trusted` is False when the mesh has faults that make all of it rough.
    """

    mass_g: float
    filament_mm: float
    time_s: float
    trusted: bool
    copies: int
    mass_g_by: Mapping[str, float]
    time_s_by: Mapping[str, float]
    mass_range_g: tuple[float, float]
    time_range_s: tuple[float, float]


@dataclass(frozen=True)
class Quantities:
    """What one part takes before calibration."""

    deposits: Deposits
    work: LayerWork


def estimate(
    features: Features, settings: Settings, copies: int = 1, calibration: Calibration | None = None
) -> Estimate:
    """Return what `copies` parts on one plate take. The same arguments give the same figures."""
    return estimate_plate([(features, copies)], settings, calibration)


def estimate_plate(
    parts: Sequence[tuple[Features, int]], settings: Settings, calibration: Calibration | None = None
) -> Estimate:
    """Return what a plate with several parts, each so many times, takes."""
    copies = sum(count for _, count in parts)
    if not 1 <= copies <= MOST_COPIES or any(count < 1 for _, count in parts):
        raise Invalid("The number of copies is between 1 and {most}.", field="copies", most=MOST_COPIES)
    process = process_of(settings)
    used = calibration or calibration_for(settings)
    found = [(quantities_of(features, process), count) for features, count in parts]
    mass_g = {
        kind: sum(each.deposits.volume_mm3[kind] * count for each, count in found)
        * used.volume[kind]
        * process.density_g_mm3
        for kind in VOLUMES
    }
    seconds_by = _seconds(found, process, used)
    time_s = {kind: float(each.sum()) for kind, each in seconds_by.items()}
    skirt = max(skirt_mm(features, process, copies) for features, _ in parts)
    mass_g["skirt"] = skirt * process.skirt_mm2 * process.density_g_mm3
    time_s["skirt"] = skirt / process.first_layer_mm_s
    mass, seconds = sum(mass_g.values()), sum(time_s.values())
    trusted = all(bool(features.trusted) for features, _ in parts)
    wide = (1.0 if trusted else UNTRUSTED) * (SUPPORTED if mass_g["supports"] else 1.0)
    return Estimate(
        mass_g=mass,
        filament_mm=mass / process.density_g_mm3 / process.filament_mm2,
        time_s=seconds,
        trusted=trusted,
        copies=copies,
        mass_g_by=MappingProxyType(mass_g),
        time_s_by=MappingProxyType(time_s),
        mass_range_g=_range(mass, used.mass_spread, wide),
        time_range_s=_range(seconds, used.time_spread, wide),
    )


def _seconds(found: Sequence[tuple[Quantities, int]], process: Process, used: Calibration) -> dict[str, Floats]:
    if len(found) == 1:
        quantities, count = found[0]
        return plate_seconds(quantities.work, process, used.time, count)
    return plate_seconds(joined([(each.work, count) for each, count in found]), process, used.time, 1)


@lru_cache(maxsize=128)
def quantities_of(features: Features, process: Process) -> Quantities:
    """Return what one part takes, by the rules of the slicer and before calibration."""
    bands = bands_of(features, process.shape)
    deposits = deposits_of(features, bands, process)
    return Quantities(deposits, work_of(features, bands, deposits, process))


UNTRUSTED, SUPPORTED = 4.0, 1.43
"""Ranges are so much wider for meshes with faults, and for parts on supports."""


def _range(value: float, spread: Spread, wide: float) -> tuple[float, float]:
    return value * max(0.0, 1 + spread.low * wide), value * (1 + spread.high * wide)
