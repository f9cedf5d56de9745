"""Slice our reference parts with a machine and a quality, and fit the factors that bring the estimate in line.

Volumes: a robust least-squares fit of factors near 1 to the slices' grams; times: the same to their seconds, by factors
on what corners, ends and travels cost. Few slices must not run away with so many factors: each is held near the typical
one. What the fit is worth is said by parts that were left out of it, a fifth at a time.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from fablab.errors import Invalid, Problem
from fablab.slicing import slicer as slicing
from fablab.slicing.anatomy import features_of
from fablab.slicing.calibration import Calibration, Spread
from fablab.slicing.choices import Choices, Quality
from fablab.slicing.deposits import VOLUMES, skirt_mm
from fablab.slicing.drawing import Triangles
from fablab.slicing.estimate import quantities_of
from fablab.slicing.features import Features
from fablab.slicing.process import process_of
from fablab.slicing.profiles import Settings, filament_profiles, settings
from fablab.slicing.references import REFERENCES
from fablab.slicing.stl import write_stl
from fablab.slicing.timing import LINES, TRAVELS, plate_seconds
from fablab.words import say

Floats = NDArray[np.float64]

INFILLS = (15, 20, 30, 10, 50, 40)
HELD_UP = frozenset(
    {"table", "bridge", "ball_on_foot", "funnel", "tilted_plate", "figure", "elbow", "lying_rod", "bearing_block",
     "hook", "pebble", "enclosure"}
)  # fmt: skip
"""References that are sliced with supports."""
FEWEST = 12
FOLDS = 5
TIMES = (*LINES, *TRAVELS)
VOLUME_HOLD, LINE_HOLD, TRAVEL_HOLD = 0.6, 1.5, 2.0
"""How strongly 40 slices leave factors where they start: as strongly as a part that is off by this much per 100 %.

Parts of ours have fewer islands and holes than strangers': their travels say little about those.
"""
MASS_SCALE, TIME_SCALE = 0.02, 0.04
"""Errors beyond are outliers, and weigh less."""
COVERED = 0.9
WIDER_MASS, WIDER_TIME = 1.2, 0.95
"""How much wider or narrower the ranges are for parts of strangers than for ours."""


@dataclass(frozen=True)
class Sample:
    """A part sliced with some settings: its features, and the true figures of the plate."""

    features: Features
    used: Settings
    mass_g: float
    time_s: float


def calibrate(slicer: slicing.Slicer, machine: str, quality: Quality, start: Calibration | None = None) -> Calibration:
    """Slice the references with a machine and a quality and return the calibration.

    Raises `Invalid` when too few of them can be sliced, and `Problem` for profiles that do not fit together.
    """
    samples = slice_references(slicer, machine, quality)
    if len(samples) < FEWEST:
        raise Invalid(say("Only {count} reference parts could be sliced: too few to calibrate.", count=len(samples)))
    return fitted(samples, slicer.version, start)


def slice_references(slicer: slicing.Slicer, machine: str, quality: Quality) -> list[Sample]:
    """Slice each reference once, with materials, infills and supports that vary from one to the next."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        work = [pool.submit(_sliced, slicer, name, used, Path(folder)) for name, used in _plan(machine, quality)]
        return [found for each in work if (found := each.result()) is not None]


def _plan(machine: str, quality: Quality) -> Iterator[tuple[str, Settings]]:
    materials = [name for name in sorted(filament_profiles()) if _can_print(machine, quality, name)]
    for place, name in enumerate(REFERENCES):
        material = materials[place % len(materials)]
        choices = Choices(material, quality, INFILLS[place % len(INFILLS)], name in HELD_UP)
        yield name, settings(machine, choices)


def _can_print(machine: str, quality: Quality, material: str) -> bool:
    try:
        settings(machine, Choices(material, quality))
    except Problem:
        return False
    return True


def _sliced(slicer: slicing.Slicer, name: str, used: Settings, folder: Path) -> Sample | None:
    triangles, features = _reference(name)
    file = write_stl(folder / f"{name}.stl", triangles)
    x, y, z = (float(side) for side in features.size_mm)
    try:
        found = slicing.slice_model(slicer, file, used, 1, folder / f"{name}.gcode", size_mm=(x, y, z))
    except slicing.SliceFailed:
        return None
    return Sample(features, used, found.mass_g, found.time_s)


@cache
def _reference(name: str) -> tuple[Triangles, Features]:
    triangles = REFERENCES[name]()
    triangles = triangles - triangles.min(axis=(0, 1))
    return triangles, features_of(triangles, 1.0, 1.0, closed=True)


def fitted(samples: Sequence[Sample], slicer_version: str, start: Calibration | None = None) -> Calibration:
    """Return the factors that fit these samples best, and what they are worth on samples left out of the fit."""
    volume, time = fit_volume(samples, start), fit_time(samples, start)
    mass_errors, time_errors = _left_out(samples, start)
    plain = np.array([not sample.used.choices.supports for sample in samples])
    return Calibration(
        slicer=slicer_version,
        made_on=date.today().isoformat(),  # noqa: DTZ011 - a date for people
        slices=len(samples),
        volume=volume,
        time=time,
        mass_spread=_spread(mass_errors[plain], WIDER_MASS),
        time_spread=_spread(time_errors[plain], WIDER_TIME),
        error={
            "mass": round(float(np.abs(mass_errors).mean()), 4),
            "time": round(float(np.abs(time_errors).mean()), 4),
        },
    )


def fit_volume(samples: Sequence[Sample], start: Calibration | None = None) -> dict[str, float]:
    """Return factors on the kinds of volume."""
    held = np.array([start.volume[kind] if start else 1.0 for kind in VOLUMES])
    amounts, skirts, truth = [], [], []
    for sample in samples:
        process = process_of(sample.used)
        found = quantities_of(sample.features, process).deposits.volume_mm3
        amounts.append([found[kind] * process.density_g_mm3 for kind in VOLUMES])
        skirts.append(skirt_mm(sample.features, process, 1) * process.skirt_mm2 * process.density_g_mm3)
        truth.append(sample.mass_g)
    hold = VOLUME_HOLD * math.sqrt(len(samples) / len(REFERENCES))
    parts, rest, true_g = np.array(amounts), np.array(skirts), np.array(truth)

    def errors(factors: Floats) -> Floats:
        return np.concatenate([(parts @ factors + rest) / true_g - 1, hold * (factors - held) / held])

    found = least_squares(errors, held, loss="soft_l1", f_scale=MASS_SCALE).x
    return {kind: round(float(factor), 4) for kind, factor in zip(VOLUMES, found, strict=True)}


def fit_time(samples: Sequence[Sample], start: Calibration | None = None) -> dict[str, float]:
    """Return factors on what corners and ends of each kind of line cost, and on each kind of travel."""
    first = TYPICAL_TIME if start is None else start.time
    held = np.array([first[kind] for kind in TIMES])
    hold = np.array([LINE_HOLD] * len(LINES) + [TRAVEL_HOLD] * len(TRAVELS)) * math.sqrt(len(samples) / len(REFERENCES))
    ready = [time_error(sample) for sample in samples]

    def errors(factors: Floats) -> Floats:
        named = dict(zip(TIMES, factors.tolist(), strict=True))
        return np.concatenate([np.array([each(named) for each in ready]), hold * (factors - held) / held])

    found = least_squares(
        errors, held, bounds=(held * 0.1, held * 5), loss="soft_l1", f_scale=TIME_SCALE, diff_step=1e-3, max_nfev=12
    ).x
    return {kind: round(float(factor), 4) for kind, factor in zip(TIMES, found, strict=True)}


def time_error(sample: Sample) -> Callable[[Mapping[str, float]], float]:
    """Return the relative error of the time of a sample as a function of the factors."""
    process = process_of(sample.used)
    work = quantities_of(sample.features, process).work
    skirt = skirt_mm(sample.features, process, 1) / process.first_layer_mm_s

    def error(factors: Mapping[str, float]) -> float:
        seconds = sum(float(each.sum()) for each in plate_seconds(work, process, factors, 1).values())
        return (seconds + skirt) / sample.time_s - 1

    return error


def _left_out(samples: Sequence[Sample], start: Calibration | None) -> tuple[Floats, Floats]:
    """Return relative errors of mass and time of each sample, by factors fitted without its fifth of the samples."""
    mass, time = np.zeros(len(samples)), np.zeros(len(samples))
    for fold in range(FOLDS):
        kept = [sample for place, sample in enumerate(samples) if place % FOLDS != fold]
        volume, times = fit_volume(kept, start), fit_time(kept, start)
        for place in range(fold, len(samples), FOLDS):
            mass[place] = mass_error(samples[place], volume)
            time[place] = time_error(samples[place])(times)
    return mass, time


def mass_error(sample: Sample, volume: Mapping[str, float]) -> float:
    """Return the relative error of the mass of a sample."""
    process = process_of(sample.used)
    found = quantities_of(sample.features, process).deposits.volume_mm3
    mm3 = sum(found[kind] * volume[kind] for kind in VOLUMES)
    mm3 += skirt_mm(sample.features, process, 1) * process.skirt_mm2
    return mm3 * process.density_g_mm3 / sample.mass_g - 1


def _spread(errors: Floats, wider: float) -> Spread:
    """Return the range of real figures around an estimate, as shares of it, from errors of estimates."""
    real = 1 / (1 + errors) - 1
    low, high = np.quantile(real, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return Spread(round(float(min(low, 0) * wider), 4), round(float(max(high, 0) * wider), 4))


TYPICAL_TIME = {
    "outer": 1.0, "inner": 1.1, "solid": 1.03, "top": 1.2, "bridge": 1.0, "infill": 1.18, "supports": 1.0,
    "interfaces": 1.0, "loops": 0.4, "nests": 1.4, "fills": 0.12, "far fills": 0.05, "skins": 0.06, "far skins": 0.02,
    "props": 1.0, "regions": 0.6, "layers": 0.3,
}  # fmt: skip
"""Where a fit starts that has nothing to start from: what held on average for parts that strangers had drawn."""
