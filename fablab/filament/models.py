"""Tables of materials, spools and movements. A spool's balance is the sum of its movements, never a column."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.db import Base, new_public_id, utcnow
from fablab.words import N_


class Material(Base):
    """A material the place prints with; its code is the name of a filament profile (PLA, PETG …)."""

    __tablename__ = "material"

    code: Mapped[str] = mapped_column(String(30), primary_key=True)
    label: Mapped[str] = mapped_column(String(60))
    use: Mapped[str] = mapped_column(String(200), default="")
    active: Mapped[bool] = mapped_column(default=True)


class Spool(Base):
    """One reel. A spool is on at most one machine, a machine holds at most one spool."""

    __tablename__ = "spool"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    material_code: Mapped[str] = mapped_column(ForeignKey("material.code"), index=True)
    vendor: Mapped[str] = mapped_column(String(60), default="")
    colour_name: Mapped[str] = mapped_column(String(40))
    colour_hex: Mapped[str] = mapped_column(String(7))
    machine_id: Mapped[int | None] = mapped_column(ForeignKey("machine.id"), unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    material: Mapped[Material] = relationship(lazy="joined")


class Movement(StrEnum):
    """Why the filament on a spool became more or less."""

    RECEIVED = "received"
    CONSUMED = "consumed"
    ADJUSTED = "adjusted"


MOVEMENT_LABELS = {
    Movement.RECEIVED: N_("Received"),
    Movement.CONSUMED: N_("Consumed"),
    Movement.ADJUSTED: N_("Adjusted"),
}


class SpoolMovement(Base):
    """Filament that came onto or left a spool, in milligrams. An attempt consumes at most once. Only grows."""

    __tablename__ = "spool_movement"
    __table_args__ = (
        UniqueConstraint("attempt_id", "kind"),
        CheckConstraint("mass_mg <> 0 or kind = 'consumed'", name="moves_something"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    spool_id: Mapped[int] = mapped_column(ForeignKey("spool.id"), index=True)
    kind: Mapped[Movement] = mapped_column(String(20))
    mass_mg: Mapped[int]
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("attempt.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[datetime] = mapped_column(default=utcnow)
