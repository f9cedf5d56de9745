"""The child process that measures one file: run as `python -I measure_child.py FILE NAME FEATURES` by `measure_safely`.

Writes one JSON object to stdout: {"report": …} or {"problem": …}.
"""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path


def find_package() -> None:
    """Make `fablab` importable from its own folder: the folder around it may be neither installed nor readable here."""
    folder = Path(__file__).resolve().parents[1]
    spec = spec_from_file_location("fablab", folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec  # the file exists: this module lies below it
    assert spec.loader
    package = module_from_spec(spec)
    sys.modules["fablab"] = package
    spec.loader.exec_module(package)


def main(path: str, file_name: str, features_path: str) -> None:
    """Measure one file and answer."""
    from fablab.slicing.measure import measure
    from fablab.slicing.mesh import BadMesh
    from fablab.words import say

    try:
        report, features = measure(Path(path), file_name)
    except BadMesh as bad:
        answer = {"problem": bad.sentence.to_json()}
    except MemoryError:
        answer = {"problem": say("Measuring this file needs too much memory: simplify the part.").to_json()}
    else:
        features.save(Path(features_path))
        answer = {"report": report.to_json()}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    find_package()
    main(*sys.argv[1:])
