"""The tables of prints that failed because of their file, and of those that count no more. They only grow."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from fablab.db import Base


class FailedPrint(Base):
    """A plate that failed because of its file, at prices by which not all such prints are free.

    `copies` of the part could not be printed. Of the plate's `whole_mg` of filament `printed_mg` were used, and `cents`
    are paid for that, unless it was one of the `free` ones.
    """

    __tablename__ = "failed_print"
    __table_args__ = (
        CheckConstraint("copies > 0", name="some_failed"),
        CheckConstraint("cents >= 0", name="never_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempt.id"), unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("print_order.id"), index=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("order_line.id"))
    copies: Mapped[int]
    printed_mg: Mapped[int]
    whole_mg: Mapped[int]
    cents: Mapped[int]
    free: Mapped[bool]
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    @property
    def percent(self) -> int:
        """How much of the plate was printed; what has begun is at least one per cent."""
        return min(-(-self.printed_mg * 100 // self.whole_mg), 100)


class ForgivenFailure(Base):
    """That the place answered for a failed print after all: it counts as none any more."""

    __tablename__ = "forgiven_failure"

    failed_print_id: Mapped[int] = mapped_column(ForeignKey("failed_print.id"), primary_key=True)
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
