"""Tables of issued documents and payments. All of them only grow, except the head of the chain and the counters."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.accounts.models import Company, Person
from fablab.db import Base, new_public_id, utcnow
from fablab.words import N_


class Kind(StrEnum):
    """What a paper is. Those of deposits and vouchers are numbered among the invoices; quotes are not in the books."""

    INVOICE = "invoice"
    VOUCHER = "voucher"
    DEPOSIT = "deposit"
    CREDIT_NOTE = "credit_note"
    QUOTE = "quote"


KIND_LABELS: dict[Kind, str] = {
    Kind.INVOICE: N_("Invoice"),
    Kind.VOUCHER: N_("Invoice of a top-up"),
    Kind.DEPOSIT: N_("Deposit invoice"),
    Kind.CREDIT_NOTE: N_("Credit note"),
    Kind.QUOTE: N_("Quote"),
}
SERIES: dict[Kind, str] = {
    Kind.INVOICE: "F",
    Kind.VOUCHER: "F",
    Kind.DEPOSIT: "F",
    Kind.CREDIT_NOTE: "A",
    Kind.QUOTE: "D",
}


class Chain(Base):
    """The one row that every issuing transaction locks first: how long the chain is and how it ends.

    It makes issuing one at a time, so numbers need no other lock, and it shows documents missing from the end.
    """

    __tablename__ = "document_chain"

    id: Mapped[int] = mapped_column(primary_key=True)
    length: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    issued_on: Mapped[date | None]


class Counter(Base):
    """The last number of a series, for one legal body in one year."""

    __tablename__ = "document_counter"

    structure: Mapped[str] = mapped_column(String(160), primary_key=True)
    series: Mapped[str] = mapped_column(String(4), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class Document(Base):
    """An issued invoice of a sale, a voucher or a deposit, or a credit note.

    `payload` is all it says, exactly as it was hashed; the columns repeat parts.
    Amounts of credit notes are positive, as they are printed.
    """

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("structure", "number"),
        CheckConstraint("(kind = 'credit_note') = (corrects_id is not null)", name="credit_corrects"),
        CheckConstraint("regime = 'standard' or vat_cents = 0", name="vat_only_with_vat"),
        CheckConstraint("net_cents + vat_cents = gross_cents and net_cents >= 0 and vat_cents >= 0", name="adds_up"),
        CheckConstraint("gross_cents > 0", name="is_about_money"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    position: Mapped[int] = mapped_column(unique=True)
    structure: Mapped[str] = mapped_column(String(160))
    kind: Mapped[Kind] = mapped_column(String(20))
    number: Mapped[str] = mapped_column(String(35))
    issued_on: Mapped[date] = mapped_column(index=True)
    due_on: Mapped[date]
    company_id: Mapped[int | None] = mapped_column(ForeignKey("company.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"), index=True)
    regime: Mapped[str] = mapped_column(String(20))
    net_cents: Mapped[int]
    vat_cents: Mapped[int]
    gross_cents: Mapped[int]
    payload: Mapped[str] = mapped_column(Text)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(80), unique=True)
    issued_at: Mapped[datetime] = mapped_column(default=utcnow)
    issued_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    company: Mapped[Company | None] = relationship(lazy="joined")
    person: Mapped[Person | None] = relationship(lazy="joined", foreign_keys=[person_id])
    corrects: Mapped[Document | None] = relationship(remote_side="Document.id")


class DocumentOrder(Base):
    """Which part of an order a document invoices, in cents of the order's price; negative when it is given back."""

    __tablename__ = "document_order"

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("print_order.id"), index=True)
    amount_cents: Mapped[int]


class DocumentFile(Base):
    """The PDF of a document as it was first made; the bytes lie in the store of files."""

    __tablename__ = "document_file"

    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(default=utcnow)


class Method(StrEnum):
    """How somebody paid."""

    TRANSFER = "transfer"
    CARD = "card"
    CHEQUE = "cheque"
    CASH = "cash"
    WALLET = "wallet"
    ONLINE = "online"


METHOD_LABELS: dict[Method, str] = {
    Method.TRANSFER: N_("Bank transfer"),
    Method.CARD: N_("Card terminal"),
    Method.CHEQUE: N_("Cheque"),
    Method.CASH: N_("Cash"),
    Method.WALLET: N_("Wallet"),
    Method.ONLINE: N_("Card, online"),
}


class Payment(Base):
    """Money that came for an invoice (negative: that was paid back). A wrong one is taken back by its opposite."""

    __tablename__ = "payment"
    __table_args__ = (CheckConstraint("amount_cents <> 0", name="amount_moves"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(20), unique=True, default=new_public_id)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entry.id"), unique=True)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id"), unique=True)
    method: Mapped[Method] = mapped_column(String(20))
    amount_cents: Mapped[int]
    received_on: Mapped[date]
    reference: Mapped[str] = mapped_column(String(80), default="")
    key: Mapped[str] = mapped_column(String(80), unique=True)
    at: Mapped[datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
