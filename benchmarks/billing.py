"""How fast documents are issued, checked and printed.

    PYTHONPATH=. python benchmarks/billing.py [--documents 100000] [--seconds 10] [--pdfs 20]

Four processes issue at once on an SQLite and on a PostgreSQL of their own; a chain of so many documents is verified;
PDFs are made one after the other. Prints a table and writes build/bench/billing.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from fablab import bus, db
from fablab.invoicing import issuing, paper, verifying
from fablab.invoicing.content import from_text
from fablab.invoicing.models import Document
from fablab.migrating import migrate
from fablab.settings import settings
from tests.books import business, command, draft_of
from tests.postgres import postgres_server

OUTPUT = Path("build/bench")
WRITERS = 4
AT_ONCE = 500


def main() -> None:
    """Measure all three."""
    arguments = _arguments()
    result: dict[str, float] = {"fsync": arguments.fsync, "documents": arguments.documents}
    with bus.using(bus.SilentTransport()):
        with tempfile.TemporaryDirectory() as folder, place_in(Path(folder)):
            result["issued_per_s_sqlite"] = round(issued_per_second(arguments.seconds), 1)
        with tempfile.TemporaryDirectory() as folder, on_postgres(Path(folder), arguments.fsync):
            result["issued_per_s"] = round(issued_per_second(arguments.seconds), 1)
            result["verify_s"] = round(verified_in(arguments.documents), 2)
            result |= pdf_seconds(arguments.pdfs)
    for kind, value in result.items():
        print(f"{kind:20} {value}")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    (OUTPUT / "billing.json").write_text(json.dumps({"part": "billing", **result}, indent=1) + "\n")
    print(json.dumps({"part": "billing", **result}))


@contextmanager
def on_postgres(folder: Path, fsync: bool) -> Iterator[None]:
    """Give the block an empty place on a PostgreSQL server of its own."""
    with postgres_server(folder, fsync=fsync) as server:
        server.create("bench")
        with place_in(folder, server.url("bench")):
            yield


@contextmanager
def place_in(folder: Path, url: str = "") -> Iterator[None]:
    """Give the block an empty place of business; without a URL its database is an SQLite file in the folder."""
    os.environ |= {"FABLAB_DATA_DIR": str(folder), "FABLAB_DATABASE_URL": url}
    settings.cache_clear()
    migrate()
    with db.transaction() as session:
        business(session)
    yield
    db.engine().dispose()
    db.engine.cache_clear()


def counted(keys: str = "") -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count(Document.id)).where(Document.key.startswith(keys))) or 0


def issued_per_second(seconds: float) -> float:
    """Let four processes issue, wait until all of them do, and count for so many seconds."""
    line = [sys.executable, "-m", "tests.invoicing.issuer"]
    writers = [subprocess.Popen([*line, f"writer-{number}"]) for number in range(WRITERS)]
    try:
        while any(counted(f"writer-{number}-") < 25 for number in range(WRITERS)):
            time.sleep(0.05)
        began, before = time.monotonic(), counted()
        time.sleep(seconds)
        return (counted() - before) / (time.monotonic() - began)
    finally:
        for each in writers:
            each.kill()
            each.wait()


def verified_in(documents: int) -> float:
    """Fill the chain up to so many documents and return the seconds it takes to check all of it."""
    missing = max(0, documents - counted())
    for start in range(0, missing, AT_ONCE):
        with db.transaction() as session:
            for number in range(start, min(missing, start + AT_ONCE)):
                issuing.issue(session, draft_of(1000 + number % 900, 250), command(f"fill-{number}"))
                session.expunge_all()
    with db.reading() as session:
        began = time.monotonic()
        found = list(verifying.findings(session))
        took = time.monotonic() - began
    assert not found, found[:3]
    return took


def pdf_seconds(count: int) -> dict[str, float]:
    """Return the seconds of the first PDF of a process and the median of those after it."""
    with db.reading() as session:
        content = from_text(session.scalars(sa.select(Document).order_by(Document.position).limit(1)).one().payload)
    times = []
    for _ in range(count + 1):
        began = time.monotonic()
        paper.make_pdf(content)
        times.append(time.monotonic() - began)
    return {"first_pdf_s": round(times[0], 2), "pdf_s": round(statistics.median(times[1:]), 3)}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--pdfs", type=int, default=20)
    parser.add_argument("--no-fsync", dest="fsync", action="store_false", help="as the tests run PostgreSQL")
    return parser.parse_args()


if __name__ == "__main__":
    main()
