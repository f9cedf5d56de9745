"""Estimates are said with no more digits than they have."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fablab.web.roundness import about_mass, about_time

MINUTE, HOUR = 60, 3600


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
    [
        (4 * HOUR + 8 * MINUTE, 3.9 * HOUR, 4.37 * HOUR, (4 * HOUR + 10 * MINUTE, 15 * MINUTE)),
        (25.4 * MINUTE, 23 * MINUTE, 28 * MINUTE, (25 * MINUTE, 3 * MINUTE)),
        (20 * HOUR, 18 * HOUR, 22 * HOUR, (20 * HOUR, 2 * HOUR)),
        (70.3 * HOUR, 63 * HOUR, 77 * HOUR, (70 * HOUR, 7 * HOUR)),
        (20, 18, 22, (MINUTE, MINUTE)),
    ],
)
def test_times_are_rounded_to_what_is_known(value, low, high, said):
    about = about_time(value, low, high)
    assert (about.value, about.margin) == pytest.approx(said)


@pytest.mark.parametrize(
    ("value", "said"), [(3.97, (4.0, 0.4)), (12.34, (12, 1)), (154, (155, 15)), (0.02, (0.1, 0.1))]
)
def test_masses_are_rounded_to_what_is_known(value, said):
    about = about_mass(value, 0.9 * value, 1.1 * value)
    assert (about.value, about.margin) == pytest.approx(said)


@given(value=some.floats(1, 10**6), share=some.floats(0, 0.5))
def test_the_margin_is_never_nothing_and_reaches_the_ends_but_for_a_step(value, share):
    about = about_time(value, value * (1 - share), value * (1 + share))
    assert about.margin >= about.step
    assert about.value + about.margin >= value * (1 + share) - about.step
    assert about.value - about.margin <= value * (1 - share) + about.step
