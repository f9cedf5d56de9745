"""Prints that somebody started by hand: noticed, followed to their end, and filed by a person. Never disturbed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from fablab import bus
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid, NotFound
from fablab.filament import movements
from fablab.filament.models import Spool
from fablab.filament.movements import Why
from fablab.filament.queries import loaded
from fablab.jobs.models import HandPrint
from fablab.words import say

MOST_G = 20_000
LONGEST_NAME = 500


def follow(
    session: Session, machine_id: int, file_name: str | None, user: str | None, progress: float | None, now: datetime
) -> None:
    """Note what a machine prints that is not ours; None: nothing, so that what was there has ended."""
    file_name = file_name[:LONGEST_NAME] if file_name else None
    running = session.scalar(select(HandPrint).where(HandPrint.machine_id == machine_id, HandPrint.ended_at.is_(None)))
    if running is not None and running.file_name != file_name:
        running.ended_at = now
        session.flush()
        bus.tell(session, "board")
        running = None
    if file_name is None:
        return
    if running is None:
        spool = loaded(session).get(machine_id)
        running = HandPrint(
            machine_id=machine_id,
            spool_id=spool.spool.id if spool else None,
            file_name=file_name,
            user=user[:80] if user else None,
            noticed_at=now,
        )
        session.add(running)
        bus.tell(session, "board")
    running.progress = max(running.progress or 0.0, progress or 0.0)


def to_file(session: Session) -> Sequence[HandPrint]:
    """Return the prints by hand that have ended and that nobody has filed, oldest first."""
    unfiled = select(HandPrint).where(HandPrint.ended_at.is_not(None), HandPrint.filed_at.is_(None))
    return session.scalars(unfiled.order_by(HandPrint.id)).all()


def by_public_id(session: Session, public_id: str) -> HandPrint:
    """Return a print by hand; raises `NotFound`."""
    found = session.scalar(select(HandPrint).where(HandPrint.public_id == public_id))
    if found is None:
        raise NotFound
    return found


def file(session: Session, printed: HandPrint, for_whom: str, spool: Spool | None, used_g: float, by_id: int) -> None:
    """Record whose print it was and book what it took off which spool.

    Raises `Conflict` when somebody else has just filed it, `Invalid` for amounts that cannot be.
    """
    if not for_whom.strip():
        raise Invalid(say("Please say whose print it was."), field="for_whom")
    if not 0 <= used_g <= MOST_G:
        raise Invalid(say("A print takes between 0 g and {most} g.", most=MOST_G), field="used_g")
    if used_g and spool is None:
        raise Invalid(say("Please say which spool it took."), field="spool")
    used_mg = round(used_g * 1000)
    changed = session.execute(
        update(HandPrint)
        .where(HandPrint.id == printed.id, HandPrint.ended_at.is_not(None), HandPrint.filed_at.is_(None))
        .values(
            for_whom=for_whom.strip()[:80],
            spool_id=spool.id if spool else None,
            used_mg=used_mg,
            filed_at=utcnow(),
            filed_by_id=by_id,
        )
    ).rowcount  # type: ignore[attr-defined]
    if not changed:
        raise Conflict(say("This print has been filed already, or is not finished yet."))
    if spool is not None and used_mg:
        movements.consume_by_hand(session, spool, used_mg, Why(by_id, f"{printed.file_name} ({for_whom.strip()})"))
    bus.tell(session, "board")
