"""What became of an attempt, from what the printer shows; pure."""

from datetime import UTC, datetime, timedelta

import pytest

from fablab.jobs.judging import START_MARGIN, Judgement, Seen, judge
from fablab.jobs.states import AttemptState as A
from fablab.printers import FileHistory, PrinterState, Reading

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LONG_AGO = NOW - START_MARGIN - timedelta(seconds=1)
OURS = "fl-1-1-abc.gcode"
FRESH = FileHistory("x", 10, 0, 0)


def seen(state, name=OURS, history=FRESH, *, idle_before=False):
    return Seen(Reading(PrinterState(state), name), history, idle_before)


@pytest.mark.parametrize(
    ("state", "asked", "what", "expected"),
    [
        (A.STARTING, NOW, seen("printing"), Judgement.PRINTING),
        (A.STARTING, NOW, seen("starting"), Judgement.PRINTING),
        (A.STARTING, NOW, seen("ready"), Judgement.WAIT),
        (A.STARTING, LONG_AGO, seen("ready"), Judgement.NEVER_STARTED),
        (A.STARTING, LONG_AGO, seen("ready", None), Judgement.UNKNOWN),
        (A.STARTING, LONG_AGO, seen("ready", None, None), Judgement.UNKNOWN),
        (A.STARTING, LONG_AGO, seen("printing", "other.gcode"), Judgement.UNKNOWN),
        (A.STARTING, LONG_AGO, seen("offline", None), Judgement.WAIT),
        (A.STARTING, NOW, seen("ready", OURS, FileHistory("x", 10, 1, 0)), Judgement.FINISHED),
        (A.STARTING, LONG_AGO, seen("error", None, FileHistory("x", 10, 0, 1)), Judgement.STOPPED),
        (A.PRINTING, LONG_AGO, seen("printing"), Judgement.PRINTING),
        (A.PRINTING, LONG_AGO, seen("paused"), Judgement.PAUSED),
        (A.PAUSED, LONG_AGO, seen("printing"), Judgement.PRINTING),
        (A.PRINTING, LONG_AGO, seen("finishing", OURS, FileHistory("x", 10, 1, 0)), Judgement.PRINTING),
        (A.PRINTING, LONG_AGO, seen("ready", OURS, FileHistory("x", 10, 1, 0)), Judgement.FINISHED),
        (A.PRINTING, LONG_AGO, seen("ready", OURS, FileHistory("x", 10, 0, 1)), Judgement.STOPPED),
        (A.PRINTING, LONG_AGO, seen("ready", OURS, FileHistory("x", 10, 1, 1)), Judgement.STOPPED),
        (A.PRINTING, LONG_AGO, seen("ready", None), Judgement.WAIT),
        (A.PRINTING, LONG_AGO, seen("ready", None, idle_before=True), Judgement.LOST),
        (A.PRINTING, LONG_AGO, seen("offline", None), Judgement.WAIT),
        (A.PRINTING, LONG_AGO, seen("printing", "other.gcode"), Judgement.LOST),
        (A.UNKNOWN, LONG_AGO, seen("printing"), Judgement.PRINTING),
        (A.UNKNOWN, LONG_AGO, seen("ready", None), Judgement.WAIT),
    ],
)
def test_the_printers_own_history_decides_and_doubt_is_said(state, asked, what, expected):
    assert judge(state, OURS, asked, what, NOW) == expected
