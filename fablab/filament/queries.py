"""Questions about filament."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.errors import NotFound
from fablab.filament.models import Filament, Material, Owner, Spool, SpoolMovement, Vendor
from fablab.words import say

FEWEST_G = 1.0
"""Less than this is nothing: the end of a reel cannot be printed."""


def remaining_mg(session: Session, spool_ids: Iterable[int]) -> dict[int, int]:
    """Return what is left on each spool, in milligrams: the sum of its movements."""
    wanted = list(spool_ids)
    sums = select(SpoolMovement.spool_id, func.sum(SpoolMovement.mass_mg)).where(SpoolMovement.spool_id.in_(wanted))
    found = {spool_id: int(total) for spool_id, total in session.execute(sums.group_by(SpoolMovement.spool_id))}
    return {spool_id: found.get(spool_id, 0) for spool_id in wanted}


def balance_mg(session: Session, spool_id: int) -> int:
    """Return what is left on a spool, in milligrams."""
    return remaining_mg(session, [spool_id])[spool_id]


def materials(session: Session, *, active_only: bool = True) -> Sequence[Material]:
    """Return the materials of the place."""
    query = select(Material).order_by(Material.label)
    return session.scalars(query.where(Material.active) if active_only else query).all()


def filaments(session: Session) -> Sequence[Filament]:
    """Return all filaments, by material, colour and maker."""
    query = select(Filament).outerjoin(Vendor, Vendor.id == Filament.vendor_id)
    return session.scalars(
        query.order_by(Filament.material_code, Filament.colour_name, Vendor.name, Filament.name, Filament.id)
    ).all()


def filament_by_public_id(session: Session, public_id: str) -> Filament:
    """Return a filament; raises `NotFound`."""
    found = session.scalar(select(Filament).where(Filament.public_id == public_id))
    if found is None:
        raise NotFound
    return found


def vendor_names(session: Session) -> Sequence[str]:
    """Return the makers that are known."""
    return session.scalars(select(Vendor.name).order_by(Vendor.name)).all()


@dataclass(frozen=True)
class SpoolOnShelf:
    """A spool, what is left on it, and what prints on their way hold of that; in grams."""

    spool: Spool
    remaining_g: float
    held_g: float = 0.0

    @property
    def free_g(self) -> float:
        """What is left for others."""
        return max(0.0, self.remaining_g - self.held_g)

    @property
    def share(self) -> float:
        """How full the reel is, 0 to 1."""
        return min(1.0, max(0.0, self.remaining_g / self.spool.filament.net_g))


def spools(session: Session, held_mg: Mapping[int, int] | None = None, *, ended: bool = False) -> list[SpoolOnShelf]:
    """Return the spools in use (or those out of use) with what is left on them."""
    query = select(Spool).join(Filament, Filament.id == Spool.filament_id)
    query = query.where(Spool.ended_at.is_not(None) if ended else Spool.ended_at.is_(None))
    found = session.scalars(query.order_by(Filament.material_code, Filament.colour_name, Spool.id)).all()
    return on_shelf(session, found, held_mg)


def on_shelf(session: Session, found: Sequence[Spool], held_mg: Mapping[int, int] | None = None) -> list[SpoolOnShelf]:
    """Return these spools with what is left on them."""
    left, held = remaining_mg(session, [spool.id for spool in found]), held_mg or {}
    return [SpoolOnShelf(spool, left[spool.id] / 1000, held.get(spool.id, 0) / 1000) for spool in found]


def loaded(session: Session, held_mg: Mapping[int, int] | None = None) -> dict[int, SpoolOnShelf]:
    """Return the spool on each machine that has one, by machine id."""
    query = select(Spool).where(Spool.machine_id.is_not(None)).order_by(Spool.id)
    found = on_shelf(session, session.scalars(query).all(), held_mg)
    return {each.spool.machine_id: each for each in found if each.spool.machine_id is not None}


def by_public_id(session: Session, public_id: str) -> Spool:
    """Return a spool; raises `NotFound`."""
    spool = session.scalar(select(Spool).where(Spool.public_id == public_id))
    if spool is None:
        raise NotFound(say("There is no spool with this label here: it belongs to another place, or was misread."))
    return spool


def movements(session: Session, spool_id: int) -> Sequence[SpoolMovement]:
    """Return the movements of a spool, newest first."""
    query = select(SpoolMovement).where(SpoolMovement.spool_id == spool_id).order_by(SpoolMovement.id.desc())
    return session.scalars(query).all()


@dataclass(frozen=True)
class Colour:
    """A colour in stock of a material, with the grams of all its spools that are free."""

    material_code: str
    name: str
    hex: str
    remaining_g: float


def may_use(spool: Spool, person_id: int | None) -> bool:
    """Whether a spool may be used for this person: a member's own is for that member only."""
    return spool.owner != Owner.MEMBER or spool.owner_id == person_id


def colours(session: Session, held_mg: Mapping[int, int] | None = None, for_id: int | None = None) -> list[Colour]:
    """Return the colours in stock: what a member can choose from."""
    stock: dict[tuple[str, str], Colour] = {}
    for each in spools(session, held_mg):
        if each.free_g < FEWEST_G or not may_use(each.spool, for_id):
            continue
        key = (each.spool.material_code, each.spool.colour_name)
        before = stock[key].remaining_g if key in stock else 0.0
        stock[key] = Colour(*key, each.spool.colour_hex, before + each.free_g)
    return list(stock.values())
