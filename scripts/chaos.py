"""Lets everything go wrong at once, with real processes, and looks whether a promise was broken.

`python scripts/chaos.py [--seed 1] [--orders 200] [--faults 130] [--seconds 420] [--octoprints 3] [--database both]`.
The same seed makes the same orders and faults at the same moments. The last line is one JSON object; exit 1 when a
promise was broken, and then the folder with the database, the logs and the printers' records is kept.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

from tests.chaos.place import Options
from tests.chaos.run import Outcome, run, table

DATABASES = ("sqlite", "postgres")


def wanted(words: list[str]) -> list[Options]:
    """Read the options of one run, or of one on each database."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--faults", type=int, default=130)
    parser.add_argument("--seconds", type=float, default=420.0, help="how long orders and faults come")
    parser.add_argument(
        "--octoprints", type=int, default=3, help="real OctoPrint servers besides four simulated printers"
    )
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    options = Options(**vars(parser.parse_args(words)))
    kinds = DATABASES if options.database == "both" else (options.database,)
    return [replace(options, database=kind) for kind in kinds]


def tell(options: Options, outcome: Outcome) -> None:
    """Say what came of one run, and what was wrong in words."""
    print(f"{options.database}: {outcome.starts} starts, by the printers' own records;", end=" ")
    print(f"settled {outcome.settled_s:.0f} s after the last fault;", end=" ")
    print(f"{outcome.ended_by_themselves} times a process ended by itself and was started again.")
    for name, found in outcome.wrong.items():
        for sentence in found:
            print(f"{name}: {sentence}")


def main() -> int:
    """Run once on each database that is wanted."""
    total: Counter[str] = Counter()
    broken = False
    episodes = []
    for options in wanted(sys.argv[1:]):
        folder = Path(tempfile.mkdtemp(prefix="fablab-chaos-"))
        outcome = run(folder, options)
        tell(options, outcome)
        total.update(outcome.figures())
        episodes += outcome.happened
        if any(outcome.wrong.values()):
            broken = True
            print(f"Kept to be looked at: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{table(episodes)}\n")
    print(json.dumps(total))
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
