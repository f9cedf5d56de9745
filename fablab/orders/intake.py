"""Taking in a 3D file: measure it, with a change or as it is, and keep the part that is printed with its pictures."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from fablab import files
from fablab.settings import settings
from fablab.slicing.changes import AS_SENT, Change
from fablab.slicing.findings import Kind
from fablab.slicing.measure import FEATURES, PART, PICTURE, measure_into
from fablab.slicing.report import MeshReport
from fablab.words import Sentence


@dataclass(frozen=True)
class Part:
    """A part that can be printed: a binary STL in mm in the store, its report, and what the change to it did."""

    sha256: str
    size_bytes: int
    report: MeshReport
    done: list[Sentence]


def take(path: Path, sha256: str, file_name: str, change: Change = AS_SENT) -> Part:
    """Measure a file with this hash in a child process and keep what was made of it; the file itself is not kept.

    Raises `BadMesh`; nothing is kept then.
    """
    scratch = settings().files() / "incoming"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        measured = measure_into(Path(folder), path, file_name, change)
        made = Path(folder) / PART
        printed = made if made.exists() else path
        part_sha256 = files.keep_file(made) if made.exists() else sha256
        _keep_beside(Path(folder), part_sha256)
        return Part(part_sha256, printed.stat().st_size, measured.report, measured.done)


def _keep_beside(folder: Path, sha256: str) -> None:
    files.path_of(sha256).parent.mkdir(parents=True, exist_ok=True)
    (folder / FEATURES).replace(files.beside(sha256, "npz"))
    (folder / PICTURE).replace(_picture_place(sha256, None))
    for kind in Kind:
        picture = folder / f"picture-{kind}.png"
        if picture.exists():
            picture.replace(_picture_place(sha256, kind))


def _picture_place(sha256: str, kind: Kind | None) -> Path:
    return files.beside(sha256, f"{kind}.png" if kind else "png")


def picture(sha256: str, kind: Kind | None = None) -> Path | None:
    """Return the picture of a kept part, or of one of its findings; one that went missing is drawn again."""
    place = _picture_place(sha256, kind)
    if not place.exists():
        take(files.path_of(sha256), sha256, "part.stl")
    return place if place.exists() else None
