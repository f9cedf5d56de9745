"""Questions about machines."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.errors import NotFound
from fablab.machines.models import HouseRules, Machine, Service


def all_in_use(session: Session) -> Sequence[Machine]:
    """Return every machine that is not retired, by name."""
    return session.scalars(select(Machine).where(Machine.service != Service.RETIRED).order_by(Machine.name)).all()


def names(session: Session) -> dict[int, str]:
    """Return what every machine there ever was is called, by its id."""
    return {number: name for number, name in session.execute(select(Machine.id, Machine.name))}  # noqa: C416 - rows


def by_public_id(session: Session, public_id: str) -> Machine:
    """Return a machine; raises `NotFound`."""
    machine = session.scalar(select(Machine).where(Machine.public_id == public_id))
    if machine is None:
        raise NotFound
    return machine


def profiles_in_use(session: Session) -> set[str]:
    """Return the names of the machine profiles that some machine in service has."""
    return set(session.scalars(select(Machine.profile).where(Machine.service == Service.IN_SERVICE).distinct()))


def house_rules(session: Session, *, lock: bool = False) -> HouseRules:
    """Return the rules of the place; `lock` lets one transaction at a time start something by them."""
    wanted = select(HouseRules).order_by(HouseRules.id.desc()).limit(1)
    found = session.scalar(wanted.with_for_update(of=HouseRules) if lock else wanted)
    return found or HouseRules(opening_hours="", quiet_hours="", heating_at_once=0, heating_minutes=5)
