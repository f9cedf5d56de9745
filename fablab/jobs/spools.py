"""Spools on machines: which may be changed now, and what prints on their way hold of them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.errors import Conflict, NotFound
from fablab.filament import queries as filament
from fablab.filament import services
from fablab.filament.models import Spool
from fablab.filament.queries import SpoolOnShelf
from fablab.filament.usage import extruded_mg
from fablab.jobs import queries
from fablab.jobs.models import Attempt
from fablab.jobs.states import AttemptState
from fablab.machines import services as machines
from fablab.machines.models import Machine, Service
from fablab.words import say


def proposed_mg(attempt: Attempt) -> int:
    """Return how much filament an attempt that has ended took, by how far its file was read."""
    completed = attempt.state == AttemptState.FINISHED_UNVERIFIED
    return extruded_mg(attempt.slice.mass_g, attempt.slice.curve, attempt.progress, completed)


def held_mg(session: Session) -> dict[int, int]:
    """Return what live attempts have claimed of each spool, in milligrams: it is on the spool, and not for others.

    One that was stopped holds what it took so far, any other its whole plate, until somebody has signed it off.
    """
    held: dict[int, int] = {}
    for attempt in queries.live_attempts(session):
        stopped = attempt.state == AttemptState.STOPPED_UNVERIFIED
        claimed = proposed_mg(attempt) if stopped else round(attempt.slice.mass_g * 1000)
        held[attempt.spool_id] = held.get(attempt.spool_id, 0) + claimed
    return held


def shelf(session: Session, *, ended: bool = False) -> list[SpoolOnShelf]:
    """Return the spools in use (or out of use) with what is left on them and what is held of that."""
    return filament.spools(session, held_mg(session), ended=ended)


def standing(session: Session, spool: Spool) -> SpoolOnShelf:
    """Return one spool with what is left on it and what is held of that."""
    return filament.on_shelf(session, [spool], held_mg(session))[0]


def must_be_free(session: Session, spool: Spool) -> None:
    """Keep a spool's machine as it is, and raise `Conflict` while a print with the spool is not signed off."""
    if spool.machine_id is not None:
        machines.lock(session, spool.machine_id)
    if spool.id in held_mg(session):
        raise Conflict(say("A print with this spool is not checked yet: check its plate first."))


def put_on(
    session: Session, spool: Spool, machine: Machine, by_id: int, *, seen: Spool | None, from_other: bool = False
) -> None:
    """Load a spool on a machine whose spool was `seen` by the person who confirms it.

    `from_other`: take it off the machine that has it. Raises `Conflict` when a print is not signed off, when somebody
    has changed the spool meanwhile, or when another machine has it and nobody said to take it off there. Pressed twice
    it does nothing the second time.
    """
    was_on = spool.machine_id
    _lock_both(session, machine, spool)
    session.refresh(spool)
    if spool.machine_id == machine.id:
        return
    if spool.machine_id != was_on:
        raise Conflict(say("Somebody has just put this spool on a printer: look again."))
    if machine.service == Service.RETIRED:
        raise NotFound
    _must_be_signed_off(session, machine.id)
    there = session.scalar(select(Spool).where(Spool.machine_id == machine.id))
    if (there.id if there else None) != (seen.id if seen else None):
        raise Conflict(say("Somebody has changed the spool on {machine} meanwhile: look again.", machine=machine.name))
    if spool.machine_id is not None and from_other:
        _must_be_signed_off(session, spool.machine_id)
        services.unload(session, spool.machine_id, by_id)
    services.load(session, spool, machine.id, by_id)


def take_off(session: Session, machine: Machine, by_id: int) -> None:
    """Take the spool off a machine. Raises `Conflict` while the print on it is not signed off."""
    machines.lock(session, machine.id)
    _must_be_signed_off(session, machine.id)
    services.unload(session, machine.id, by_id)


def _lock_both(session: Session, machine: Machine, spool: Spool) -> None:
    for machine_id in sorted({machine.id, spool.machine_id or machine.id}):
        machines.lock(session, machine_id)


def _must_be_signed_off(session: Session, machine_id: int) -> None:
    attempt = queries.live_attempt_on(session, machine_id)
    if attempt is not None:
        raise Conflict(
            say("The spool on {machine} can be changed when the print on it was checked.", machine=attempt.machine.name)
        )
