"""The table of prices that a person of the place has set. It only grows: another price is another row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.models import Person
from fablab.db import Base, utcnow


class HandPrice(Base):
    """A price set by hand for an order as it was then: what was wanted of it and who pays is in `terms`.

    `content` has what each part keeps of the computed price and its share of the whole, the lines that were written,
    and the price as it is explained. `reason` is read by who pays.
    """

    __tablename__ = "hand_price"
    __table_args__ = (CheckConstraint("total_cents > 0", name="is_a_price"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("print_order.id"), index=True)
    terms: Mapped[str] = mapped_column(String(64))
    total_cents: Mapped[int]
    content: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime] = mapped_column(default=utcnow)
    set_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))

    set_by: Mapped[Person] = relationship(lazy="joined")
