"""Tables of vendors, filaments, spools and movements. A balance is the sum of movements, never a column."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.db import Base, new_public_id, utcnow
from fablab.words import N_

_CONSUMED = text("kind = 'consumed'")


class Material(Base):
    """A material the place prints with; its code is the name of a filament profile (PLA, PETG …)."""

    __tablename__ = "material"

    code: Mapped[str] = mapped_column(String(30), primary_key=True)
    label: Mapped[str] = mapped_column(String(60))
    use: Mapped[str] = mapped_column(String(200), default="")
    active: Mapped[bool] = mapped_column(default=True)


class Vendor(Base):
    """Who makes or sells filament."""

    __tablename__ = "vendor"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)


class Filament(Base):
    """A product: what all reels with the same label have in common.

    `net_g` is the filament on a full reel, `tare_g` the empty reel (None: nobody has weighed one). Below `low_g` in
    the whole stock it is time to buy; 0 asks for nothing. `spoolman_id` is its number in a Spoolman it came from.
    """

    __tablename__ = "filament"
    __table_args__ = (UniqueConstraint("vendor_id", "material_code", "name", "colour_name", "colour_hex"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    vendor_id: Mapped[int | None] = mapped_column(ForeignKey("vendor.id"))
    material_code: Mapped[str] = mapped_column(ForeignKey("material.code"), index=True)
    name: Mapped[str] = mapped_column(String(60), default="")
    colour_name: Mapped[str] = mapped_column(String(40))
    colour_hex: Mapped[str] = mapped_column(String(7))
    diameter_mm: Mapped[float] = mapped_column(default=1.75)
    density_g_cm3: Mapped[float]
    net_g: Mapped[float] = mapped_column(default=1000.0)
    tare_g: Mapped[float | None]
    price_cents: Mapped[int | None]
    low_g: Mapped[float] = mapped_column(default=0.0)
    spoolman_id: Mapped[int | None] = mapped_column(unique=True)

    material: Mapped[Material] = relationship(lazy="joined")
    vendor: Mapped[Vendor | None] = relationship(lazy="joined")

    @property
    def vendor_name(self) -> str:
        """The maker, or nothing."""
        return self.vendor.name if self.vendor else ""


class Owner(StrEnum):
    """Whose filament a spool is. A member's own is only used for that member."""

    PLACE = "place"
    MEMBER = "member"
    DONATION = "donation"


OWNER_LABELS = {
    Owner.PLACE: N_("The place"),
    Owner.MEMBER: N_("A member"),
    Owner.DONATION: N_("A donation"),
}


class Spool(Base):
    """One reel of a filament. A spool is on at most one machine, a machine holds at most one spool.

    `owner_id` is the member whose own it is. `tare_g` is this very reel's, where it differs from the product's. One
    that `ended_at` is emptied or given up: it keeps its history and is not stock any more.
    """

    __tablename__ = "spool"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    filament_id: Mapped[int] = mapped_column(ForeignKey("filament.id"), index=True)
    machine_id: Mapped[int | None] = mapped_column(ForeignKey("machine.id"), unique=True)
    lot: Mapped[str] = mapped_column(String(60), default="")
    price_cents: Mapped[int | None]
    owner: Mapped[Owner] = mapped_column(String(10), default=Owner.PLACE)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    shelf: Mapped[str] = mapped_column(String(60), default="")
    comment: Mapped[str] = mapped_column(String(300), default="")
    own_tare_g: Mapped[float | None]
    spoolman_id: Mapped[int | None] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    first_used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    filament: Mapped[Filament] = relationship(lazy="joined")

    @property
    def material_code(self) -> str:
        """The material, as on the filament."""
        return self.filament.material_code

    @property
    def colour_name(self) -> str:
        """The colour's name, as on the filament."""
        return self.filament.colour_name

    @property
    def colour_hex(self) -> str:
        """How the colour is shown, as on the filament."""
        return self.filament.colour_hex

    @property
    def tare_g(self) -> float | None:
        """What the empty reel weighs: this one if it was weighed, else one like it."""
        return self.own_tare_g if self.own_tare_g is not None else self.filament.tare_g


class Movement(StrEnum):
    """What happened to a spool."""

    RECEIVED = "received"
    CONSUMED = "consumed"
    WEIGHED = "weighed"
    ADJUSTED = "adjusted"
    WASTED = "wasted"
    TRANSFERRED = "transferred"
    CORRECTED = "corrected"
    LOADED = "loaded"
    UNLOADED = "unloaded"
    EMPTIED = "emptied"
    RETIRED = "retired"
    REOPENED = "reopened"


MAY_MOVE_NOTHING = (
    Movement.CONSUMED,
    Movement.WEIGHED,
    Movement.LOADED,
    Movement.UNLOADED,
    Movement.EMPTIED,
    Movement.RETIRED,
    Movement.REOPENED,
)
_MAY_MOVE_NOTHING = ", ".join(f"'{kind}'" for kind in MAY_MOVE_NOTHING)


class SpoolMovement(Base):
    """Filament that came onto or left a spool, in milligrams, or what else happened to it. Only grows.

    An attempt consumes at most once, a form that is sent twice (the same `key`) is one movement. A use is taken back
    at most once: the movement that does so `corrects_id` it. `pair_id` is the first half of a movement with two ends.
    """

    __tablename__ = "spool_movement"
    __table_args__ = (
        Index(
            "uq_spool_movement_consumed", "attempt_id", unique=True, sqlite_where=_CONSUMED, postgresql_where=_CONSUMED
        ),
        CheckConstraint(f"mass_mg <> 0 or kind in ({_MAY_MOVE_NOTHING})", name="moves_something"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    spool_id: Mapped[int] = mapped_column(ForeignKey("spool.id"), index=True)
    kind: Mapped[Movement] = mapped_column(String(20))
    mass_mg: Mapped[int]
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("attempt.id"))
    machine_id: Mapped[int | None] = mapped_column(ForeignKey("machine.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str] = mapped_column(String(200), default="")
    gross_mg: Mapped[int | None]
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("spool_movement.id"), unique=True)
    pair_id: Mapped[int | None] = mapped_column(ForeignKey("spool_movement.id"), unique=True)
    key: Mapped[str | None] = mapped_column(String(60), unique=True)
    at: Mapped[datetime] = mapped_column(default=utcnow)
