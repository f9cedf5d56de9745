"""The files of a simulated printer: how long a print takes, and the journal of what it really received."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

STATE = "state.json"
JOURNAL = "journal.jsonl"
TIME_LINE = re.compile(rb"; estimated printing time \(normal mode\) = ([^\n]+)")
UNITS_S = {"d": 86400, "h": 3600, "m": 60, "s": 1}
TAIL_BYTES = 80_000


def print_time_s(path: Path) -> float:
    """Return how long a real printer would take for a G-code file, as its slicer wrote at its end; else 0."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - TAIL_BYTES))
        found = TIME_LINE.search(stream.read())
    parts = re.findall(r"(\d+)([dhms])", found.group(1).decode()) if found else []
    return float(sum(int(number) * UNITS_S[unit] for number, unit in parts))


def write_journal(path: Path, log: Sequence[tuple[str, str | None]]) -> None:
    """Append what really happened, durably, in one write."""
    lines = "".join(json.dumps({"at": time.time(), "what": what, "name": name}) + "\n" for what, name in log)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, lines.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
