"""How good and how fast the estimate is, against real slices of the same files in the same run, and a rule of thumb.

    FABLAB_CORPUS=folder-of-stl python benchmarks/estimate.py [--every 4] [--matrix 1]

Without FABLAB_CORPUS the generated samples are used. Prints tables and writes build/bench/estimate.json. Slices are
pinned to one processor; both sides are counted in seconds of processor time.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fablab.slicing import samples
from fablab.slicing.anatomy import features_of
from fablab.slicing.calibration import typical
from fablab.slicing.choices import Choices, Quality
from fablab.slicing.drawing import blob
from fablab.slicing.estimate import Estimate, estimate
from fablab.slicing.examine import examine
from fablab.slicing.features import Features
from fablab.slicing.geometry import standing
from fablab.slicing.look import Look
from fablab.slicing.mesh import BadMesh
from fablab.slicing.plates import copies_per_plate
from fablab.slicing.process import process_of
from fablab.slicing.profiles import Settings, settings
from fablab.slicing.reading import read_triangles
from fablab.slicing.slicer import SliceFailed, Slicer, require_slicer, slice_model
from fablab.slicing.stl import write_stl

Floats = NDArray[np.float64]

OUTPUT = Path("build/bench")
CASES = (
    ("mk3", Choices("PLA", Quality.NORMAL, 15)),
    ("ender3", Choices("PLA", Quality.DRAFT, 20)),
    ("mk3", Choices("PETG", Quality.FINE, 30)),
    ("ender3", Choices("PLA", Quality.FINE, 50)),
    ("mk3", Choices("PETG", Quality.DRAFT, 40)),
    ("mk3", Choices("PLA", Quality.NORMAL, 15, supports=True)),
    ("ender3", Choices("PETG", Quality.NORMAL, 20, supports=True)),
)
COPIES = (2, 3, 4, 6, 9)
EVERY_WITH_COPIES = 2
MATRIX = tuple(itertools.product(("PLA", "PETG"), Quality, (10, 20, 50), (False, True)))


@dataclass(frozen=True)
class Part:
    """A measured model: what a price needs of it took `cpu_s`, with all checks and pictures it is `checks_s` more."""

    file: Path
    size_mm: tuple[float, float, float]
    volume_mm3: float
    features: Features
    cpu_s: float
    checks_s: float


@dataclass(frozen=True)
class Trial:
    """One plate of a model, sliced and estimated."""

    part: Part
    used: Settings
    copies: int
    true_mass_g: float
    true_time_s: float
    slicing_s: float
    made: Estimate
    uncalibrated: Estimate
    estimating_s: float


def main() -> None:
    """Measure, slice, compare."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    arguments = _arguments()
    slicer = require_slicer()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = list(measured(corpus(folder)[:: arguments.every]))
        trials = [trial for case in CASES for trial in tried(slicer, parts, *case, folder)]
        plates = list(with_copies(slicer, parts[::EVERY_WITH_COPIES], folder))
        result = {
            "slicer": slicer.version,
            "models": len(parts),
            "plain": accuracy([trial for trial in trials if not trial.used.choices.supports]),
            "supports": accuracy([trial for trial in trials if trial.used.choices.supports]),
            "uncalibrated": accuracy([trial for trial in trials if not trial.used.choices.supports], uncalibrated=True),
            "copies": accuracy(plates),
            "rule_of_thumb": naive(trials),
            "speed": speed(trials),
            "matrix": matrix(slicer, parts, arguments.matrix, folder),
            "million": million(folder),
        }
    for kind, row in result.items():
        print(f"{kind:14} {json.dumps(row)}")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    (OUTPUT / "estimate.json").write_text(json.dumps({"part": "estimate", **result}, indent=1) + "\n")
    print(json.dumps({"part": "estimate", **result}))


def corpus(folder: Path) -> list[Path]:
    """Return the models to try."""
    named = os.environ.get("FABLAB_CORPUS")
    return sorted(Path(named).glob("*.stl")) if named else samples.write_samples(folder / "samples")


def measured(files: Iterable[Path]) -> Iterable[Part]:
    """Measure the models that can be; once before, so that nothing is imported while the clock runs."""
    for file in files:
        try:
            for_price(file)
            started = time.process_time()
            look, features = for_price(file)
            between = time.process_time()
            examine(file, file.name)
        except BadMesh as bad:
            print(f"{file.name}: {bad}")
            continue
        price_s, checks_s = between - started, time.process_time() - between
        yield Part(file, look.size_mm, look.volume_mm3, features, price_s, max(0.0, checks_s - price_s))


def for_price(file: Path) -> tuple[Look, Features]:
    """Read a file and measure what its price needs."""
    look = Look.at(standing(read_triangles(file, file.name)))
    return look, features_of(look.triangles, look.volume_mm3, float(look.areas.sum()), look.open_share == 0)


def tried(
    slicer: Slicer, parts: Sequence[Part], machine: str, choices: Choices, folder: Path, copies: int = 1
) -> Iterable[Trial]:
    """Slice and estimate every model that the slicer accepts."""
    used = settings(machine, choices)
    for part in parts:
        before = children_s()
        try:
            truth = slice_model(slicer, part.file, used, copies, folder / "plate.gcode", size_mm=part.size_mm)
        except SliceFailed:
            continue
        slicing_s = children_s() - before
        fresh = Features.load(kept(part, folder))
        started = time.process_time()
        made = estimate(fresh, used, copies)
        took = time.process_time() - started
        uncalibrated = estimate(part.features, used, copies, typical())
        yield Trial(part, used, copies, truth.mass_g, truth.time_s, slicing_s, made, uncalibrated, took)


def kept(part: Part, folder: Path) -> Path:
    """Return the file with the features of a part."""
    path = folder / f"{part.file.stem}.npz"
    if not path.exists():
        part.features.save(path)
    return path


def with_copies(slicer: Slicer, parts: Sequence[Part], folder: Path) -> Iterable[Trial]:
    """Slice and estimate plates with several copies."""
    for place, part in enumerate(parts):
        copies = COPIES[place % len(COPIES)]
        machine, choices = CASES[place % 3]
        if copies_per_plate(part.size_mm, settings(machine, choices).machine) >= copies:
            yield from tried(slicer, [part], machine, choices, folder, copies)


def children_s() -> float:
    """Return the processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def accuracy(trials: Sequence[Trial], *, uncalibrated: bool = False) -> dict[str, object]:
    """Return errors in percent, and how often the truth lies in the range."""
    if not trials:
        return {"n": 0}
    found: dict[str, object] = {"n": len(trials)}
    for name in ("mass", "time"):
        pairs = [_pair(trial, name, uncalibrated=uncalibrated) for trial in trials]
        error = np.array([made / truth - 1 for made, truth, _ in pairs]) * 100
        found[name] = {
            "mean": round(float(np.abs(error).mean()), 2),
            "median": round(float(np.median(np.abs(error))), 2),
            "p90": round(float(np.quantile(np.abs(error), 0.9)), 2),
            "worst": round(float(np.abs(error).max()), 1),
            "bias": round(float(error.mean()), 2),
            "in_range": round(float(np.mean([low <= truth <= high for _, truth, (low, high) in pairs])), 3),
        }
    return found


def _pair(trial: Trial, name: str, *, uncalibrated: bool) -> tuple[float, float, tuple[float, float]]:
    made = trial.uncalibrated if uncalibrated else trial.made
    if name == "mass":
        return made.mass_g, trial.true_mass_g, made.mass_range_g
    return made.time_s, trial.true_time_s, made.time_range_s


def naive(trials: Sequence[Trial]) -> dict[str, float]:
    """Return the mean errors of the rule of thumb: volume × (0.2 + 0.8 × infill), at half the speed of the infill."""
    mass, duration = [], []
    for trial in trials:
        process = process_of(trial.used)
        volume = trial.part.volume_mm3 * (0.2 + 0.8 * process.infill_share) * trial.copies
        seconds = volume / (process.sparse.section_mm2 * process.sparse.speed_mm_s / 2)
        mass.append(abs(volume * process.density_g_mm3 / trial.true_mass_g - 1))
        duration.append(abs(seconds / trial.true_time_s - 1))
    return {"mass": round(100 * float(np.mean(mass)), 1), "time": round(100 * float(np.mean(duration)), 1)}


def speed(trials: Sequence[Trial]) -> dict[str, float]:
    """Return how many times less processor time a first estimate takes than the slice, and what changing costs."""
    whole = np.array([trial.part.cpu_s + trial.estimating_s for trial in trials])
    slices = np.array([trial.slicing_s for trial in trials])
    return {
        "times_less_median": round(float(np.median(slices / whole)), 1),
        "times_less_p10": round(float(np.quantile(slices / whole, 0.1)), 1),
        "measuring_ms": round(1000 * float(np.median([trial.part.cpu_s for trial in trials])), 1),
        "first_price_ms": round(1000 * float(np.median([trial.estimating_s for trial in trials])), 1),
        "first_price_p90_ms": round(1000 * float(np.quantile([trial.estimating_s for trial in trials], 0.9)), 1),
        "checks_ms": round(1000 * float(np.median([trial.part.checks_s for trial in trials])), 1),
        "slice_ms": round(1000 * float(np.median(slices))),
    }


def matrix(slicer: Slicer, parts: Sequence[Part], models: int, folder: Path) -> dict[str, object]:
    """Return what all prices of a file cost against slicing every one of them."""
    rows = []
    by_size = sorted(parts, key=lambda part: part.cpu_s)
    for part in by_size[len(by_size) // 2 : len(by_size) // 2 + models]:
        fresh = Features.load(kept(part, folder))
        cells = [settings("mk3", Choices(*cell)) for cell in MATRIX]
        started = time.process_time()
        for used in cells:
            estimate(fresh, used)
        estimating = part.cpu_s + time.process_time() - started
        before = children_s()
        for used in cells:
            slice_model(slicer, part.file, used, 1, folder / "plate.gcode", size_mm=part.size_mm)
        rows.append((children_s() - before) / estimating)
    return {"cells": len(MATRIX), "models": len(rows), "times_less": [round(row) for row in rows]}


MEASURE_ONE = """
import re, sys, time
from pathlib import Path
from fablab.slicing.choices import Choices
from fablab.slicing.estimate import estimate as priced
from fablab.slicing.profiles import settings
sys.path.insert(0, "benchmarks")
from estimate import for_price
small, large = map(Path, sys.argv[1:])
used = settings("mk3", Choices("PLA"))
priced(for_price(small)[1], used)
def peak():
    return int(re.search("VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
started = time.process_time()
priced(for_price(large)[1], used)
print(time.process_time() - started, (peak() - before) * 1024)
"""


def million(folder: Path) -> dict[str, float]:
    """Return what a file of a million triangles takes from reading to a price, in a process of its own."""
    small = write_stl(folder / "small.stl", blob(20, [(3, 2, 0.1, 0.0)], 24))
    large = write_stl(folder / "large.stl", blob(45, [(3, 2, 0.1, 0.0), (9, 7, 0.02, 1.0)], 500))
    started = time.process_time()
    np.fromfile(large, dtype=np.uint8)
    plain = time.process_time() - started
    said = subprocess.run(
        [sys.executable, "-c", MEASURE_ONE, small, large], capture_output=True, text=True, check=True
    ).stdout.split()
    size = large.stat().st_size
    return {
        "triangles": (size - 84) // 50,
        "cpu_s": round(float(said[0]), 2),
        "memory_per_file_size": round(float(said[1]) / size, 1),
        "plain_read_s": round(plain, 3),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="use every n-th model only")
    parser.add_argument("--matrix", type=int, default=1, help="slice all cells of the price matrix of so many models")
    return parser.parse_args()


if __name__ == "__main__":
    main()
