"""One Celery worker with a ticker inside; its leases and pauses are divided, so that minutes of chaos hold hours.

`python -m tests.chaos.worker NAME PACE CLOCK`
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from fablab import bus, leases
from fablab.jobs import dispatch, judging, scheduling
from fablab.machines import services as machines
from tests.chaos import clock
from workers import keeping, printing, tasks, ticker

PAUSES = {
    leases: ("LEASE", "CLOCKS_DIFFER_BY"),
    machines: ("ABSENCE",),
    dispatch: ("ABSENCE",),
    judging: ("START_MARGIN",),
    printing: ("LAST_MOMENT", "UPLOAD_TRIES_FOR"),
    keeping: ("RENEW_EVERY_S",),
    ticker: ("LOOK_EVERY", "LOOK_AT_IDLE_EVERY", "LOOK_AT_ABSENT_EVERY", "ASK_AGAIN_EVERY"),
}


def quicken(pace: float) -> None:
    """Divide every lease, margin and pause by `pace`; their proportions stay."""
    for module, names in PAUSES.items():
        for name in names:
            setattr(module, name, getattr(module, name) / pace)
    scheduling.RETRY_PAUSES = tuple(pause / pace for pause in scheduling.RETRY_PAUSES)


def main() -> None:
    """Work and tick until killed."""
    name, pace, its_clock = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])
    quicken(pace)
    clock.follow(its_clock)
    threading.Thread(target=ticker.beat, args=(threading.Event(),), name="ticker", daemon=True).start()
    assert "watch" in tasks.app.tasks
    options = ["-Q", "printing,slicing", "-P", "threads", "-c", "8", "-n", f"{name}@%h", "--loglevel", "INFO"]
    bus.celery().worker_main(["worker", "--without-gossip", "--without-mingle", *options])


if __name__ == "__main__":
    main()
