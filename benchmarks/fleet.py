"""How long a decision takes for a full queue and many printers, and what following many printers costs.

    PYTHONPATH=. python benchmarks/fleet.py [--jobs 1000] [--printers 100]

On SQLite in folders of its own. A decision (which job starts where, why the others wait) reads everything from the
database each time, and is rolled back; following is in `following.py`. Prints a table and writes
build/bench/fleet.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from benchmarks import following
from fablab import db
from fablab.db import utcnow
from fablab.jobs import dispatch, queries
from fablab.jobs.models import Job
from fablab.machines import queries as machines
from fablab.machines.models import Operation, Plate
from fablab.migrating import migrate
from fablab.settings import settings
from tests.people import add_machine, add_spool, queued_order, small_place

OUTPUT = Path("build/bench")
ROUNDS = 9


def main() -> None:
    """Fill a place and decide."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as name:
        os.environ["FABLAB_DATA_DIR"] = name
        settings.cache_clear()
        migrate()
        fill(arguments.jobs, arguments.printers)
        result: dict[str, Any] = {
            "jobs": arguments.jobs,
            "printers": arguments.printers,
            "nothing_free_ms": timed(lambda session: len(dispatch.schedule(session, utcnow())), expected=0),
            "why_each_waits_ms": timed(
                lambda session: len(queries.queue(session, utcnow())), expected=arguments.jobs + 1
            ),
        }
        set_ready(1)
        result["one_free_ms"] = timed(lambda session: len(dispatch.schedule(session, utcnow())), expected=1)
        set_ready(arguments.printers)
        result["all_free_ms"] = timed(
            lambda session: len(dispatch.schedule(session, utcnow())), expected=arguments.printers
        )
    with tempfile.TemporaryDirectory() as name:
        result["following"] = following.measure(arguments.printers, Path(name))
    show(result)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    (OUTPUT / "fleet.json").write_text(json.dumps({"part": "fleet", **result}, indent=1) + "\n")
    print(json.dumps({"part": "fleet", **result}))


def show(result: dict[str, Any], before: str = "") -> None:
    """Print a table of figures."""
    for kind, value in result.items():
        if isinstance(value, dict):
            show(value, f"{before}{kind} ")
        else:
            print(f"{before + kind:46} {value}")


def fill(jobs: int, printers: int) -> None:
    """Make a place with so many busy printers, all loaded, and so many jobs in the queue."""
    with db.transaction() as session:
        cast = small_place(session, cents=20_000)
        for number in range(1, printers):
            add_spool(session, add_machine(session, f"P{number}"))
        _, first = queued_order(session, cast.alice)
        same = {column.key: getattr(first, column.key) for column in Job.__table__.columns}
        for number in range(jobs):
            session.add(Job(**{**same, "id": None, "public_id": f"job-{number}", "rank": number + 2}))
    set_ready(0)


def set_ready(count: int) -> None:
    """Let so many printers wait for work with an empty plate, and the others print."""
    with db.transaction() as session:
        for place, machine in enumerate(machines.all_in_use(session)):
            ready = place < count
            machine.plate = Plate.CLEAR if ready else Plate.HELD
            machine.operation = Operation.READY if ready else Operation.BUSY


class Undo(Exception):  # noqa: N818 - nothing went wrong
    """Takes back what a round has done."""


def timed(act: Callable[[Session], int], expected: int) -> float:
    """Return the median milliseconds of processor of an act that is taken back each time."""
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        with suppress(Undo), db.transaction() as session:
            found = act(session)
            assert found == expected, f"{found} instead of {expected}"
            taken.append(1000 * (time.process_time() - started))
            raise Undo
    return round(statistics.median(taken), 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--printers", type=int, default=100)
    return parser.parse_args()


if __name__ == "__main__":
    main()
