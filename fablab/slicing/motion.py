"""How long moves take for a machine with a limited acceleration and jerk (the trapezoid of Marlin and of PrusaSlicer).

All functions take arrays: lengths in mm, speeds in mm/s, accelerations in mm/s², angles in radians; and give seconds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_QUANTILES = -np.log(1 - (np.arange(6) + 0.5) / 6)
CHORD_SHARES = _QUANTILES / _QUANTILES.mean()
"""Six equally likely lengths of lines, in mean lengths: lines of infill are about exponentially distributed."""


def corner_speed(turn: Floats, jerk_mm_s: float, cruise: Floats | float) -> Floats:
    """Return the speed in a corner: the jump of velocity 2 v sin(turn/2) stays below the jerk."""
    jump = np.maximum(2 * np.sin(np.clip(turn, 0, np.pi) / 2), 1e-6)
    return np.asarray(np.minimum(jerk_mm_s / jump, cruise))


def move_time(
    length: Floats, cruise: Floats | float, enter: Floats | float, leave: Floats | float, acceleration: float
) -> Floats:
    """Return the time of a straight run from speed `enter` over at most `cruise` to speed `leave`."""
    ends = (np.square(enter) + np.square(leave)) / 2
    peak = np.sqrt(np.minimum(np.square(cruise), acceleration * length + ends))
    peak = np.maximum(np.maximum(peak, enter), np.maximum(leave, 1e-3))
    ramps = (np.square(peak) - ends) / acceleration
    return np.asarray((2 * peak - enter - leave) / acceleration + np.maximum(0.0, length - ramps) / peak)


def line_time(mean_length: Floats, cruise: float, end_speed: float, acceleration: float) -> Floats:
    """Return the mean time of infill lines of a mean length, stopping to `end_speed` at both ends."""
    lengths = mean_length[..., None] * CHORD_SHARES
    slow = min(end_speed, cruise)
    return np.asarray(move_time(lengths, cruise, slow, slow, acceleration).mean(axis=-1))
