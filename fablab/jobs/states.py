"""The states of a job and of an attempt, and the only ways from one to the next."""

from __future__ import annotations

from enum import StrEnum

from fablab.words import N_


class JobState(StrEnum):
    """Where one build plate stands."""

    TO_SLICE = "to_slice"
    SLICING = "slicing"
    SLICE_FAILED = "slice_failed"
    WAITING_CONFIRMATION = "waiting_confirmation"
    QUEUED = "queued"
    ASSIGNED = "assigned"
    PRINTING = "printing"
    AWAITING_SIGNOFF = "awaiting_signoff"
    DONE = "done"
    CANCELLED = "cancelled"


class AttemptState(StrEnum):
    """Where one try of a job on a printer stands."""

    CLAIMED = "claimed"
    UPLOADING = "uploading"
    STARTING = "starting"
    PRINTING = "printing"
    PAUSED = "paused"
    FINISHED_UNVERIFIED = "finished_unverified"
    STOPPED_UNVERIFIED = "stopped_unverified"
    UNKNOWN = "unknown"
    SIGNED_OFF = "signed_off"
    START_FAILED = "start_failed"


class SliceState(StrEnum):
    """Where a plate that somebody wants sliced stands."""

    WAITING = "waiting"
    SLICING = "slicing"
    MADE = "made"
    FAILED = "failed"


J, A, S = JobState, AttemptState, SliceState

JOB_NEXT: dict[JobState, frozenset[JobState]] = {
    J.TO_SLICE: frozenset({J.SLICING, J.CANCELLED}),
    J.SLICING: frozenset({J.TO_SLICE, J.SLICE_FAILED, J.WAITING_CONFIRMATION, J.QUEUED, J.CANCELLED}),
    J.SLICE_FAILED: frozenset({J.TO_SLICE, J.CANCELLED}),
    J.WAITING_CONFIRMATION: frozenset({J.QUEUED, J.CANCELLED}),
    J.QUEUED: frozenset({J.ASSIGNED, J.WAITING_CONFIRMATION, J.CANCELLED}),
    J.ASSIGNED: frozenset({J.QUEUED, J.TO_SLICE, J.PRINTING, J.AWAITING_SIGNOFF, J.CANCELLED}),
    J.PRINTING: frozenset({J.AWAITING_SIGNOFF}),
    J.AWAITING_SIGNOFF: frozenset({J.PRINTING, J.TO_SLICE, J.QUEUED, J.DONE, J.CANCELLED}),
    J.DONE: frozenset(),
    J.CANCELLED: frozenset(),
}

ATTEMPT_NEXT: dict[AttemptState, frozenset[AttemptState]] = {
    A.CLAIMED: frozenset({A.UPLOADING, A.START_FAILED}),
    A.UPLOADING: frozenset({A.STARTING, A.START_FAILED}),
    A.STARTING: frozenset({A.PRINTING, A.FINISHED_UNVERIFIED, A.STOPPED_UNVERIFIED, A.START_FAILED, A.UNKNOWN}),
    A.PRINTING: frozenset({A.PAUSED, A.FINISHED_UNVERIFIED, A.STOPPED_UNVERIFIED, A.UNKNOWN}),
    A.PAUSED: frozenset({A.PRINTING, A.FINISHED_UNVERIFIED, A.STOPPED_UNVERIFIED, A.UNKNOWN}),
    A.FINISHED_UNVERIFIED: frozenset({A.SIGNED_OFF}),
    A.STOPPED_UNVERIFIED: frozenset({A.SIGNED_OFF}),
    A.UNKNOWN: frozenset({A.PRINTING, A.FINISHED_UNVERIFIED, A.STOPPED_UNVERIFIED, A.SIGNED_OFF}),
    A.SIGNED_OFF: frozenset(),
    A.START_FAILED: frozenset(),
}

SLICE_NEXT: dict[SliceState, frozenset[SliceState]] = {
    S.WAITING: frozenset({S.SLICING}),
    S.SLICING: frozenset({S.WAITING, S.SLICING, S.MADE, S.FAILED}),
    S.MADE: frozenset({S.WAITING, S.SLICING}),
    S.FAILED: frozenset({S.WAITING, S.SLICING}),
}

BEFORE_THE_PRINTER = frozenset({J.TO_SLICE, J.SLICING, J.SLICE_FAILED, J.WAITING_CONFIRMATION, J.QUEUED})
ENDED_JOBS = frozenset({J.DONE, J.CANCELLED})
LIVE_ATTEMPTS = frozenset(A) - {A.SIGNED_OFF, A.START_FAILED}
ON_THE_PRINTER = frozenset({A.STARTING, A.PRINTING, A.PAUSED})
NEEDS_SIGNOFF = frozenset({A.FINISHED_UNVERIFIED, A.STOPPED_UNVERIFIED, A.UNKNOWN})

JOB_LABELS: dict[JobState, str] = {
    J.TO_SLICE: N_("To be prepared"),
    J.SLICING: N_("Being prepared"),
    J.SLICE_FAILED: N_("Cannot be prepared"),
    J.WAITING_CONFIRMATION: N_("Price to confirm again"),
    J.QUEUED: N_("In the queue"),
    J.ASSIGNED: N_("Going to the printer"),
    J.PRINTING: N_("Printing"),
    J.AWAITING_SIGNOFF: N_("To be checked"),
    J.DONE: N_("Done"),
    J.CANCELLED: N_("Cancelled"),
}

ATTEMPT_LABELS: dict[AttemptState, str] = {
    A.CLAIMED: N_("Printer chosen"),
    A.UPLOADING: N_("Sending the file"),
    A.STARTING: N_("Starting"),
    A.PRINTING: N_("Printing"),
    A.PAUSED: N_("Paused"),
    A.FINISHED_UNVERIFIED: N_("Finished, to be checked"),
    A.STOPPED_UNVERIFIED: N_("Stopped, to be checked"),
    A.UNKNOWN: N_("Nobody knows: please look"),
    A.SIGNED_OFF: N_("Checked"),
    A.START_FAILED: N_("Did not start"),
}
