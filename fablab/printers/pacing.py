"""How often to hear of a print: seldom while nothing that is shown can change, often when a whole per cent is near."""

from __future__ import annotations

from fablab.printers.contract import PrinterState, Reading

OFTEN_HALF_S = 2
STEPS_HALF_S = (32, 16, 8, 4)  # few steps, because each change is a message
MEASURED_OVER_S = 10.0


class Pace:
    """Guesses from how fast a print goes when its next whole per cent comes, and waits half as long at most.

    So a print that suddenly goes twice as fast is heard of in time all the same.
    """

    def __init__(self) -> None:
        self._since: tuple[float, float] | None = None
        self._percent_per_s = 0.0

    def half_seconds(self, reading: Reading, now_s: float) -> int:
        """Return how many half seconds the next frames may be apart."""
        if reading.state != PrinterState.PRINTING or reading.progress is None:
            self._since = None
            return OFTEN_HALF_S
        percent = 100 * reading.progress
        self._measure(percent, now_s)
        if not self._percent_per_s:
            return OFTEN_HALF_S
        due_s = (1 - percent % 1) / self._percent_per_s
        return next((step for step in STEPS_HALF_S if step <= due_s), OFTEN_HALF_S)

    def _measure(self, percent: float, now_s: float) -> None:
        if self._since is None or percent < self._since[1]:
            self._since, self._percent_per_s = (now_s, percent), 0.0
        elif now_s - self._since[0] >= MEASURED_OVER_S:
            self._percent_per_s = (percent - self._since[1]) / (now_s - self._since[0])
            self._since = (now_s, percent)
