"""The child process that measures one file: run as `python -I measure_child.py FILE NAME CHANGE` by `measure_into`.

Writes its files into the working folder and one JSON object to stdout: {"report": …, "done": […]} or {"problem": …}.
"""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fablab.slicing.examine import Examined


def find_package() -> None:
    """Make `fablab` importable from its own folder: the folder around it may be neither installed nor readable here."""
    folder = Path(__file__).resolve().parents[1]
    spec = spec_from_file_location("fablab", folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec  # the file exists: this module lies below it
    assert spec.loader
    package = module_from_spec(spec)
    sys.modules["fablab"] = package
    spec.loader.exec_module(package)


def main(path: str, file_name: str, change: str) -> None:
    """Measure one file and answer."""
    from fablab.slicing.changes import Change
    from fablab.slicing.examine import examine
    from fablab.slicing.mesh import BadMesh
    from fablab.words import say

    answer: dict[str, Any]
    try:
        seen = examine(Path(path), file_name, Change.from_json(json.loads(change)))
        leave(seen)
    except BadMesh as bad:
        answer = {"problem": bad.sentence.to_json()}
    except MemoryError:
        answer = {"problem": say("Measuring this file needs too much memory: simplify the part.").to_json()}
    else:
        answer = {"report": seen.report.to_json(), "done": [each.to_json() for each in seen.done]}
    json.dump(answer, sys.stdout)


def leave(seen: Examined) -> None:
    """Write features, the part to be printed and the pictures into the working folder."""
    from fablab.slicing.changes import UNTURNED
    from fablab.slicing.measure import FEATURES, PART, PICTURE
    from fablab.slicing.stl import write_stl

    seen.features.save(Path(FEATURES))
    if seen.part is not None:
        write_stl(Path(PART), seen.part)
    Path(PICTURE).write_bytes(seen.look.picture())
    for finding in seen.report.findings:
        if finding.pictured:
            change = finding.action.change if finding.action is not None else None
            turn = change.turn if change is not None else UNTURNED
            Path(f"picture-{finding.kind}.png").write_bytes(seen.look.picture(finding.kind, turn))


if __name__ == "__main__":
    find_package()
    main(*sys.argv[1:])
