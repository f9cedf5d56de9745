"""A wrong clock: how far a process of the chaos is off is written in a small file, and can change at any moment."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from fablab import db

SIZE = struct.calcsize("d")


def set_off(path: Path, seconds: float) -> None:
    """Let the clock of whoever follows this file be so many seconds ahead."""
    with path.open("r+b" if path.exists() else "w+b") as handle:
        handle.write(struct.pack("d", seconds))


def follow(path: Path) -> None:
    """Let this process take the time from its own clock and the file."""
    with path.open("rb") as handle:
        memory = mmap.mmap(handle.fileno(), SIZE, access=mmap.ACCESS_READ)

    class Wrong(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(seconds=struct.unpack("d", memory[:SIZE])[0])

    db.datetime = Wrong  # type: ignore[misc]


@contextmanager
def wound(by: timedelta) -> Iterator[None]:
    """Let it be another time in this process for the block."""
    before = db.datetime

    class Wound(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + by

    db.datetime = Wound  # type: ignore[misc]
    try:
        yield
    finally:
        db.datetime = before  # type: ignore[misc]
