"""Questions about filament."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.errors import NotFound
from fablab.filament.models import Material, Spool, SpoolMovement


def remaining_mg(session: Session, spool_ids: Iterable[int]) -> dict[int, int]:
    """Return what is left on each spool, in milligrams: the sum of its movements."""
    wanted = list(spool_ids)
    sums = select(SpoolMovement.spool_id, func.sum(SpoolMovement.mass_mg)).where(SpoolMovement.spool_id.in_(wanted))
    found = {spool_id: int(total) for spool_id, total in session.execute(sums.group_by(SpoolMovement.spool_id))}
    return {spool_id: found.get(spool_id, 0) for spool_id in wanted}


def materials(session: Session, *, active_only: bool = True) -> Sequence[Material]:
    """Return the materials of the place."""
    query = select(Material).order_by(Material.label)
    return session.scalars(query.where(Material.active) if active_only else query).all()


@dataclass(frozen=True)
class SpoolOnShelf:
    """A spool and what is left on it, in grams."""

    spool: Spool
    remaining_g: float


def spools(session: Session) -> list[SpoolOnShelf]:
    """Return all spools in use with what is left on them."""
    query = select(Spool).where(Spool.active).order_by(Spool.material_code, Spool.colour_name, Spool.id)
    found = session.scalars(query).all()
    left = remaining_mg(session, [spool.id for spool in found])
    return [SpoolOnShelf(spool, left[spool.id] / 1000) for spool in found]


def loaded(session: Session) -> dict[int, SpoolOnShelf]:
    """Return the spool on each machine that has one, by machine id."""
    return {each.spool.machine_id: each for each in spools(session) if each.spool.machine_id is not None}


def by_public_id(session: Session, public_id: str) -> Spool:
    """Return a spool; raises `NotFound`."""
    spool = session.scalar(select(Spool).where(Spool.public_id == public_id))
    if spool is None:
        raise NotFound
    return spool


def movements(session: Session, spool_id: int) -> Sequence[SpoolMovement]:
    """Return the movements of a spool, newest first."""
    query = select(SpoolMovement).where(SpoolMovement.spool_id == spool_id).order_by(SpoolMovement.id.desc())
    return session.scalars(query).all()


@dataclass(frozen=True)
class Colour:
    """A colour in stock of a material, with the grams of all its spools."""

    material_code: str
    name: str
    hex: str
    remaining_g: float


def colours(session: Session) -> list[Colour]:
    """Return the colours in stock: what a member can choose from."""
    stock: dict[tuple[str, str], Colour] = {}
    for each in spools(session):
        key = (each.spool.material_code, each.spool.colour_name)
        before = stock[key].remaining_g if key in stock else 0.0
        stock[key] = Colour(*key, each.spool.colour_hex, before + max(0.0, each.remaining_g))
    return [colour for colour in stock.values() if colour.remaining_g > 0]
