"""Measure a part once: what it is and what is wrong with it (`MeshReport`), and what estimates need (`Features`)."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fablab.slicing import sandbox
from fablab.slicing.features import Features
from fablab.slicing.mesh import BadMesh, Triangles
from fablab.slicing.reading import read_triangles
from fablab.words import Sentence, say

CHILD = Path(__file__).with_name("measure_child.py")
LIMITS = sandbox.Limits(memory_bytes=2 << 30, cpu_s=20, wall_s=30.0, file_bytes=64 << 20, output_bytes=256 << 10)
SMALLEST_SIZE_MM = 0.1
FLAT_SHARE = 1e-6
"""A volume below this share of area × size is no volume."""
TINY_MM, HUGE_MM = 4.0, 1000.0
"""Of 2137 real files 23 measure less than 4 mm (inches or metres, mostly) and 13 more than 1 m."""
SMALL_GAPS = 0.01


@dataclass(frozen=True)
class MeshReport:
    """What a person wants to know about an STL. `size_mm` is as it lies; `trusted` says whether estimates hold."""

    triangles: int
    size_mm: tuple[float, float, float]
    volume_mm3: float
    area_mm2: float
    watertight: bool
    inverted: bool
    trusted: bool
    warnings: list[Sentence]

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` turns back into this report."""
        return {**asdict(self), "size_mm": list(self.size_mm), "warnings": [each.to_json() for each in self.warnings]}

    @staticmethod
    def from_json(data: dict[str, Any]) -> MeshReport:
        """Return the report that `to_json` wrote."""
        x, y, z = data["size_mm"]
        warnings = [Sentence.from_json(each) for each in data["warnings"]]
        return MeshReport(**{**data, "size_mm": (x, y, z), "warnings": warnings})


def measure(path: Path, file_name: str) -> tuple[MeshReport, Features]:
    """Measure an STL in this process. Raises `BadMesh`. For files of strangers use `measure_safely`."""
    from fablab.slicing.anatomy import features_of  # scipy: only where it is needed
    from fablab.slicing.closure import open_edge_share

    triangles = read_triangles(path, file_name)
    triangles = triangles - triangles.min(axis=(0, 1))
    size = tuple(float(side) for side in triangles.max(axis=(0, 1)))
    volume, area = _volume_and_area(triangles)
    _check_solid(size, volume, area)
    if volume < 0:
        triangles = triangles[:, ::-1]
    open_share = open_edge_share(triangles)
    features = features_of(triangles, abs(volume), area, open_share == 0)
    report = MeshReport(
        triangles=len(triangles),
        size_mm=(size[0], size[1], size[2]),
        volume_mm3=abs(volume),
        area_mm2=area,
        watertight=open_share == 0,
        inverted=volume < 0,
        trusted=bool(features.trusted),
        warnings=_warnings(max(size), volume < 0, open_share, bool(features.trusted)),
    )
    return report, features


def measure_safely(path: Path, file_name: str, features_path: Path, limits: sandbox.Limits = LIMITS) -> MeshReport:
    """Measure an STL in a locked-down child process and keep its features at `features_path`.

    Whatever the file does to the child, the answer is a report or `BadMesh`, within the limits; on `BadMesh` nothing is
    left at `features_path`.
    """
    with tempfile.TemporaryDirectory(prefix="measure-") as folder:
        work = Path(folder).resolve()
        outcome = sandbox.run(
            [sys.executable, "-I", CHILD, path.resolve(), file_name, "features.npz"],
            work=work,
            readable=[path.resolve(), *sandbox.python_paths()],
            limits=limits,
            environment={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        )
        report = _report(outcome)
        features_path.write_bytes((work / "features.npz").read_bytes())
    return report


def _report(outcome: sandbox.Outcome) -> MeshReport:
    """Read the child's answer, or say why there is none."""
    if outcome.stopped is not None or outcome.signal in (signal.SIGXCPU, signal.SIGKILL):
        raise BadMesh(
            say("Measuring this file took too long: it is too detailed. Simplify the part before exporting it.")
        )
    if outcome.returncode != 0:
        raise BadMesh(say("This file could not be measured: its content is damaged or far too complicated."))
    answer = json.loads(outcome.output)
    if "problem" in answer:
        raise BadMesh(Sentence.from_json(answer["problem"]))
    return MeshReport.from_json(answer["report"])


def _volume_and_area(triangles: Triangles) -> tuple[float, float]:
    """Return the signed volume in mm³ and the area in mm²."""
    from trimesh.triangles import area, mass_properties

    with np.errstate(divide="ignore", invalid="ignore"):  # a flat part has no centre of mass
        volume = mass_properties(triangles, skip_inertia=True).volume
    return float(volume), float(area(triangles).sum())  # type: ignore[no-untyped-call]


def _check_solid(size: tuple[float, ...], volume: float, area: float) -> None:
    if min(size) < SMALLEST_SIZE_MM and max(size) < TINY_MM:
        raise BadMesh(say("This part is smaller than a grain of sand: check the unit it was exported in."))
    if min(size) < SMALLEST_SIZE_MM or abs(volume) < FLAT_SHARE * area * max(size):
        raise BadMesh(say("This part is flat: it has no volume to print. Give it a thickness."))


def _warnings(largest_mm: float, inverted: bool, open_share: float, trusted: bool) -> list[Sentence]:
    warnings = []
    if largest_mm < TINY_MM:
        warnings.append(
            say("This part is only {size} mm: was it drawn in inches or metres?", size=round(largest_mm, 1))
        )
    if largest_mm > HUGE_MM:
        warnings.append(say("This part is {size} mm long: was it exported in the right unit?", size=round(largest_mm)))
    if inverted:
        warnings.append(say("The surface of this part is turned inside out: it is turned back for printing."))
    if open_share > SMALL_GAPS:
        warnings.append(
            say("The surface of this part is not closed: the estimate is rough, and it may not print as drawn.")
        )
    elif open_share > 0:
        warnings.append(say("The surface of this part has small gaps: the estimate is rough until it has been sliced."))
    elif not trusted:
        warnings.append(say("Bodies overlap in this part: the estimate is rough until it has been sliced."))
    return warnings
