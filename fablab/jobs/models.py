"""Tables of jobs, their slices, their attempts, and everything that happened to them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.db import Base, new_public_id, utcnow
from fablab.filament.models import Spool
from fablab.jobs.scheduling import Mismatch
from fablab.jobs.states import LIVE_ATTEMPTS, AttemptState, JobState, SliceState
from fablab.machines.models import Machine
from fablab.slicing.dialect import Fault
from fablab.words import Sentence

_LIVE = text("state IN (" + ", ".join(f"'{state}'" for state in sorted(LIVE_ATTEMPTS)) + ")")


class Slice(Base):
    """The G-code of some copies of a model file with some settings, made once and reused."""

    __tablename__ = "slice"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    gcode_sha256: Mapped[str] = mapped_column(String(64))
    gcode_sha1: Mapped[str] = mapped_column(String(40))
    time_s: Mapped[float] = mapped_column(Float)
    mass_g: Mapped[float] = mapped_column(Float)
    filament_mm: Mapped[float] = mapped_column(Float)
    layers: Mapped[int]
    curve: Mapped[list[float]]
    slicer_version: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class SliceRequest(Base):
    """A plate that somebody wants sliced: a draft that shows its price, or a job. Its key makes it one slice for all.

    Whoever slices it holds it by `token` until `lease_until`. `fault` says whose matter a failure is. `wanted_at` is
    when somebody last asked, so that what nobody asks for any more can be cleared away.
    """

    __tablename__ = "slice_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    model_sha256: Mapped[str] = mapped_column(String(64))
    machine_profile: Mapped[str] = mapped_column(String(60))
    material_code: Mapped[str] = mapped_column(String(40))
    quality: Mapped[str] = mapped_column(String(20))
    infill_percent: Mapped[int]
    supports: Mapped[bool]
    copies: Mapped[int]

    state: Mapped[SliceState] = mapped_column(String(20), default=SliceState.WAITING, index=True)
    token: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    problem: Mapped[Sentence | None]
    fault: Mapped[Fault | None] = mapped_column(String(10))
    slice_id: Mapped[int | None] = mapped_column(ForeignKey("slice.id"))
    wanted_at: Mapped[datetime] = mapped_column(default=utcnow)
    ended_at: Mapped[datetime | None]

    slice: Mapped[Slice | None] = relationship(lazy="joined")


class SliceWanted(Base):
    """That a draft wants a plate sliced, with the choices it shows now."""

    __tablename__ = "slice_wanted"

    order_id: Mapped[int] = mapped_column(ForeignKey("print_order.id"), primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("slice_request.id"), primary_key=True, index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)


class Job(Base):
    """One build plate to make: copies of one model file with the choices that were confirmed.

    `good_copies` is what sign-offs have accepted so far; what is missing goes on the next plate. `rank` orders the
    queue; a lower one is nearer to the front, where `urgent` ones begin. `only_on_id` is the machine a volunteer chose,
    None for any that fits.
    """

    __tablename__ = "job"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    order_id: Mapped[int] = mapped_column(ForeignKey("print_order.id"), index=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"), index=True)
    requester_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    model_sha256: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(200))
    copies: Mapped[int]
    machine_profile: Mapped[str] = mapped_column(String(60))
    material_code: Mapped[str] = mapped_column(String(30))
    colour_name: Mapped[str | None] = mapped_column(String(40))
    quality: Mapped[str] = mapped_column(String(20))
    infill_percent: Mapped[int]
    supports: Mapped[bool]

    state: Mapped[JobState] = mapped_column(String(30), default=JobState.TO_SLICE, index=True)
    problem: Mapped[Sentence | None]
    problem_detail: Mapped[str | None] = mapped_column(Text)
    held: Mapped[bool] = mapped_column(default=False)
    only_on_id: Mapped[int | None] = mapped_column(ForeignKey("machine.id"))
    rank: Mapped[int] = mapped_column(index=True)
    urgent: Mapped[bool] = mapped_column(default=False, server_default=false())
    free_of_charge: Mapped[bool] = mapped_column(default=False)
    slice_id: Mapped[int | None] = mapped_column(ForeignKey("slice.id"))
    token: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    failed_starts: Mapped[int] = mapped_column(default=0)
    good_copies: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    slice: Mapped[Slice | None] = relationship(lazy="joined")

    @property
    def missing_copies(self) -> int:
        """How many copies must still be made."""
        return self.copies - self.good_copies


class Wish(StrEnum):
    """What a person wants the printer to do with a running attempt; it stands until the printer has done it."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


class Attempt(Base):
    """One try of a job on a printer. Its file name is never used again, so the printer itself can say what happened.

    The partial unique indexes make two live attempts on one printer, or of one job, impossible.
    """

    __tablename__ = "attempt"
    __table_args__ = (
        Index("uq_attempt_live_machine", "machine_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("uq_attempt_live_job", "job_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), index=True)
    machine_id: Mapped[int] = mapped_column(ForeignKey("machine.id"), index=True)
    spool_id: Mapped[int] = mapped_column(ForeignKey("spool.id"))
    slice_id: Mapped[int] = mapped_column(ForeignKey("slice.id"))
    copies: Mapped[int]
    file_name: Mapped[str] = mapped_column(String(80), unique=True)
    state: Mapped[AttemptState] = mapped_column(String(30), default=AttemptState.CLAIMED)
    wish: Mapped[Wish | None] = mapped_column(String(10))
    wish_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    problem: Mapped[Sentence | None]
    progress: Mapped[float | None]
    time_left_s: Mapped[float | None]
    claimed_at: Mapped[datetime] = mapped_column(default=utcnow)
    asked_at: Mapped[datetime | None]
    fenced_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    good_copies: Mapped[int | None]
    reason: Mapped[str | None] = mapped_column(String(40))
    signed_off_at: Mapped[datetime | None]
    signed_off_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    job: Mapped[Job] = relationship(lazy="joined")
    machine: Mapped[Machine] = relationship(lazy="joined")
    spool: Mapped[Spool] = relationship(lazy="joined")
    slice: Mapped[Slice] = relationship(lazy="joined")


class HandPrint(Base):
    """A print that somebody started at the machine or in OctoPrint: seen, never disturbed, filed afterwards.

    `user` is who the printer's server says started it, `for_whom` what the person who files it says.
    """

    __tablename__ = "hand_print"
    __table_args__ = (
        Index(
            "uq_hand_print_running",
            "machine_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    machine_id: Mapped[int] = mapped_column(ForeignKey("machine.id"), index=True)
    spool_id: Mapped[int | None] = mapped_column(ForeignKey("spool.id"))
    file_name: Mapped[str] = mapped_column(String(500))
    user: Mapped[str | None] = mapped_column(String(80))
    progress: Mapped[float | None]
    noticed_at: Mapped[datetime] = mapped_column(default=utcnow)
    ended_at: Mapped[datetime | None]
    for_whom: Mapped[str | None] = mapped_column(String(80))
    used_mg: Mapped[int | None]
    filed_at: Mapped[datetime | None]
    filed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    machine: Mapped[Machine] = relationship(lazy="joined")
    spool: Mapped[Spool | None] = relationship(lazy="joined", foreign_keys=[spool_id])


class SpoolOverride(Base):
    """That a volunteer let a plate start on a spool although something of it does not fit. Only grows.

    It holds until the plate was tried: the next try has to be let pass again.
    """

    __tablename__ = "spool_override"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), index=True)
    spool_id: Mapped[int] = mapped_column(ForeignKey("spool.id"))
    mismatch: Mapped[Mismatch] = mapped_column(String(10))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    sentence: Mapped[Sentence]
    at: Mapped[datetime] = mapped_column(default=utcnow)


class JobEvent(Base):
    """Something that happened to a job or one of its attempts, with what was seen. Only grows."""

    __tablename__ = "job_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), index=True)
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("attempt.id"))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(40))
    details: Mapped[dict[str, Any] | None]
