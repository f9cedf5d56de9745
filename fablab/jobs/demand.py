"""What the plates in the queue need of each filament, against what is on the shelf."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fablab.filament import queries as filament
from fablab.filament.models import Filament, Owner
from fablab.filament.shopping import Demand, Plan, Product, plan
from fablab.jobs import queries, spools
from fablab.jobs.states import BEFORE_THE_PRINTER


def demands(session: Session) -> list[Demand]:
    """Return what queued plates need, by material and colour."""
    found: dict[tuple[str, str | None], Demand] = {}
    for job in queries.open_jobs(session):
        if job.state not in BEFORE_THE_PRINTER:
            continue
        key = (job.material_code, job.colour_name)
        before = found.get(key, Demand(*key, 0.0, 0))
        mass_g = job.slice.mass_g if job.slice else 0.0
        found[key] = Demand(*key, before.mass_g + mass_g, before.plates + 1, before.unsliced + (0 if job.slice else 1))
    return list(found.values())


def products(session: Session) -> list[Product]:
    """Return each filament with what is free of it for everybody: a member's own is not."""
    free: dict[int, float] = {}
    for each in spools.shelf(session):
        if each.spool.owner != Owner.MEMBER:
            free[each.spool.filament_id] = free.get(each.spool.filament_id, 0.0) + each.free_g
    return [_product(each, free.get(each.id, 0.0)) for each in filament.filaments(session)]


def _product(each: Filament, free_g: float) -> Product:
    return Product(each.id, each.material_code, each.colour_name, each.net_g, each.low_g, free_g)


def shopping(session: Session) -> Plan:
    """Return what to buy."""
    return plan(products(session), demands(session))
