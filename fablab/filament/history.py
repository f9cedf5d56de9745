"""The history of a spool in plain words: what happened, who did it, and what was left then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.filament.models import Movement, Spool, SpoolMovement
from fablab.filament.movements import is_a_use
from fablab.filament.queries import movements
from fablab.words import N_, Grams, Sentence, say

WORDS: dict[tuple[str, int], str] = {
    (Movement.RECEIVED, 0): N_("Received with {mass}"),
    (Movement.CONSUMED, 0): N_("A print took {mass}"),
    (Movement.WEIGHED, 1): N_("Weighed {gross} with the reel: {mass} more than expected"),
    (Movement.WEIGHED, 0): N_("Weighed {gross} with the reel: as expected"),
    (Movement.WEIGHED, -1): N_("Weighed {gross} with the reel: {mass} less than expected"),
    (Movement.ADJUSTED, 1): N_("Corrected: {mass} more"),
    (Movement.ADJUSTED, 0): N_("Corrected: {mass} less"),
    (Movement.WASTED, 0): N_("Thrown away: {mass}"),
    (Movement.TRANSFERRED, 1): N_("{mass} came from {spool}"),
    (Movement.TRANSFERRED, 0): N_("{mass} went to {spool}"),
    (Movement.CORRECTED, 1): N_("{mass} given back: that print took {spool}"),
    (Movement.CORRECTED, 0): N_("A print that was booked on {spool} took {mass} from here"),
    (Movement.LOADED, 0): N_("Put on {machine}"),
    (Movement.UNLOADED, 0): N_("Taken off {machine}"),
    (Movement.EMPTIED, -1): N_("Empty; {mass} written off"),
    (Movement.EMPTIED, 1): N_("Empty; {mass} more had been used than was on it"),
    (Movement.EMPTIED, 0): N_("Empty"),
    (Movement.RETIRED, 0): N_("Taken out of use"),
    (Movement.REOPENED, 0): N_("Taken back into use"),
}
"""What a kind of movement is called when it brings more (1) or less (-1); 0 for whichever has no words of its own."""


@dataclass(frozen=True)
class Line:
    """One movement in words, with the grams on the spool after it. `can_be_moved`: a use that still counts here.

    `other` is the spool at the other end of a transfer or a correction.
    """

    movement: SpoolMovement
    sentence: Sentence
    left_g: float
    can_be_moved: bool
    other: Spool | None


def of_spool(session: Session, spool: Spool, machine_names: Mapping[int, str]) -> list[Line]:
    """Return everything that happened to a spool, newest first."""
    found = list(reversed(movements(session, spool.id)))
    moved = _moved_on(session, [each.id for each in found])
    left_mg, lines = 0, []
    for each in found:
        left_mg += each.mass_mg
        other = _other_end(session, each)
        words = _in_words(each, machine_names.get(each.machine_id or 0, "–"), other)
        lines.append(Line(each, words, left_mg / 1000, is_a_use(each) and each.id not in moved, other))
    return lines[::-1]


def _moved_on(session: Session, ids: list[int]) -> set[int | None]:
    """Return which of these uses were moved to another spool."""
    return set(session.scalars(select(SpoolMovement.corrects_id).where(SpoolMovement.corrects_id.in_(ids))))


def _other_end(session: Session, movement: SpoolMovement) -> Spool | None:
    if movement.kind not in (Movement.TRANSFERRED, Movement.CORRECTED):
        return None
    pair = select(SpoolMovement.spool_id).where(SpoolMovement.pair_id == movement.id)
    if movement.pair_id is not None:
        pair = select(SpoolMovement.spool_id).where(SpoolMovement.id == movement.pair_id)
    spool_id = session.scalar(pair)
    return session.get(Spool, spool_id) if spool_id is not None else None


def _in_words(movement: SpoolMovement, machine: str, other: Spool | None) -> Sentence:
    more = (movement.mass_mg > 0) - (movement.mass_mg < 0)
    words = WORDS.get((movement.kind, more)) or WORDS[movement.kind, 0]
    return Sentence(
        words,
        {
            "mass": Grams(abs(movement.mass_mg) / 1000),
            "gross": Grams((movement.gross_mg or 0) / 1000),
            "machine": machine,
            "spool": spool_in_words(other) if other else "–",
        },
    )


def spool_in_words(spool: Spool) -> Sentence:
    """Name a spool so that people find it."""
    parts = {"material": spool.material_code, "colour": spool.colour_name, "number": spool.id}
    return say("{material} {colour} (no.\u00a0{number})", **parts)
