"""What a person is offered before they confirm: the estimate, or the figures of the real slices once they are there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from fablab.billing.quoting import Quote, checked_quote
from fablab.jobs import slices
from fablab.jobs.models import Slice, SliceRequest
from fablab.jobs.slices import PlateToSlice
from fablab.jobs.states import SliceState
from fablab.orders.models import OrderLine
from fablab.orders.services import Wanted
from fablab.slicing.dialect import Fault
from fablab.slicing.profiles import BrokenProfile
from fablab.slicing.slicer import find_slicer
from fablab.words import Sentence


class Check(StrEnum):
    """How far the real slices of an offer are.

    Nobody has asked; they are on their way; there; the part cannot be made like this; it is not known, by our fault.
    """

    NOT_ASKED = "not_asked"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Offer:
    """An `estimate`, the `quote` that is shown and charged (the estimate until it is checked), and why not.

    `slices` are the plates by the copies on them, all of them once the check is done.
    """

    estimate: Quote
    quote: Quote
    check: Check
    problem: Sentence | None = None
    slices: Mapping[int, Slice] = field(default_factory=dict)


def plates_of(line: OrderLine, wanted: Wanted, made: Quote) -> dict[int, PlateToSlice]:
    """Return the different plates of a quote, by the copies on them."""
    return {
        each.copies: PlateToSlice(line.model_sha256, made.machine_profile, wanted.choices, each.copies)
        for each in made.by_plate
    }


def offered(session: Session, line: OrderLine, wanted: Wanted, made: Quote) -> Offer:
    """Return the offer for a quote, as far as its slices are known."""
    slicer = find_slicer()
    if slicer is None:
        return Offer(made, made, Check.UNKNOWN)
    try:
        keys = {copies: plate.key(slicer) for copies, plate in plates_of(line, wanted, made).items()}
    except BrokenProfile as broken:
        return Offer(made, made, Check.UNKNOWN, broken.sentence)
    found = {copies: slices.find(session, key) for copies, key in keys.items()}
    there = {copies: each for copies, each in found.items() if each is not None}
    if len(there) == len(keys):
        figures = {copies: (each.mass_g, each.time_s) for copies, each in there.items()}
        quote = checked_quote(made, figures)
        return Offer(made, quote, Check.DONE, slices=there)
    missing = [slices.request_of(session, keys[copies]) for copies, each in found.items() if each is None]
    check, problem = _worst(missing, slices.wanted_by(session, line.order_id))
    return Offer(made, made, check, problem)


def _worst(requests: list[SliceRequest | None], wanted: Collection[int]) -> tuple[Check, Sentence | None]:
    """Return how far the plates are that have no slice yet; one that cannot be made decides for all.

    Only what the draft wants is on its way to it: a plate it has given up, or which others want, it has to ask for.
    """
    failed = [each for each in requests if each is not None and each.state == SliceState.FAILED]
    failed.sort(key=lambda each: each.fault != Fault.PART)
    if failed:
        return Check.REFUSED if failed[0].fault == Fault.PART else Check.UNKNOWN, failed[0].problem
    on_their_way = (SliceState.WAITING, SliceState.SLICING)
    running = all(each is not None and each.state in on_their_way and each.id in wanted for each in requests)
    return Check.RUNNING if running else Check.NOT_ASKED, None


def ask(
    session: Session, order_id: int, person_id: int, parts: Iterable[tuple[OrderLine, Wanted, Quote]], now: datetime
) -> None:
    """Ask workers to slice exactly what would be printed of all parts."""
    slicer = find_slicer()
    if slicer is not None:
        plates = [plate for part in parts for plate in plates_of(*part).values()]
        slices.want(session, order_id, person_id, plates, slicer, now)
