"""Faults that were made, when each was noticed and when work went on; and what is to be done later."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count


class Of(Enum):
    """Whose fault it is: a printer's, that of whoever talks to printers, or the web's."""

    PRINTER = auto()
    WORKERS = auto()
    WEB = auto()


@dataclass
class Episode:
    """A fault that was made. On a printer it begins with the line `trigger` of its record, at once if that is empty.

    `shows`: the board shows it, so that one can tell when it was noticed. Work goes on when the printer starts
    something again; when every printer in reach was looked at after `over_at`; when the web answers.
    """

    kind: str
    made_at: float = field(default_factory=time.time)
    of: Of = Of.WORKERS
    machine_id: int | None = None
    trigger: str = ""
    shows: bool = False
    over_at: float = 0.0
    began_at: float | None = None
    noticed_s: float | None = None
    working_s: float | None = None

    def __post_init__(self) -> None:
        if not self.trigger:
            self.began_at = self.made_at


@dataclass
class Later:
    """Things to be done by the main thread when their moment has come."""

    waiting: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    numbers: count[int] = field(default_factory=count)

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self.waiting, (time.monotonic() + seconds, next(self.numbers), act))

    def do_due(self) -> None:
        while self.waiting and self.waiting[0][0] <= time.monotonic():
            heapq.heappop(self.waiting)[2]()

    def do_all(self) -> None:
        """Do everything that waits, now, in its order; what that puts off once more is forgotten."""
        waiting, self.waiting = sorted(self.waiting, key=lambda each: each[:2]), []
        for _, _, act in waiting:
            act()
        self.waiting.clear()
