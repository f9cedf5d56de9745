"""What can be done with spools: receive, change, load, empty, retire. What moves filament is in `movements`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab import bus
from fablab.accounts.models import Person
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.filament.models import Filament, Material, Movement, Owner, Spool
from fablab.filament.movements import Why, done_before, lock, write
from fablab.filament.products import LARGEST_SPOOL_G, check_price, check_tare
from fablab.filament.queries import balance_mg
from fablab.slicing.profiles import filament_profiles
from fablab.words import say


@dataclass(frozen=True)
class SpoolData:
    """What a person says of one reel."""

    lot: str = ""
    price_cents: int | None = None
    owner: Owner = Owner.PLACE
    owner_id: int | None = None
    shelf: str = ""
    comment: str = ""
    own_tare_g: float | None = None


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


def receive(session: Session, filament: Filament, mass_g: float, data: SpoolData, why: Why) -> Spool:
    """Add a spool with what is on it, net of the reel. The same form sent twice is one spool."""
    if not 1 <= mass_g <= LARGEST_SPOOL_G:
        raise Invalid(say("A spool holds between 1 g and {most} g.", most=LARGEST_SPOOL_G), field="mass_g")
    session.execute(select(Filament.id).where(Filament.id == filament.id).with_for_update(key_share=True))
    before = done_before(session, why.key)
    if before is not None:
        return session.get_one(Spool, before.spool_id)
    spool = Spool(filament=filament)
    _fill(session, spool, data)
    session.add(spool)
    session.flush()
    write(session, spool.id, Movement.RECEIVED, round(mass_g * 1000), why)
    return spool


def change(session: Session, spool: Spool, data: SpoolData) -> None:
    """Change what is said of a reel; what is on it changes by movements only."""
    _fill(session, spool, data)
    session.flush()
    bus.ask(session, "schedule")
    bus.tell(session, "board")


def _fill(session: Session, spool: Spool, data: SpoolData) -> None:
    check_price(data.price_cents, "price")
    check_tare(data.own_tare_g, "own_tare_g")
    belongs = data.owner_id if data.owner == Owner.MEMBER else None
    if data.owner == Owner.MEMBER and (belongs is None or session.get(Person, belongs) is None):
        raise Invalid(say("Please say whose own spool it is."), field="owner_id")
    spool.lot, spool.price_cents = data.lot.strip()[:60], data.price_cents
    spool.owner, spool.owner_id = data.owner, belongs
    spool.shelf, spool.comment = data.shelf.strip()[:60], data.comment.strip()[:300]
    spool.own_tare_g = data.own_tare_g


def load(session: Session, spool: Spool, machine_id: int, by_id: int | None = None) -> None:
    """Put a spool on a machine; the one that was there goes back to the shelf."""
    there = session.scalar(select(Spool).where(Spool.machine_id == machine_id))
    lock(session, spool.id, *([there.id] if there is not None else []))
    session.refresh(spool)
    if spool.ended_at is not None:
        raise Conflict(say("This spool is not in use any more: take it back into use first."))
    if spool.machine_id == machine_id:
        return
    if spool.machine_id is not None:
        raise Conflict(say("This spool is on another printer: take it off there first."))
    unload(session, machine_id, by_id)
    spool.machine_id = machine_id
    session.flush()
    write(session, spool.id, Movement.LOADED, 0, Why(by_id), machine_id=machine_id)


def unload(session: Session, machine_id: int, by_id: int | None = None) -> None:
    """Take the spool off a machine, if there is one."""
    there = session.scalar(
        select(Spool).where(Spool.machine_id == machine_id).execution_options(populate_existing=True)
    )
    if there is not None:
        there.machine_id = None
        session.flush()
        write(session, there.id, Movement.UNLOADED, 0, Why(by_id), machine_id=machine_id)


def empty(session: Session, spool: Spool, by_id: int) -> None:
    """Say that nothing is left on a spool: what should be there is written off, and it is not in use any more."""
    _end(session, spool, Movement.EMPTIED, Why(by_id))


def retire(session: Session, spool: Spool, why: Why) -> None:
    """Take a spool out of use with what is on it: brittle, wet, given back."""
    _end(session, spool, Movement.RETIRED, why.given())


def _end(session: Session, spool: Spool, kind: Movement, why: Why) -> None:
    lock(session, spool.id)
    session.refresh(spool)
    if spool.ended_at is not None:
        raise Conflict(say("This spool is out of use already."))
    if spool.machine_id is not None:
        unload(session, spool.machine_id, why.by_id)
    spool.ended_at = utcnow()
    session.flush()
    write(session, spool.id, kind, -balance_mg(session, spool.id) if kind == Movement.EMPTIED else 0, why)


def reopen(session: Session, spool: Spool, by_id: int) -> None:
    """Take a spool back into use: it was ended by mistake."""
    lock(session, spool.id)
    session.refresh(spool)
    if spool.ended_at is None:
        raise Conflict(say("This spool is in use already."))
    spool.ended_at = None
    session.flush()
    write(session, spool.id, Movement.REOPENED, 0, Why(by_id))
