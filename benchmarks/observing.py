"""What a benchmark sees from outside: the processor and memory of processes, and when a row of a database said what."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def processor_s(number: int) -> float:
    """Return the seconds of processor a process has used."""
    fields = Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def memory_mb(number: int) -> float:
    """Return how much memory a process has, in MB."""
    lines = Path(f"/proc/{number}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024, 1)


@dataclass(frozen=True)
class Seen:
    """What the row of a machine said from a moment on."""

    at: float
    operation: str
    percent: int


class Observer:
    """Reads the machines of a database many times a second, and keeps when which row changed."""

    EVERY_S = 0.04

    def __init__(self, data_dir: Path) -> None:
        self._database = data_dir / "fablab.db"
        self._stop = threading.Event()
        self.seen: dict[int, list[Seen]] = {}
        self._thread = threading.Thread(target=self._observe, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Observe no longer."""
        self._stop.set()
        self._thread.join()

    def _observe(self) -> None:
        connection = sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, isolation_level=None)
        while not self._stop.wait(self.EVERY_S):
            rows = connection.execute("select id, operation, progress from machine").fetchall()
            now = time.time()
            for machine_id, operation, progress in rows:
                percent = int(100 * (progress or 0.0))
                kept = self.seen.setdefault(machine_id, [])
                if not kept or (kept[-1].operation, kept[-1].percent) != (operation, percent):
                    kept.append(Seen(now, operation, percent))
        connection.close()
