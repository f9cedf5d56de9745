"""How often frames of a print are wanted."""

import pytest

from fablab.printers import PrinterState, Reading
from fablab.printers.pacing import OFTEN_HALF_S, Pace


def printing(percent):
    return Reading(PrinterState.PRINTING, "a.gcode", percent / 100)


@pytest.fixture
def steady():
    """A pace that has seen a print go by 1 % in 50 s."""
    pace = Pace()
    pace.half_seconds(printing(10.0), 0.0)
    pace.half_seconds(printing(10.2), 10.0)
    return pace


@pytest.mark.parametrize(
    ("percent", "half_s"), [(10.21, 32), (10.6, 16), (10.7, 8), (10.85, 4), (10.95, 2), (10.999, 2)]
)
def test_frames_come_more_often_the_nearer_a_whole_per_cent_is(steady, percent, half_s):
    assert steady.half_seconds(printing(percent), 10.5) == half_s


def test_a_print_that_is_not_measured_yet_is_heard_of_often():
    pace = Pace()
    assert {pace.half_seconds(printing(10.0 + at / 50), at) for at in range(10)} == {OFTEN_HALF_S}


def test_what_does_not_print_or_stands_still_is_heard_of_often(steady):
    assert steady.half_seconds(Reading(PrinterState.PAUSED, "a.gcode", 0.102), 11.0) == OFTEN_HALF_S
    assert steady.half_seconds(printing(10.2), 12.0) == OFTEN_HALF_S
    assert steady.half_seconds(printing(10.2), 23.0) == OFTEN_HALF_S


def test_the_next_print_is_measured_anew(steady):
    assert steady.half_seconds(printing(0.0), 11.0) == OFTEN_HALF_S
