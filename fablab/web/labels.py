"""The words for states on the pages, so that templates never show a stored word."""

from __future__ import annotations

from flask import Flask

from fablab.billing.models import ENTRY_LABELS
from fablab.jobs.models import Wish
from fablab.jobs.signoff import REASON_LABELS
from fablab.jobs.states import ATTEMPT_LABELS, JOB_LABELS
from fablab.machines.models import OPERATION_LABELS, Operation
from fablab.orders.models import ORDER_LABELS
from fablab.slicing.choices import QUALITY_LABELS
from fablab.words import N_

SAMPLE_LABELS = {
    "bracket": N_("bracket"),
    "calibration-cube": N_("calibration cube"),
    "knob": N_("knob"),
    "phone-stand": N_("phone stand"),
    "pot": N_("flower pot"),
}
WISH_LABELS = {
    Wish.PAUSE: N_("It was asked to pause."),
    Wish.RESUME: N_("It was asked to go on."),
    Wish.CANCEL: N_("It was asked to stop."),
}
OPERATION_SIGNS = {
    Operation.READY: "✓",
    Operation.BUSY: "▶",
    Operation.PAUSED: "⏸",
    Operation.OFFLINE: "⚡",
    Operation.ERROR: "⚠",
    Operation.UNSEEN: "…",
}


def install(app: Flask) -> None:
    """Give every template of `app` the words."""
    app.context_processor(
        lambda: {
            "order_labels": ORDER_LABELS,
            "job_labels": JOB_LABELS,
            "attempt_labels": ATTEMPT_LABELS,
            "operation_labels": OPERATION_LABELS,
            "operation_signs": OPERATION_SIGNS,
            "quality_labels": QUALITY_LABELS,
            "entry_labels": ENTRY_LABELS,
            "wish_labels": WISH_LABELS,
            "reason_labels": REASON_LABELS,
            "sample_labels": SAMPLE_LABELS,
        }
    )
