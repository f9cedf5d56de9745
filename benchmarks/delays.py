"""From what printers really did and what a database said when: how late each change was recorded."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from benchmarks.observing import Seen

Log = Sequence[tuple[float, str, object]]


@dataclass(frozen=True)
class Change:
    """Something that changed at a printer: a whole per cent was reached, or (None) the print ended."""

    at: float
    percent: int | None


def changes(log: Log, begin: float, end: float) -> Iterator[Change]:
    """Return what changed at a printer between two moments, from its own log."""
    for place, (at, kind, about) in enumerate(log):
        if kind == "start":
            _, first, duration_s = about  # type: ignore[misc]
            until = min([end, *(later for later, what, _ in log[place + 1 :] if what != "state"), _ended(log[place:])])
            for percent in range(ceil(100 * first), 100):
                reached = at + (percent / 100 - first) * duration_s
                if begin <= reached < until:
                    yield Change(reached, percent)
        elif kind == "state" and about == "Operational" and begin <= at < end:
            yield Change(at, None)


def _ended(log: Log) -> float:
    return min((at for at, kind, about in log if kind == "state" and about == "Operational"), default=float("inf"))


def delay_s(change: Change, seen: Sequence[Seen]) -> float | None:
    """Return how long after a change a database said so; None if it never did."""
    for place, each in enumerate(seen):
        until = seen[place + 1].at if place + 1 < len(seen) else float("inf")
        if until > change.at and _says(each, change):
            return max(0.0, each.at - change.at)
    return None


def _says(seen: Seen, change: Change) -> bool:
    if change.percent is None:
        return seen.operation == "ready"
    return seen.operation == "busy" and seen.percent >= change.percent


def summary(delays: Sequence[float | None], longest_s: float) -> dict[str, float | int | None]:
    """Return count, median and 95th percentile, in seconds. What was never recorded took `longest_s` at least."""
    found = sorted(longest_s if delay is None else delay for delay in delays)
    if not found:
        return {"changes": 0, "p50_s": None, "p95_s": None}
    p95 = found[min(len(found) - 1, ceil(0.95 * len(found)) - 1)]
    return {"changes": len(found), "p50_s": round(statistics.median(found), 2), "p95_s": round(p95, 2)}
