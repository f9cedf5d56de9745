"""What is handed over of a year in FEC format, on disk: the file and its description, beside each other or in a ZIP."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from fablab.bookkeeping import fec_checking, fec_continuing
from fablab.errors import Invalid
from fablab.words import Sentence, say

DESCRIPTION = "_description.txt"
Files = dict[str, bytes]


def read(path: Path) -> Files:
    """Return the file, and its description if it is there. Raises `Invalid` when a ZIP holds no such files."""
    if path.suffix.lower() != ".zip":
        beside = path.with_name(f"{path.stem}{DESCRIPTION}")
        return {each.name: each.read_bytes() for each in (path, beside) if each.exists()}
    try:
        with zipfile.ZipFile(path) as archive:
            members = {Path(name).name: archive.read(name) for name in archive.namelist()}
    except zipfile.BadZipFile:
        members = {}
    if len([name for name in members if not name.endswith(DESCRIPTION)]) != 1:
        raise Invalid(say("{name} does not hold one file in FEC format.", name=path.name))
    return members


def findings(files: Files, before: Files | None = None) -> Iterator[Sentence]:
    """Tell what is wrong with a year, and whether it begins with what the year before ended with."""
    name = _main(files)
    yield from fec_checking.findings(name, files[name])
    for other in files.keys() - {name}:
        yield from fec_continuing.description_findings(other, files[other], name, fec_checking.NAMES)
    if before is not None:
        yield from fec_continuing.continues(before[_main(before)], files[name])


def warnings(files: Files) -> Iterator[Sentence]:
    """Tell what the tax office would miss, though the file is as the format wants it."""
    name = _main(files)
    if name.upper().startswith("W"):
        yield say("The name begins with an RNA number: the tax office asks for a SIREN.")
    if len(files) == 1:
        yield say("The description of the fields is not beside the file: the law asks for it.")


def _main(files: Files) -> str:
    return min(files, key=lambda name: name.endswith(DESCRIPTION))
