"""The one way tests wait: for a condition, with a limit."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], timeout_s: float, step_s: float = 0.05) -> object:
    """Return what `condition` says as soon as it says something true; fail after `timeout_s`."""
    end = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {timeout_s} s for {condition.__qualname__}"
        time.sleep(step_s)
    return found
