"""Tables of tariffs and of the append-only ledger."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.db import Base, utcnow
from fablab.words import N_, Sentence


class TariffVersion(Base):
    """A tariff from a date on. It is never changed: a new one takes over from its own date."""

    __tablename__ = "tariff"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    valid_from: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    setup_cents: Mapped[int]
    per_hour_cents: Mapped[int]
    minimum_cents: Mapped[int]
    rates: Mapped[dict[str, Any]]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class Account(StrEnum):
    """The accounts of the ledger. Debits are positive, credits negative."""

    CASH = "cash"
    WALLET = "wallet"
    RESERVED = "reserved"
    SALES = "sales"


class EntryKind(StrEnum):
    """Why money moved."""

    TOP_UP = "top_up"
    RESERVATION = "reservation"
    RELEASE = "release"
    CHARGE = "charge"


ENTRY_LABELS: dict[EntryKind, str] = {
    EntryKind.TOP_UP: N_("Top-up at the desk"),
    EntryKind.RESERVATION: N_("Reserved for an order"),
    EntryKind.RELEASE: N_("Reservation given back"),
    EntryKind.CHARGE: N_("Paid for good parts"),
}


class LedgerEntry(Base):
    """One booking: lines that sum to zero. The key makes the same command, sent twice, one booking. Only grows."""

    __tablename__ = "ledger_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[EntryKind] = mapped_column(String(20))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("print_order.id"), index=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    text: Mapped[Sentence | None]
    at: Mapped[datetime] = mapped_column(default=utcnow)

    lines: Mapped[list[LedgerLine]] = relationship(lazy="selectin", order_by="LedgerLine.id")


class LedgerLine(Base):
    """An amount on an account, in integer cents; wallets and reservations belong to a person. Only grows."""

    __tablename__ = "ledger_line"
    __table_args__ = (
        CheckConstraint("amount_cents <> 0", name="amount_moves"),
        CheckConstraint("(holder_id is not null) = (account in ('wallet', 'reserved'))", name="holder_of_wallet"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entry.id"), index=True)
    account: Mapped[Account] = mapped_column(String(20))
    holder_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    amount_cents: Mapped[int]
