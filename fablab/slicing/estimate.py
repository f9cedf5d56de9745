"""Estimate mass and time from features and settings: algebra on what was measured once, in milliseconds.

The rules are PrusaSlicer's: walls follow the contours of each section, skins cover what is near a top or a bottom,
bridges carry the first skin over sparse infill, the rest is infill. Times follow from speeds, acceleration, corners and
the flow the filament allows; layers that would be too quick are slowed for cooling, after all copies on the plate are
counted. A few coefficients near 1, fitted against real slices, are in `calibration.json` with the slicer's version and
the errors on models left out of the fit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fablab.errors import Invalid
from fablab.slicing.deposits import areas_by_kind, infill_mm, skirt_mm, supports_of
from fablab.slicing.features import Features
from fablab.slicing.process import Process, process_of
from fablab.slicing.profiles import Settings
from fablab.slicing.timing import LayerTimes, layer_times

Floats = NDArray[np.float64]

CALIBRATION = Path(__file__).with_name("calibration.json")
MOST_COPIES = 10_000
STOPPING_SHARE_WHEN_SLOW = 0.3
"""Of the time lost in corners and at ends, what remains when a layer is slowed for cooling."""


@dataclass(frozen=True)
class Estimate:
    """What `copies` parts on one plate take. Times leave out heating and homing, masses the purge line.

    `mass_g_by` and `time_s_by` add up to the whole: walls, infill, skins, bridges, supports, skirt; and travel, layers,
    cooling.
    """

    mass_g: float
    filament_mm: float
    time_s: float
    trusted: bool
    copies: int
    mass_g_by: Mapping[str, float]
    time_s_by: Mapping[str, float]


@dataclass(frozen=True)
class Calibration:
    """Factors near 1 for each kind of volume and of time, and where they come from."""

    slicer: str
    volume: Mapping[str, float]
    time: Mapping[str, float]
    error: Mapping[str, object]


@dataclass(frozen=True)
class Quantities:
    """What one part takes before calibration: `volume_mm3` by kind, and its layers, (K,) of them in each slab."""

    volume_mm3: dict[str, float]
    times: LayerTimes
    layers: Floats


def estimate(
    features: Features, settings: Settings, copies: int = 1, calibration: Calibration | None = None
) -> Estimate:
    """Return what `copies` parts on one plate take. The same arguments give the same figures."""
    if not 1 <= copies <= MOST_COPIES:
        raise Invalid("The number of copies is between 1 and {most}.", field="copies", most=MOST_COPIES)
    process = process_of(settings)
    factors = calibration or own_calibration()
    quantities = quantities_of(features, process)
    skirt = skirt_mm(features, process, copies)
    volumes = {kind: volume * copies * factors.volume[kind] for kind, volume in quantities.volume_mm3.items()}
    volumes["skirt"] = (
        skirt * process.outer.section_mm2 / process.layer_mm * process.first_layer_mm * factors.volume["skirt"]
    )
    times = plate_times(quantities, process, factors.time, copies)
    times["skirt"] = skirt / process.first_layer_mm_s
    total_mm3 = sum(volumes.values())
    return Estimate(
        mass_g=total_mm3 * process.density_g_mm3,
        filament_mm=total_mm3 / process.filament_mm2,
        time_s=sum(times.values()),
        trusted=bool(features.trusted),
        copies=copies,
        mass_g_by=MappingProxyType({kind: volume * process.density_g_mm3 for kind, volume in volumes.items()}),
        time_s_by=MappingProxyType(times),
    )


@cache
def own_calibration() -> Calibration:
    """Return the factors shipped with this program."""
    stored = json.loads(CALIBRATION.read_text(encoding="utf-8"))
    return Calibration(stored["slicer"], stored["volume"], stored["time"], stored["error"])


def plate_times(
    quantities: Quantities, process: Process, factors: Mapping[str, float], copies: int
) -> dict[str, float]:
    """Return seconds by kind for a plate: layers of all copies together, slowed where they are too quick to cool."""
    layer = {
        kind: seconds * copies * factors[kind] for kind, seconds in quantities.times.by_kind.items() if kind != "layers"
    }
    layer["layers"] = quantities.times.by_kind["layers"] * factors["layers"]
    quick = np.sum(list(layer.values()), axis=0)
    unhurried = quantities.times.unhurried * copies
    room = np.maximum(0.0, quantities.times.slowest * copies - unhurried)
    wanted = np.clip(process.slow_below_s - unhurried, 0.0, room)
    slowed = unhurried + wanted + STOPPING_SHARE_WHEN_SLOW * np.maximum(0.0, quick - unhurried)
    waiting = np.where(wanted > 0, np.maximum(0.0, slowed - quick), 0.0)
    times = {kind: float((seconds * quantities.layers).sum()) for kind, seconds in layer.items()}
    times["cooling"] = float((waiting * quantities.layers).sum())
    times["skins"] += quantities.times.first_layer_s * copies
    return times


def quantities_of(features: Features, process: Process) -> Quantities:
    """Return what one part takes, by the rules of the slicer and before calibration."""
    heights = np.diff(features.slab_edges_mm)
    areas = areas_by_kind(features, process)
    supports = supports_of(features, process)
    volumes = {kind: float((area * heights).sum()) for kind, area in areas.items()}
    volumes["infill"] = float((infill_mm(features, process, areas) * heights).sum()) * process.sparse.spacing_mm
    volumes["bridges"] *= process.bridge.section_mm2 / process.bridge.spacing_mm / process.layer_mm
    volumes["supports"], volumes["interfaces"] = supports.body_mm3, supports.interface_mm3
    return Quantities(volumes, layer_times(features, process, areas, supports), heights / process.layer_mm)
