"""How good and how fast the estimate is, against real slices and a naive rule, side by side.

    FABLAB_CORPUS=folder-of-stl python benchmarks/estimate.py [--every 3] [--fit]

Without FABLAB_CORPUS the generated samples are used. Prints a table and writes build/bench/estimate.json. `--fit` also
fits the coefficients, says how they do on models left out of the fit, and writes build/bench/calibration.json.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from fablab.slicing import samples
from fablab.slicing import slicer as slicing
from fablab.slicing.choices import Choices, Quality
from fablab.slicing.deposits import skirt_mm
from fablab.slicing.estimate import Calibration, estimate, own_calibration, plate_times, quantities_of
from fablab.slicing.features import Features
from fablab.slicing.measure import MeshReport, measure
from fablab.slicing.mesh import BadMesh
from fablab.slicing.process import process_of
from fablab.slicing.profiles import Settings, settings

Floats = NDArray[np.float64]

OUTPUT = Path("build/bench")
CASES = {
    "mk3 normal PLA 15 %": ("mk3", Choices("PLA", Quality.NORMAL, 15), 1),
    "mk3 normal PLA 15 % supports": ("mk3", Choices("PLA", Quality.NORMAL, 15, supports=True), 1),
    "ender3 draft PLA 20 %": ("ender3", Choices("PLA", Quality.DRAFT, 20), 2),
    "ender3 normal PETG 20 % supports": ("ender3", Choices("PETG", Quality.NORMAL, 20, supports=True), 2),
    "mk3 fine PETG 30 %": ("mk3", Choices("PETG", Quality.FINE, 30), 3),
}
"""Machine, choices, and every how many models: the rarer settings need fewer slices."""
VOLUMES = ("walls", "infill", "skins", "bridges", "supports", "interfaces")
TIMES = ("walls", "infill", "skins", "bridges", "supports", "travel", "layers")
TOWARDS_ONE = 0.5
"""How strongly coefficients are held near 1: as strongly as by half a model that is 100 % off."""


@dataclass(frozen=True)
class Part:
    """A measured model."""

    file: Path
    report: MeshReport
    features: Features
    measuring_s: float


@dataclass(frozen=True)
class Trial:
    """One model sliced with one set of settings."""

    case: str
    part: Part
    used: Settings
    truth: slicing.SliceResult
    slicing_s: float


def main() -> None:
    """Measure, slice, compare."""
    arguments = _arguments()
    slicer = slicing.require_slicer()
    with tempfile.TemporaryDirectory() as folder:
        parts = measured(corpus(Path(folder))[:: arguments.every])
        trials = [trial for case in CASES for trial in sliced(case, parts, slicer, Path(folder))]
    result: dict[str, object] = {
        "slicer": slicer.version,
        "models": len(parts),
        "measuring_s": spread([p.measuring_s for p in parts]),
    }
    result["cases"] = table(trials, own_calibration())
    OUTPUT.mkdir(parents=True, exist_ok=True)
    if arguments.fit:
        result["left_out"] = cross_checked(trials)
        fitted = fit(trials)
        kept = {"slicer": slicer.version, "volume": fitted.volume, "time": fitted.time, "error": result["left_out"]}
        (OUTPUT / "calibration.json").write_text(json.dumps(kept, indent=2) + "\n")
    (OUTPUT / "estimate.json").write_text(json.dumps(result, indent=2) + "\n")


def corpus(folder: Path) -> list[Path]:
    """Return the models to try."""
    named = os.environ.get("FABLAB_CORPUS")
    return sorted(Path(named).glob("*.stl")) if named else samples.write_samples(folder / "samples")


def measured(files: Iterable[Path]) -> list[Part]:
    """Measure the models that can be."""
    parts = []
    for file in files:
        started = time.perf_counter()
        try:
            report, features = measure(file, file.name)
        except BadMesh as bad:
            print(f"{file.name}: {bad}")
            continue
        parts.append(Part(file, report, features, time.perf_counter() - started))
    return parts


def sliced(case: str, parts: Sequence[Part], slicer: slicing.Slicer, folder: Path) -> list[Trial]:
    """Slice every model that the case asks for and the slicer accepts."""
    machine, choices, step = CASES[case]
    used = settings(machine, choices)
    trials = []
    for part in parts[:: step if len(parts) > 20 else 1]:
        started = time.perf_counter()
        try:
            truth = slicing.slice_model(slicer, part.file, used, 1, folder / "plate.gcode", size_mm=part.report.size_mm)
        except slicing.SliceFailed:
            continue
        trials.append(Trial(case, part, used, truth, time.perf_counter() - started))
    return trials


def table(trials: Sequence[Trial], calibration: Calibration) -> dict[str, object]:
    """Print and return errors and run times for each case."""
    print(f"{'':34}{'n':>4}   mass error %: mean  p90  worst  naive |  time: mean  p90  worst  naive |  ms   slice ms")
    rows: dict[str, object] = {}
    for case in CASES:
        chosen = [trial for trial in trials if trial.case == case and trial.part.report.trusted]
        if not chosen:
            continue
        mass, duration, took = errors(chosen, calibration)
        naive = np.abs(np.array([naively(trial) for trial in chosen]))
        slice_ms = 1000 * float(np.median([trial.slicing_s for trial in chosen]))
        row = {
            "n": len(chosen),
            "mass_error": spread(np.abs(mass)),
            "time_error": spread(np.abs(duration)),
            "naive_mass_error": spread(naive[:, 0]),
            "naive_time_error": spread(naive[:, 1]),
            "estimate_ms": round(1000 * took, 2),
            "slice_ms": round(slice_ms),
        }
        rows[case] = row
        m, t, n = 100 * np.abs(mass), 100 * np.abs(duration), 100 * naive.mean(axis=0)
        print(
            f"{case:34}{len(chosen):4}{m.mean():20.1f}{np.quantile(m, 0.9):6.1f}{m.max():6.0f}{n[0]:7.0f} |"
            f"{t.mean():12.1f}{np.quantile(t, 0.9):6.1f}{t.max():6.0f}{n[1]:7.0f} |{1000 * took:5.1f}{slice_ms:8.0f}"
        )
    return rows


def errors(trials: Sequence[Trial], calibration: Calibration) -> tuple[Floats, Floats, float]:
    """Return relative errors of mass and time, and seconds per estimate."""
    started = time.perf_counter()
    figures = [estimate(trial.part.features, trial.used, 1, calibration) for trial in trials]
    took = (time.perf_counter() - started) / len(trials)
    mass = [figure.mass_g / trial.truth.mass_g - 1 for figure, trial in zip(figures, trials, strict=True)]
    duration = [figure.time_s / trial.truth.time_s - 1 for figure, trial in zip(figures, trials, strict=True)]
    return np.array(mass), np.array(duration), took


def naively(trial: Trial) -> tuple[float, float]:
    """Return the errors of the rule of thumb: volume × (0.2 + 0.8 × infill), at half the speed of the infill."""
    process = process_of(trial.used)
    volume = trial.part.report.volume_mm3 * (0.2 + 0.8 * process.infill_share)
    seconds = volume / (process.sparse.section_mm2 * process.sparse.speed_mm_s / 2)
    return volume * process.density_g_mm3 / trial.truth.mass_g - 1, seconds / trial.truth.time_s - 1


def fit(trials: Sequence[Trial]) -> Calibration:
    """Fit the coefficients of volumes and times, held near 1."""
    trials = [trial for trial in trials if trial.part.report.trusted]
    processes = [process_of(trial.used) for trial in trials]
    pairs = list(zip(trials, processes, strict=True))
    quantities = [quantities_of(trial.part.features, process) for trial, process in pairs]
    skirts = np.array([skirt_mm(trial.part.features, process, 1) for trial, process in pairs])
    skirt_mm3 = skirts * [p.outer.section_mm2 / p.layer_mm * p.first_layer_mm for p in processes]
    volumes = np.array([[each.volume_mm3[kind] for kind in VOLUMES] for each in quantities])
    true_mm3 = np.array([trial.truth.mass_g / process.density_g_mm3 for trial, process in pairs])
    true_s = np.array([trial.truth.time_s for trial in trials])
    skirt_s = skirts / [process.first_layer_mm_s for process in processes]

    def volume_errors(factors: Floats) -> Floats:
        return np.concatenate([(volumes @ factors + skirt_mm3) / true_mm3 - 1, TOWARDS_ONE * (factors - 1)])

    def time_errors(factors: Floats) -> Floats:
        named = dict(zip(TIMES, factors, strict=True))
        plates = [sum(plate_times(q, p, named, 1).values()) for q, p in zip(quantities, processes, strict=True)]
        return np.concatenate([(np.array(plates) + skirt_s) / true_s - 1, TOWARDS_ONE * (factors - 1)])

    by_volume = least_squares(volume_errors, np.ones(len(VOLUMES)), loss="soft_l1", f_scale=0.05).x
    by_time = least_squares(time_errors, np.ones(len(TIMES)), loss="soft_l1", f_scale=0.1, bounds=(0.2, 4)).x
    return Calibration("", {**_named(VOLUMES, by_volume), "skirt": 1.0}, _named(TIMES, by_time), {})


def cross_checked(trials: Sequence[Trial]) -> dict[str, object]:
    """Fit on every other model, look at the rest, and the other way round."""
    files = sorted({trial.part.file for trial in trials})
    halves = [set(files[0::2]), set(files[1::2])]
    found: dict[str, list[tuple[Floats, Floats]]] = {}
    for learnt, left_out in (halves, halves[::-1]):
        fitted = fit([trial for trial in trials if trial.part.file in learnt])
        for case in CASES:
            rest = [t for t in trials if t.case == case and t.part.file in left_out and t.part.report.trusted]
            if rest:
                found.setdefault(case, []).append(errors(rest, fitted)[:2])
    summary: dict[str, object] = {}
    for case, pieces in found.items():
        mass, duration = (np.abs(np.concatenate(column)) for column in zip(*pieces, strict=True))
        summary[case] = {"n": len(mass), "mass": spread(mass), "time": spread(duration)}
        print(f"left out of the fit: {case:34} mass {100 * mass.mean():.1f} %  time {100 * duration.mean():.1f} %")
    return summary


def spread(values: Sequence[float] | Floats) -> dict[str, float]:
    """Return mean, median, 90th percentile and maximum."""
    array = np.asarray(values, dtype=float)
    figures = {"mean": array.mean(), "median": np.median(array), "p90": np.quantile(array, 0.9), "max": array.max()}
    return {name: round(float(value), 4) for name, value in figures.items()}


def _named(names: Sequence[str], values: Floats) -> dict[str, float]:
    return {name: round(float(value), 3) for name, value in zip(names, values, strict=True)}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="use every n-th model only")
    parser.add_argument("--fit", action="store_true", help="fit the coefficients too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
