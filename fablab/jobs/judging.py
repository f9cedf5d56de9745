"""What became of an attempt, from what its printer shows. Pure: it decides, others act and record.

Only the history of the attempt's own file is believed: its name is never used twice. Where the printer cannot know
either, the answer is `UNKNOWN` and a person looks at the plate.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fablab.jobs.states import AttemptState
from fablab.printers import BUSY, FileHistory, PrinterState, Reading

START_MARGIN = timedelta(seconds=25)  # longer than the longest answer to a start is waited for


class Judgement(StrEnum):
    """What a look at the printer says about an attempt."""

    WAIT = "wait"
    PRINTING = "printing"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    LOST = "lost"
    NEVER_STARTED = "never_started"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Seen:
    """Everything one look at a printer showed about one attempt.

    `idle_before`: the look before this one already found the printer idle.
    """

    reading: Reading
    history: FileHistory | None
    idle_before: bool = False


def judge(state: AttemptState, file_name: str, asked_at: datetime | None, seen: Seen, now: datetime) -> Judgement:
    """Return what became of an attempt in `state` whose start was asked for at `asked_at`.

    `NEVER_STARTED` means: the file is selected, idle and unprinted well after the start was sent. The caller must
    delete the file (so that a late start finds nothing) and look again before it believes that.
    """
    reading, history = seen.reading, seen.history
    if reading.file_name == file_name and reading.state in BUSY:
        paused = reading.state in (PrinterState.PAUSED, PrinterState.PAUSING)
        return Judgement.PAUSED if paused else Judgement.PRINTING
    if history is not None and history.failures:
        return Judgement.STOPPED
    if history is not None and history.successes:
        return Judgement.FINISHED
    if reading.state in (PrinterState.OFFLINE, PrinterState.ERROR):
        return Judgement.WAIT
    if state == AttemptState.STARTING:
        return _judge_start(file_name, asked_at, seen, now)
    if state in (AttemptState.PRINTING, AttemptState.PAUSED) and (seen.idle_before or reading.state in BUSY):
        return Judgement.LOST
    return Judgement.WAIT


def _judge_start(file_name: str, asked_at: datetime | None, seen: Seen, now: datetime) -> Judgement:
    if asked_at is not None and now - asked_at < START_MARGIN:
        return Judgement.WAIT
    if seen.history is not None and seen.reading.file_name == file_name and seen.reading.state == PrinterState.READY:
        return Judgement.NEVER_STARTED
    return Judgement.UNKNOWN
