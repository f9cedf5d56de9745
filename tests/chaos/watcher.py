"""A watcher of the chaos, with the same shorter leases and pauses as its workers.

`python -m tests.chaos.watcher PACE CLOCK`
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from tests.chaos import clock
from tests.chaos.worker import quicken
from workers import following, watcher

if __name__ == "__main__":
    logging.basicConfig(level="INFO")
    pace = float(sys.argv[1])
    quicken(pace)
    following.LONGEST_PAUSE_S /= pace
    clock.follow(Path(sys.argv[2]))
    watcher.run()
