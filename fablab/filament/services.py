"""What can be done with filament: add materials and spools, load them, and book what leaves them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from fablab import bus
from fablab.errors import Conflict, Invalid
from fablab.filament.models import Material, Movement, Spool, SpoolMovement
from fablab.filament.queries import remaining_mg
from fablab.slicing.profiles import filament_profiles
from fablab.words import say

LARGEST_SPOOL_G = 20_000
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class SpoolData:
    """What a person enters for a new spool."""

    material_code: str
    vendor: str
    colour_name: str
    colour_hex: str
    mass_g: float


def add_material(session: Session, code: str, label: str, use: str = "") -> Material:
    """Add a material. Its code must be a filament profile, or nothing could be sliced for it."""
    if code not in filament_profiles():
        known = ", ".join(sorted(filament_profiles()))
        raise Invalid(
            say("There are no slicer settings for “{code}”; there are for: {known}.", code=code, known=known),
            field="code",
        )
    if session.get(Material, code) is not None:
        raise Conflict(say("The material “{code}” is already there.", code=code))
    if not label.strip():
        raise Invalid(say("Please give the material a name."), field="label")
    material = Material(code=code, label=label.strip()[:60], use=use.strip()[:200])
    session.add(material)
    session.flush()
    return material


def add_spool(session: Session, data: SpoolData, by_id: int | None) -> Spool:
    """Add a spool with what is on it, net of the reel."""
    if session.get(Material, data.material_code) is None:
        raise Invalid(say("This material is not known here: add it first."), field="material_code")
    if not COLOUR.fullmatch(data.colour_hex):
        raise Invalid(say("A colour is written like #1e88e5."), field="colour_hex")
    if not data.colour_name.strip():
        raise Invalid(say("Please give the colour a name."), field="colour_name")
    if not 1 <= data.mass_g <= LARGEST_SPOOL_G:
        raise Invalid(say("A spool holds between 1 g and {most} g.", most=LARGEST_SPOOL_G), field="mass_g")
    spool = Spool(
        material_code=data.material_code,
        vendor=data.vendor.strip()[:60],
        colour_name=data.colour_name.strip()[:40],
        colour_hex=data.colour_hex.lower(),
    )
    session.add(spool)
    session.flush()
    _move(session, spool.id, Movement.RECEIVED, round(data.mass_g * 1000), by_id=by_id)
    bus.tell(session, "board")
    return spool


def load(session: Session, spool: Spool, machine_id: int) -> None:
    """Put a spool on a machine; the one that was there goes back to the shelf."""
    if spool.machine_id not in (None, machine_id):
        raise Conflict(say("This spool is on another printer: take it off there first."))
    session.execute(update(Spool).where(Spool.machine_id == machine_id).values(machine_id=None))
    session.execute(update(Spool).where(Spool.id == spool.id).values(machine_id=machine_id))
    bus.ask(session, "schedule")
    bus.tell(session, "board")


def unload(session: Session, machine_id: int) -> None:
    """Take the spool off a machine."""
    session.execute(update(Spool).where(Spool.machine_id == machine_id).values(machine_id=None))
    bus.tell(session, "board")


def consume(session: Session, spool_id: int, attempt_id: int, mass_mg: int, by_id: int | None = None) -> None:
    """Book what an attempt took off a spool; asked twice it books once."""
    booked = select(SpoolMovement.id).where(
        SpoolMovement.attempt_id == attempt_id, SpoolMovement.kind == Movement.CONSUMED
    )
    if session.scalar(booked) is None:
        _move(session, spool_id, Movement.CONSUMED, -mass_mg, attempt_id=attempt_id, by_id=by_id)
        bus.tell(session, "board")


def consume_by_hand(session: Session, spool: Spool, mass_mg: int, reason: str, by_id: int) -> None:
    """Book what a print that was not ours took off a spool."""
    _move(session, spool.id, Movement.CONSUMED, -mass_mg, by_id=by_id, reason=reason[:200])
    bus.tell(session, "board")


def adjust(session: Session, spool: Spool, mass_g: float, reason: str, by_id: int) -> None:
    """Correct a spool to what a person measured, as a movement with its reason."""
    if not 0 <= mass_g <= LARGEST_SPOOL_G:
        raise Invalid(say("A spool holds between 0 g and {most} g.", most=LARGEST_SPOOL_G), field="mass_g")
    if not reason.strip():
        raise Invalid(say("Please say why the amount is corrected."), field="reason")
    difference = round(mass_g * 1000) - remaining_mg(session, [spool.id])[spool.id]
    if difference:
        _move(session, spool.id, Movement.ADJUSTED, difference, by_id=by_id, reason=reason.strip()[:200])
        bus.ask(session, "schedule")
        bus.tell(session, "board")


def _move(
    session: Session,
    spool_id: int,
    kind: Movement,
    mass_mg: int,
    *,
    attempt_id: int | None = None,
    by_id: int | None = None,
    reason: str = "",
) -> None:
    session.add(
        SpoolMovement(
            spool_id=spool_id, kind=kind, mass_mg=mass_mg, attempt_id=attempt_id, person_id=by_id, reason=reason
        )
    )
    session.flush()
