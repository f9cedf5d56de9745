"""The one way filament comes onto or leaves a spool: locked, summed up, written down with who and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab import bus
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.filament.models import Movement, Spool, SpoolMovement
from fablab.filament.products import LARGEST_SPOOL_G, check_tare
from fablab.filament.queries import balance_mg
from fablab.words import Grams, say

LONGEST_REASON = 200


@dataclass(frozen=True)
class Why:
    """Who does something to a spool and why; `key` makes the same form, sent twice, one movement."""

    by_id: int | None
    reason: str = ""
    key: str | None = None

    def given(self) -> Why:
        """Return it tidied; raises `Invalid` when no reason is given."""
        tidy = " ".join(self.reason.split())[:LONGEST_REASON]
        if not tidy:
            raise Invalid(say("Please say why."), field="reason")
        return Why(self.by_id, tidy, self.key)


def lock(session: Session, *spool_ids: int) -> None:
    """Let only one transaction at a time look at and move what is on these spools."""
    query = select(Spool.id).where(Spool.id.in_(spool_ids)).order_by(Spool.id)
    session.execute(query.with_for_update(key_share=True))


def write(session: Session, spool_id: int, kind: Movement, mass_mg: int, why: Why, **more: Any) -> SpoolMovement:
    """Write a movement and let the queue and the open pages know."""
    made = SpoolMovement(
        spool_id=spool_id,
        kind=kind,
        mass_mg=mass_mg,
        person_id=why.by_id,
        reason=why.reason[:LONGEST_REASON],
        key=why.key,
        **more,
    )
    session.add(made)
    session.flush()
    bus.ask(session, "schedule")
    bus.tell(session, "board")
    return made


def done_before(session: Session, key: str | None) -> SpoolMovement | None:
    """Return the movement that this very form has made already, if any. Ask under a lock."""
    return session.scalar(select(SpoolMovement).where(SpoolMovement.key == key)) if key else None


def consume(session: Session, spool_id: int, attempt_id: int, mass_mg: int, by_id: int | None = None) -> None:
    """Book what an attempt took off a spool; asked twice it books once."""
    lock(session, spool_id)
    booked = select(SpoolMovement.id).where(
        SpoolMovement.attempt_id == attempt_id, SpoolMovement.kind == Movement.CONSUMED
    )
    if session.scalar(booked) is None:
        write(session, spool_id, Movement.CONSUMED, -mass_mg, Why(by_id), attempt_id=attempt_id)
        _note_first_use(session, spool_id)


def consume_by_hand(session: Session, spool: Spool, mass_mg: int, why: Why) -> None:
    """Book what a print that was not ours took off a spool."""
    lock(session, spool.id)
    write(session, spool.id, Movement.CONSUMED, -mass_mg, why)
    _note_first_use(session, spool.id)


def _note_first_use(session: Session, spool_id: int) -> None:
    spool = session.get_one(Spool, spool_id)
    if spool.first_used_at is None:
        spool.first_used_at = utcnow()
        session.flush()


def weigh(session: Session, spool: Spool, gross_g: float, why: Why, tare_g: float | None = None) -> float:
    """Set a spool to what the scale says, reel and all, and return the grams of filament that are left on it.

    `tare_g` is the empty reel's weight if a person gives one: it is kept for this spool. Raises `Invalid` when nobody
    knows the tare, or when the scale shows less than the empty reel.
    """
    check_tare(tare_g, "tare_g")
    tare = tare_g if tare_g is not None else spool.tare_g
    if tare is None:
        raise Invalid(say("Nobody has said what the empty reel weighs: please add it."), field="tare_g")
    if not 0 <= gross_g <= LARGEST_SPOOL_G:
        raise Invalid(say("A scale shows between 0 g and {most} g.", most=LARGEST_SPOOL_G), field="gross_g")
    if gross_g < tare:
        raise Invalid(
            say(
                "The scale shows {gross}, less than the empty reel alone ({tare}): weigh again, or correct the reel.",
                gross=Grams(gross_g),
                tare=Grams(tare),
            ),
            field="gross_g",
        )
    _must_be_in_use(spool)
    lock(session, spool.id)
    net_mg = round((gross_g - tare) * 1000)
    if done_before(session, why.key) is None:
        if tare_g is not None:
            spool.own_tare_g = tare_g
        difference = net_mg - balance_mg(session, spool.id)
        write(session, spool.id, Movement.WEIGHED, difference, why, gross_mg=round(gross_g * 1000))
    return net_mg / 1000


def adjust(session: Session, spool: Spool, mass_g: float, why: Why) -> None:
    """Correct a spool to what a person knows is on it."""
    if not 0 <= mass_g <= LARGEST_SPOOL_G:
        raise Invalid(say("A spool holds between 0 g and {most} g.", most=LARGEST_SPOOL_G), field="mass_g")
    given = why.given()
    lock(session, spool.id)
    difference = round(mass_g * 1000) - balance_mg(session, spool.id)
    if difference and done_before(session, why.key) is None:
        write(session, spool.id, Movement.ADJUSTED, difference, given)


def waste(session: Session, spool: Spool, mass_g: float, why: Why, held_mg: int = 0) -> None:
    """Book filament that was thrown away; what prints on their way hold cannot be."""
    given = why.given()
    _must_be_in_use(spool)
    lock(session, spool.id)
    if done_before(session, why.key) is None:
        mass_mg = _available(session, spool, mass_g, held_mg)
        write(session, spool.id, Movement.WASTED, -mass_mg, given)


def transfer(session: Session, spool: Spool, to: Spool, mass_g: float, why: Why, held_mg: int = 0) -> None:
    """Book filament that was wound from one spool onto another of the same material: two movements that are a pair."""
    given = why.given()
    if to.id == spool.id:
        raise Invalid(say("Please choose another spool than this one."), field="to")
    if to.material_code != spool.material_code:
        raise Invalid(
            say(
                "{other} does not go on a spool of {material}: a printer would take it for that.",
                other=spool.material_code,
                material=to.material_code,
            ),
            field="to",
        )
    _must_be_in_use(spool)
    _must_be_in_use(to)
    lock(session, spool.id, to.id)
    if done_before(session, why.key) is None:
        mass_mg = _available(session, spool, mass_g, held_mg)
        given_up = write(session, spool.id, Movement.TRANSFERRED, -mass_mg, given)
        other_half = Why(given.by_id, given.reason)
        write(session, to.id, Movement.TRANSFERRED, mass_mg, other_half, pair_id=given_up.id)


def _must_be_in_use(spool: Spool) -> None:
    if spool.ended_at is not None:
        raise Conflict(say("This spool is not in use any more: take it back into use first."))


def _available(session: Session, spool: Spool, mass_g: float, held_mg: int) -> int:
    if not 0 < mass_g <= LARGEST_SPOOL_G:
        raise Invalid(say("Please write how many grams, more than nothing."), field="mass_g")
    mass_mg, free_mg = round(mass_g * 1000), balance_mg(session, spool.id) - held_mg
    if mass_mg > free_mg:
        left = Grams(max(0, free_mg) / 1000)
        if held_mg:
            raise Invalid(say("Only {left} are free: the rest is for a print on its way.", left=left), field="mass_g")
        raise Invalid(say("There are only {left} on this spool.", left=left), field="mass_g")
    return max(1, mass_mg)


def move_use(session: Session, use: SpoolMovement, to: Spool, why: Why) -> None:
    """Move a use in the past to the spool that was really on: it is given back to the one and taken off the other.

    Raises `Conflict` when somebody has moved it already, `Invalid` when it is no use or nothing would change.
    """
    given = why.given()
    if not is_a_use(use):
        raise Invalid(say("Only filament that was used can be moved to another spool."))
    if to.id == use.spool_id:
        raise Invalid(say("It is on this spool already: choose the one that was really on."), field="to")
    lock(session, use.spool_id, to.id)
    if session.scalar(select(SpoolMovement.id).where(SpoolMovement.corrects_id == use.id)) is not None:
        raise Conflict(say("This use was moved to another spool already: please look again."))
    back = write(
        session,
        use.spool_id,
        Movement.CORRECTED,
        -use.mass_mg,
        Why(given.by_id, given.reason),
        attempt_id=use.attempt_id,
        corrects_id=use.id,
    )
    write(session, to.id, Movement.CORRECTED, use.mass_mg, given, attempt_id=use.attempt_id, pair_id=back.id)
    _note_first_use(session, to.id)


def is_a_use(movement: SpoolMovement) -> bool:
    """Whether it is filament that a print took, as far as is known now."""
    return movement.kind in (Movement.CONSUMED, Movement.CORRECTED) and movement.mass_mg < 0
