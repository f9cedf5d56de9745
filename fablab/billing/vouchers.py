"""Single-purpose vouchers: money in a wallet whose sale was invoiced with its VAT at the top-up (CGI 256 ter).

Each belongs to the invoice of its top-up. What a wallet pays comes from vouchers first, the oldest one first; what is
used, paid out or given back is noted with its VAT, so no cent of VAT is due twice and the last use takes the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from fablab.billing.models import LedgerEntry
from fablab.db import Base
from fablab.money import half_up, share


class Voucher(Base):
    """Money that was put into a wallet with an invoice. Only grows."""

    __tablename__ = "voucher"
    __table_args__ = (CheckConstraint("cents > 0 and vat_cents >= 0 and vat_cents <= cents", name="is_about_money"),)

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    cents: Mapped[int]
    vat_cents: Mapped[int]


class VoucherUse(Base):
    """What a booking takes of a voucher: a charge, or a credit note; negative when it is given back. Only grows."""

    __tablename__ = "voucher_use"
    __table_args__ = (CheckConstraint("cents <> 0", name="is_about_money"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("voucher.document_id"), index=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entry.id"), index=True)
    cents: Mapped[int]
    vat_cents: Mapped[int]


@dataclass(frozen=True)
class Part:
    """A part of a voucher, with the VAT inside it, in cents."""

    document_id: int
    cents: int
    vat_cents: int


def left(session: Session, person_id: int) -> list[Part]:
    """Return what is left of a person's vouchers, the oldest first."""
    query = select(Voucher).where(Voucher.person_id == person_id).order_by(Voucher.document_id)
    found = [left_of(session, each) for each in session.scalars(query)]
    return [each for each in found if each.cents]


def left_of(session: Session, voucher: Voucher) -> Part:
    """Return what is left of a voucher."""
    sums = select(func.coalesce(func.sum(VoucherUse.cents), 0), func.coalesce(func.sum(VoucherUse.vat_cents), 0))
    used, vat = session.execute(sums.where(VoucherUse.document_id == voucher.document_id)).one()
    return Part(voucher.document_id, voucher.cents - int(used), voucher.vat_cents - int(vat))


def left_cents(session: Session, person_id: int) -> int:
    """Return how much of a wallet is vouchers, in cents."""
    return total(left(session, person_id)).cents


def total(parts: Iterable[Part]) -> Part:
    """Return what parts of vouchers are together."""
    found = list(parts)
    return Part(0, sum(each.cents for each in found), sum(each.vat_cents for each in found))


def taken(parts: Sequence[Part], cents: int) -> list[Part]:
    """Return which parts an amount takes, one after the other, and no more than there is. VAT is rounded half up."""
    found = []
    for each in parts:
        takes = min(each.cents, cents)
        if takes > 0:
            vat = half_up(Decimal(takes * each.vat_cents) / each.cents)
            found.append(Part(each.document_id, takes, vat))
            cents -= takes
    return found


def note(session: Session, entry_id: int, parts: Iterable[Part], *, sign: int = 1) -> None:
    """Write down what a booking takes of vouchers, or with the other sign gives back."""
    for each in parts:
        amounts = {"cents": sign * each.cents, "vat_cents": sign * each.vat_cents}
        session.add(VoucherUse(document_id=each.document_id, entry_id=entry_id, **amounts))
    session.flush()


def of_order(session: Session, order_id: int) -> list[Part]:
    """Return what of an order vouchers paid and nobody gave back, the oldest voucher first."""
    query = select(VoucherUse.document_id, func.sum(VoucherUse.cents), func.sum(VoucherUse.vat_cents))
    query = query.join(LedgerEntry, LedgerEntry.id == VoucherUse.entry_id).where(LedgerEntry.order_id == order_id)
    rows = session.execute(query.group_by(VoucherUse.document_id).order_by(VoucherUse.document_id))
    return [Part(document_id, int(cents), int(vat)) for document_id, cents, vat in rows if cents]


def by_entry(session: Session, since: datetime, until: datetime) -> dict[int, Part]:
    """Return what each booking between two moments takes of vouchers, together; negative when it gives back."""
    query = select(VoucherUse.entry_id, func.sum(VoucherUse.cents), func.sum(VoucherUse.vat_cents))
    query = query.join(LedgerEntry, LedgerEntry.id == VoucherUse.entry_id)
    rows = session.execute(query.where(LedgerEntry.at >= since, LedgerEntry.at < until).group_by(VoucherUse.entry_id))
    return {entry_id: Part(0, int(cents), int(vat)) for entry_id, cents, vat in rows}


def given_back(session: Session, order_id: int, cents: int, charged_cents: int) -> list[Part]:
    """Return which vouchers get something back when so much of what an order was charged goes back to the wallet."""
    used = of_order(session, order_id)
    return taken(used[::-1], share(total(used).cents, cents, charged_cents))
