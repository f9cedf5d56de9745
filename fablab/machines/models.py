"""Tables of machines. What the driver reports and what people decide are separate columns."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.models import Person
from fablab.db import Base, new_public_id, utcnow
from fablab.words import N_, Sentence


class Operation(StrEnum):
    """What the driver last reported."""

    UNSEEN = "unseen"
    OFFLINE = "offline"
    READY = "ready"
    BUSY = "busy"
    PAUSED = "paused"
    ERROR = "error"


class Plate(StrEnum):
    """What people have said about the plate: held until somebody says it is empty."""

    HELD = "held"
    CLEAR = "clear"


class Service(StrEnum):
    """Whether the place uses the machine."""

    IN_SERVICE = "in_service"
    OUT_OF_SERVICE = "out_of_service"
    RETIRED = "retired"


OPERATION_LABELS = {
    Operation.UNSEEN: N_("Not seen yet"),
    Operation.OFFLINE: N_("Offline"),
    Operation.READY: N_("Ready"),
    Operation.BUSY: N_("Printing"),
    Operation.PAUSED: N_("Paused"),
    Operation.ERROR: N_("Error"),
}


class Machine(Base):
    """A printer: how to reach it, its profile, what it reports, and whether its plate is known to be empty.

    An `attended` one prints only while somebody is there; those on one electrical `circuit` do not all heat at once.
    `snapshot` is the address of its camera's picture that somebody entered, `found_snapshot` the one its server names.
    """

    __tablename__ = "machine"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    driver: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(500))
    key_sealed: Mapped[str | None] = mapped_column(Text)
    profile: Mapped[str] = mapped_column(String(60))

    operation: Mapped[Operation] = mapped_column(String(20), default=Operation.UNSEEN)
    operation_note: Mapped[Sentence | None]
    seen_at: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]
    foreign_file: Mapped[str | None] = mapped_column(String(500))
    progress: Mapped[float | None]
    time_left_s: Mapped[float | None]

    plate: Mapped[Plate] = mapped_column(String(10), default=Plate.HELD)
    service: Mapped[Service] = mapped_column(String(20), default=Service.IN_SERVICE)
    service_reason: Mapped[str | None] = mapped_column(String(300))

    circuit: Mapped[str] = mapped_column(String(40), default="", server_default="")
    attended: Mapped[bool] = mapped_column(default=False, server_default=false())
    snapshot: Mapped[str] = mapped_column(String(500), default="", server_default="")
    found_snapshot: Mapped[str] = mapped_column(String(500), default="", server_default="")

    lease_token: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]

    @property
    def draws_itself(self) -> bool:
        """Whether its camera is a drawing: a simulated printer is nowhere to be photographed."""
        return self.driver == "simulated"

    @property
    def has_camera(self) -> bool:
        """Whether there is a picture of it."""
        return self.draws_itself or bool(self.picture_address)

    @property
    def picture_address(self) -> str:
        """Where its camera's picture is: what somebody entered goes first."""
        return self.snapshot or self.found_snapshot


class HouseRules(Base):
    """What holds for all machines of the place since `set_at`: the newest row counts, and none is ever changed.

    Texts are as people wrote them, see `hours`.
    """

    __tablename__ = "house_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    opening_hours: Mapped[str] = mapped_column(Text, default="")
    quiet_hours: Mapped[str] = mapped_column(String(40), default="")
    heating_at_once: Mapped[int] = mapped_column(default=0)
    heating_minutes: Mapped[int] = mapped_column(default=5)
    set_at: Mapped[datetime | None] = mapped_column(default=utcnow)
    set_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    set_by: Mapped[Person | None] = relationship(lazy="joined")


class MachineEvent(Base):
    """What was decided or noticed about a machine, by whom and when. Only grows."""

    __tablename__ = "machine_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    machine_id: Mapped[int] = mapped_column(ForeignKey("machine.id"), index=True)
    at: Mapped[datetime] = mapped_column(default=utcnow)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(40))
    details: Mapped[dict[str, Any] | None]


class HandOverNote(Base):
    """What a volunteer leaves for the next one. Only grows: the newest is on the board, an empty one clears it.

    `replaces` is the note its writer had before them, 0 for none: no two people can replace the same one.
    """

    __tablename__ = "hand_over_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    replaces: Mapped[int] = mapped_column(unique=True)
    text: Mapped[str] = mapped_column(Text)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(default=utcnow)
