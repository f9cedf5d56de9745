"""Lets everything go wrong at once, with real processes, and looks whether a promise was broken.

`python scripts/chaos.py [--seed 1] [--orders 60] [--faults 40] [--seconds 120] [--octoprints 0] [--database sqlite]`.
The same seed makes the same orders and faults at the same moments. The last line is one JSON object; exit 1 when a
promise was broken, and then the folder with the database, the logs and the printers' records is kept.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.place import Options
from tests.chaos.run import Outcome, run


def wanted(words: list[str]) -> Options:
    """Read the options."""
    usual = Options()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--orders", type=int, default=usual.orders)
    parser.add_argument("--faults", type=int, default=usual.faults)
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="how long orders and faults come")
    parser.add_argument("--octoprints", type=int, default=usual.octoprints, help="real OctoPrint servers besides")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default=usual.database)
    return Options(**vars(parser.parse_args(words)))


def tell(outcome: Outcome) -> None:
    """Print the table, what was wrong in words, and the figures."""
    print(outcome.table())
    print(f"\n{outcome.starts} starts, by their own records; settled {outcome.settled_s:.0f} s after the last fault.")
    if outcome.ended_by_themselves:
        print(f"{outcome.ended_by_themselves} times a worker ended by itself and was started again.")
    for name, found in outcome.wrong.items():
        for sentence in found:
            print(f"{name}: {sentence}")
    print(json.dumps(outcome.figures()))


def main() -> int:
    """Run once."""
    folder = Path(tempfile.mkdtemp(prefix="fablab-chaos-"))
    outcome = run(folder, wanted(sys.argv[1:]))
    broken = any(outcome.wrong.values())
    if broken:
        print(f"Kept to be looked at: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    tell(outcome)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
