"""Estimates as people say them: rounded to what they really know, with how far off they may be."""

from __future__ import annotations

import math
from dataclasses import dataclass

HOUR_S = 3600.0
TIME_STEPS_S = ((HOUR_S, 60.0), (12 * HOUR_S, 300.0), (48 * HOUR_S, 900.0), (math.inf, HOUR_S))
MASS_STEPS_G = ((10.0, 0.1), (100.0, 1.0), (math.inf, 5.0))
"""Up to which value, which step."""


@dataclass(frozen=True)
class About:
    """A value and a margin, both in whole steps; the truth lies within, as a rule."""

    value: float
    margin: float
    step: float


def about(value: float, low: float, high: float, step: float) -> About:
    """Return `value` in whole steps, and a margin of at least one step that reaches (nearly) to both ends."""
    margin = max(value - low, high - value, 0.0)
    return About(max(step, _to(value, step)), max(step, _to(margin, step)), step)


def about_time(value_s: float, low_s: float, high_s: float) -> About:
    """Round a time: to minutes below an hour, five minutes below half a day, a quarter below two days, then hours."""
    return about(value_s, low_s, high_s, _step(value_s, TIME_STEPS_S))


def about_mass(value_g: float, low_g: float, high_g: float) -> About:
    """Round a mass: to tenths of a gram below 10 g, to grams below 100 g, to five grams above."""
    return about(value_g, low_g, high_g, _step(value_g, MASS_STEPS_G))


def _step(value: float, steps: tuple[tuple[float, float], ...]) -> float:
    return next(step for below, step in steps if value < below)


def _to(value: float, step: float) -> float:
    return round(value / step) * step
