"""Tables of the review desk: the rules that bring an order there, and what was said about it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.models import Person
from fablab.db import Base, utcnow
from fablab.orders.models import Order
from fablab.words import N_, Sentence


class Verdict(StrEnum):
    """What a reviewer says about a request."""

    ACCEPT = "accept"
    CHANGE = "change"
    DECLINE = "decline"
    PRICE = "price"


ANSWERS = (Verdict.ACCEPT, Verdict.CHANGE, Verdict.DECLINE)
"""What is said with one press; a price is written."""

VERDICT_LABELS: dict[Verdict, str] = {
    Verdict.ACCEPT: N_("Accepted"),
    Verdict.CHANGE: N_("Sent back to be changed"),
    Verdict.DECLINE: N_("Declined"),
    Verdict.PRICE: N_("A price was set"),
}


class ReviewRules(Base):
    """Which orders a person of the place looks at first: one row. A limit of 0 catches nothing."""

    __tablename__ = "review_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    size_mm: Mapped[int] = mapped_column(default=200)
    price_cents: Mapped[int] = mapped_column(default=5000)
    warnings: Mapped[bool] = mapped_column(default=True)
    first_order: Mapped[bool] = mapped_column(default=True)
    company: Mapped[bool] = mapped_column(default=False)
    attestation: Mapped[bool] = mapped_column(default=True)


class Review(Base):
    """One time an order lay on the desk: why, and what was said to its person in the end."""

    __tablename__ = "review"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("print_order.id"), index=True)
    asked_at: Mapped[datetime] = mapped_column(default=utcnow)
    why: Mapped[dict[str, Any]]
    verdict: Mapped[Verdict | None] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    order: Mapped[Order] = relationship(lazy="joined")
    decided_by: Mapped[Person | None] = relationship(lazy="joined")

    @property
    def reasons(self) -> list[Sentence]:
        """Why a person of the place looks at it, in words."""
        return [Sentence.from_json(each) for each in self.why["reasons"]]
