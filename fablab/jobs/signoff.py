"""The human verdict after an attempt, and what follows from it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fablab.errors import Invalid
from fablab.words import N_, Sentence, say


class Reason(StrEnum):
    """Why fewer copies than were asked for are good."""

    DETACHED = "detached"
    CLOGGED = "clogged"
    FILAMENT = "filament"
    POWER = "power"
    QUALITY = "quality"
    NOT_STARTED = "not_started"
    OTHER = "other"
    FILE = "file"
    GIVEN_UP = "given_up"


REASON_LABELS: dict[Reason, str] = {
    Reason.DETACHED: N_("It came off the plate"),
    Reason.CLOGGED: N_("Clogged nozzle"),
    Reason.FILAMENT: N_("No filament left, or tangled"),
    Reason.POWER: N_("Power or connection cut"),
    Reason.QUALITY: N_("Not good enough"),
    Reason.NOT_STARTED: N_("Nothing was printed"),
    Reason.OTHER: N_("Something else"),
    Reason.FILE: N_("The file cannot be printed like this"),
    Reason.GIVEN_UP: N_("Stopped for good"),
}

ENDS_THE_JOB = frozenset({Reason.FILE, Reason.GIVEN_UP})


@dataclass(frozen=True)
class Verdict:
    """What a person says of a plate: so many good copies, and a reason when some are missing.

    `used_g` is the filament it took, None for what the progress says.
    """

    good: int
    reason: Reason | None = None
    plate_cleared: bool = True
    used_g: float | None = None


@dataclass(frozen=True)
class Consequence:
    """What a verdict leads to: copies that are made again at the front of the queue, or the end of the job."""

    remake: int
    ends_job: bool


def consequence(copies: int, verdict: Verdict) -> Consequence:
    """Return what follows for a plate of `copies`. Raises `Invalid` when the verdict makes no sense."""
    if not 0 <= verdict.good <= copies:
        raise Invalid(say("There were {copies} copies on this plate.", copies=copies), field="good")
    if verdict.good < copies and verdict.reason is None:
        raise Invalid(say("Please say what went wrong."), field="reason")
    if verdict.good == copies:
        return Consequence(remake=0, ends_job=True)
    if verdict.reason in ENDS_THE_JOB:
        return Consequence(remake=0, ends_job=True)
    return Consequence(remake=copies - verdict.good, ends_job=False)


def in_words(copies: int, verdict: Verdict) -> Sentence:
    """Say what a verdict leads to, for the person who is about to give it."""
    result = consequence(copies, verdict)
    if result.remake:
        return say(
            "{count} of {copies} go back to the front of the queue, free of charge.", count=result.remake, copies=copies
        )
    if verdict.good == copies:
        return say("The plate is done, and the member pays what was agreed.")
    return say(
        "The plate ends here; the member pays only for the good copies ({good} of {copies}).",
        good=verdict.good,
        copies=copies,
    )
