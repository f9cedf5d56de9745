"""Measure a part once: what it is and what is wrong with it (`MeshReport`), and what estimates need (`Features`)."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from fablab.slicing import sandbox
from fablab.slicing.changes import AS_SENT, Change
from fablab.slicing.examine import examine
from fablab.slicing.features import Features
from fablab.slicing.mesh import BadMesh
from fablab.slicing.report import MeshReport
from fablab.words import Sentence, say

__all__ = [
    "FEATURES",
    "LIMITS",
    "PART",
    "PICTURE",
    "Measured",
    "MeshReport",
    "measure",
    "measure_into",
    "measure_safely",
]

CHILD = Path(__file__).with_name("measure_child.py")
LIMITS = sandbox.Limits(memory_bytes=2 << 30, cpu_s=20, wall_s=30.0, file_bytes=128 << 20, output_bytes=256 << 10)
FEATURES, PART, PICTURE = "features.npz", "part.stl", "picture.png"
"""What a measurement leaves in its folder, and `picture-KIND.png` for findings that have a place."""


@dataclass(frozen=True)
class Measured:
    """What a measurement found, and sentences about what the change did."""

    report: MeshReport
    done: list[Sentence]


def measure(path: Path, file_name: str) -> tuple[MeshReport, Features]:
    """Measure a 3D file in this process. Raises `BadMesh`. For files of strangers use `measure_safely`."""
    seen = examine(path, file_name)
    return seen.report, seen.features


def measure_safely(path: Path, file_name: str, features_path: Path, limits: sandbox.Limits = LIMITS) -> MeshReport:
    """Measure a 3D file in a locked-down child process and keep its features at `features_path`.

    Whatever the file does to the child, the answer is a report or `BadMesh`, within the limits; on `BadMesh` nothing is
    left at `features_path`.
    """
    with tempfile.TemporaryDirectory(prefix="measure-") as folder:
        made = measure_into(Path(folder), path, file_name, limits=limits)
        features_path.write_bytes((Path(folder) / FEATURES).read_bytes())
    return made.report


def measure_into(
    folder: Path, path: Path, file_name: str, change: Change = AS_SENT, limits: sandbox.Limits = LIMITS
) -> Measured:
    """Measure a 3D file with a change made to it, in a locked-down child process that may write to `folder` only.

    It leaves there FEATURES, PICTURE, a picture for each finding that has a place, and PART, a binary STL in mm, unless
    the file itself is that. Raises `BadMesh`, also when the child does not end well.
    """
    work = folder.resolve()
    outcome = sandbox.run(
        [sys.executable, "-I", CHILD, path.resolve(), file_name, json.dumps(change.to_json())],
        work=work,
        readable=[path.resolve(), *sandbox.python_paths()],
        limits=limits,
        environment={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return _answer(outcome)


def _answer(outcome: sandbox.Outcome) -> Measured:
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
    return Measured(MeshReport.from_json(answer["report"]), [Sentence.from_json(each) for each in answer["done"]])
