"""Tables of model files, orders, their lines and what happened to them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.models import Company, Person
from fablab.accounts.project_models import Project
from fablab.db import Base, new_public_id, utcnow
from fablab.slicing.changes import AS_SENT, Change
from fablab.words import N_, Sentence, say


class OrderState(StrEnum):
    """Where an order stands. Money is not a state: what is due follows from the ledger."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    DECLINED = "declined"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    QUOTED = "quoted"
    IN_PRODUCTION = "in_production"
    READY = "ready"
    COLLECTED = "collected"
    ABANDONED = "abandoned"
    CANCELLED = "cancelled"


O = OrderState  # noqa: E741 - a table of states reads better with one letter

ORDER_NEXT: dict[OrderState, frozenset[OrderState]] = {
    O.DRAFT: frozenset({O.ACCEPTED, O.IN_REVIEW, O.OFFERED, O.CANCELLED}),
    O.IN_REVIEW: frozenset({O.ACCEPTED, O.OFFERED, O.DRAFT, O.CHANGES_REQUESTED, O.DECLINED, O.CANCELLED}),
    O.CHANGES_REQUESTED: frozenset({O.ACCEPTED, O.IN_REVIEW, O.OFFERED, O.CANCELLED}),
    O.DECLINED: frozenset(),
    O.OFFERED: frozenset({O.ACCEPTED, O.DRAFT, O.CANCELLED}),
    O.ACCEPTED: frozenset({O.QUOTED, O.IN_PRODUCTION, O.CANCELLED}),
    O.QUOTED: frozenset({O.ACCEPTED, O.CANCELLED}),
    O.IN_PRODUCTION: frozenset({O.READY, O.CANCELLED}),
    O.READY: frozenset({O.COLLECTED, O.ABANDONED}),
    O.COLLECTED: frozenset(),
    O.ABANDONED: frozenset(),
    O.CANCELLED: frozenset(),
}

EDITABLE = frozenset({O.DRAFT, O.CHANGES_REQUESTED})
"""What its person may still change."""

ORDER_LABELS: dict[OrderState, str] = {
    O.DRAFT: N_("Draft"),
    O.IN_REVIEW: N_("Being looked at"),
    O.CHANGES_REQUESTED: N_("To be changed"),
    O.DECLINED: N_("Declined"),
    O.OFFERED: N_("Quote to be answered"),
    O.ACCEPTED: N_("Confirmed"),
    O.QUOTED: N_("New price to confirm"),
    O.IN_PRODUCTION: N_("Being made"),
    O.READY: N_("Ready to collect"),
    O.COLLECTED: N_("Collected"),
    O.ABANDONED: N_("Not collected"),
    O.CANCELLED: N_("Cancelled"),
}


class ModelFile(Base):
    """A part that can be printed, a binary STL in mm: kept once per content, with what was measured on it."""

    __tablename__ = "model_file"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    report: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Order(Base):
    """What somebody asks for. `price_cents` is the price that was confirmed, `proposal_cents` a new one to confirm.

    With a company it pays on invoice, under the number of its purchase order; `price_before_vat` then says that VAT
    comes on top of the price. With a project its budget pays, otherwise the person from the wallet. `wanted_on` is the
    day they hope for; who pays for an `urgent` order goes ahead of the others. `wants_quote` says that it was sent for
    a quote; `quote_sha256` is the quote that was accepted: its price binds.
    """

    __tablename__ = "print_order"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    state: Mapped[OrderState] = mapped_column(String(20), default=OrderState.DRAFT, index=True)
    price_cents: Mapped[int | None]
    proposal_cents: Mapped[int | None]
    tariff_id: Mapped[int | None] = mapped_column(ForeignKey("tariff.id"))
    price: Mapped[dict[str, Any] | None]
    note: Mapped[Sentence | None]
    company_id: Mapped[int | None] = mapped_column(ForeignKey("company.id"), index=True)
    po_number: Mapped[str | None] = mapped_column(String(50))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    price_before_vat: Mapped[bool] = mapped_column(default=False, server_default=false())
    wanted_on: Mapped[date | None]
    urgent: Mapped[bool] = mapped_column(default=False, server_default=false())
    wants_quote: Mapped[bool] = mapped_column(default=False, server_default=false())
    quote_sha256: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    confirmed_at: Mapped[datetime | None]
    attested_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(lazy="joined")
    company: Mapped[Company | None] = relationship(lazy="joined")
    project: Mapped[Project | None] = relationship(lazy="joined")
    lines: Mapped[list[OrderLine]] = relationship(lazy="selectin", order_by="OrderLine.id")

    @property
    def line(self) -> OrderLine:
        """The first part, which stands for the order in pictures."""
        return self.lines[0]

    @property
    def title(self) -> Sentence:
        """What the order is called: its file, or the first of several."""
        first = self.line.file_name
        if len(self.lines) == 1:
            return say("{file}", file=first)
        return say("{file} and more, {count} parts", file=first, count=len(self.lines))

    @property
    def copies(self) -> int:
        """How many copies of all parts together."""
        return sum(line.quantity for line in self.lines)

    def part(self, line_id: int | None) -> OrderLine | None:
        """Return one of the parts by its id, the first without an id, or None when there is no such part."""
        if line_id is None:
            return self.line
        return next((line for line in self.lines if line.id == line_id), None)


class OrderLine(Base):
    """One model file × quantity × choices, with the estimate the price was made from.

    `price_cents` is what this part has of the confirmed price, with its share of what is paid once per order.
    `source_sha256` is the file that was sent when the part had to be made of it; `change` is what its owner had changed
    and what that did.
    """

    __tablename__ = "order_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("print_order.id"), index=True)
    model_sha256: Mapped[str] = mapped_column(ForeignKey("model_file.sha256"), index=True)
    file_name: Mapped[str] = mapped_column(String(200))
    quantity: Mapped[int] = mapped_column(default=1)
    material_code: Mapped[str | None] = mapped_column(String(30))
    colour_name: Mapped[str | None] = mapped_column(String(40))
    quality: Mapped[str] = mapped_column(String(20), default="normal")
    infill_percent: Mapped[int] = mapped_column(default=20)
    supports: Mapped[bool] = mapped_column(default=False)
    machine_profile: Mapped[str | None] = mapped_column(String(60))
    estimated_mass_g: Mapped[float | None]
    estimated_time_s: Mapped[float | None]
    price_cents: Mapped[int | None]
    source_sha256: Mapped[str | None] = mapped_column(String(64))
    change: Mapped[dict[str, Any] | None]

    model_file: Mapped[ModelFile] = relationship(lazy="joined")

    @property
    def sent_sha256(self) -> str:
        """The file as its owner sent it; `model_sha256` is the part made of it, which is printed."""
        return self.source_sha256 or self.model_sha256

    @property
    def made_change(self) -> Change:
        """What the owner had changed."""
        return Change.from_json(self.change["change"]) if self.change else AS_SENT

    @property
    def done(self) -> list[Sentence]:
        """What the change did, in words."""
        return [Sentence.from_json(each) for each in self.change["done"]] if self.change else []


class OrderEvent(Base):
    """Something that happened to an order. Only grows."""

    __tablename__ = "order_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("print_order.id"), index=True)
    at: Mapped[datetime] = mapped_column(default=utcnow)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(40))
    details: Mapped[dict[str, Any] | None]
