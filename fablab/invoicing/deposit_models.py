"""Tables of deposits: which order a deposit invoice is for, and what invoices deducted of it. They only grow."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from fablab.db import Base


class Deposit(Base):
    """The order a deposit invoice is for."""

    __tablename__ = "deposit"

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("print_order.id"), index=True)


class Deduction(Base):
    """What an invoice deducts of a deposit, at one rate; negative when a credit note lets it be deducted again."""

    __tablename__ = "deduction"
    __table_args__ = (CheckConstraint("net_cents <> 0 or vat_cents <> 0", name="is_about_money"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    deposit_id: Mapped[int] = mapped_column(ForeignKey("deposit.document_id"), index=True)
    rate_bp: Mapped[int]
    net_cents: Mapped[int]
    vat_cents: Mapped[int]
