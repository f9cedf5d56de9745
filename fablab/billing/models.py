"""Tables of tariffs, of who sells (its identity, VAT regime and legal mentions, by date), and of the ledger."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fablab.db import Base, utcnow
from fablab.words import N_, Sentence


class Group(StrEnum):
    """Whom a tariff is for."""

    MEMBER = "member"
    OUTSIDE = "outside"
    PARTNER = "partner"
    COMPANY = "company"


GROUP_LABELS: dict[Group, str] = {
    Group.MEMBER: N_("Members"),
    Group.OUTSIDE: N_("People from outside"),
    Group.PARTNER: N_("Members of a partner place"),
    Group.COMPANY: N_("Companies"),
}


class TariffGroup(Base):
    """The group whose prices a person pays, from a date on. Never changed: a new row takes over."""

    __tablename__ = "tariff_group"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    tariff_group: Mapped[Group] = mapped_column(String(20))
    valid_from: Mapped[date]
    at: Mapped[datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class TariffVersion(Base):
    """A tariff of a group from a date on. It is never changed: a new one takes over from its own date."""

    __tablename__ = "tariff"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    valid_from: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    setup_cents: Mapped[int]
    per_hour_cents: Mapped[int]
    minimum_cents: Mapped[int]
    rates: Mapped[dict[str, Any]]
    tariff_group: Mapped[Group] = mapped_column(String(20), default=Group.MEMBER, server_default="member")
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class SellerIdentity(Base):
    """Who sells, from a date on. Never changed: a new row takes over, and documents keep copies."""

    __tablename__ = "seller_identity"

    id: Mapped[int] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(160))
    legal_form: Mapped[str] = mapped_column(String(120))
    street: Mapped[str] = mapped_column(String(200))
    postcode: Mapped[str] = mapped_column(String(12))
    city: Mapped[str] = mapped_column(String(80))
    siren: Mapped[str] = mapped_column(String(9))
    siret: Mapped[str] = mapped_column(String(14))
    rna: Mapped[str] = mapped_column(String(10))
    register: Mapped[str] = mapped_column(String(80))
    vat_number: Mapped[str] = mapped_column(String(20))
    iban: Mapped[str] = mapped_column(String(34))
    email: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class Regime(StrEnum):
    """How a legal body stands to VAT. Only the first ever writes VAT on a document."""

    STANDARD = "standard"
    FRANCHISE = "franchise"
    EXEMPT_261_7 = "exempt_261_7"
    NOT_TAXABLE = "not_taxable"


REGIME_LABELS: dict[Regime, str] = {
    Regime.STANDARD: N_("Subject to VAT"),
    Regime.FRANCHISE: N_("Small business exemption (franchise en base)"),
    Regime.EXEMPT_261_7: N_("Exempt non-profit body (art. 261, 7-1° of the CGI)"),
    Regime.NOT_TAXABLE: N_("Not a taxable person"),
}


class Operation(StrEnum):
    """Whether what is sold is goods or services; it decides when VAT is due."""

    GOODS = "goods"
    SERVICES = "services"


OPERATION_KIND_LABELS: dict[Operation, str] = {
    Operation.GOODS: N_("Goods: printed from the filament of the place"),
    Operation.SERVICES: N_("Services"),
}


class VatRegime(Base):
    """How the seller stands to VAT from a date on. Never changed: a new row takes over."""

    __tablename__ = "vat_regime"
    __table_args__ = (
        CheckConstraint("(regime = 'standard') = (rate_bp > 0)", name="only_standard_has_vat"),
        CheckConstraint("rate_bp >= 0 and rate_bp <= 3000", name="rate_is_possible"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(index=True)
    regime: Mapped[Regime] = mapped_column(String(20))
    rate_bp: Mapped[int]
    operation: Mapped[Operation] = mapped_column(String(10))
    companies_before_vat: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class Prepaid(StrEnum):
    """When VAT is due on money that is put into a wallet."""

    WITHOUT_VAT = "without_vat"
    SINGLE_PURPOSE = "single_purpose"
    MULTI_PURPOSE = "multi_purpose"


PREPAID_LABELS: dict[Prepaid, str] = {
    Prepaid.WITHOUT_VAT: N_("No VAT on wallets: only where the place is not subject to VAT"),
    Prepaid.SINGLE_PURPOSE: N_("Single-purpose voucher: VAT at the top-up, with an invoice"),
    Prepaid.MULTI_PURPOSE: N_("Multi-purpose voucher: VAT when the wallet pays"),
}


class WalletRules(Base):
    """What holds for all wallets from a date on. Never changed: a new row takes over."""

    __tablename__ = "wallet_rules"
    __table_args__ = (CheckConstraint("cap_cents >= 0", name="cap_is_possible"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(index=True)
    prepaid: Mapped[Prepaid] = mapped_column(String(20))
    cap_cents: Mapped[int]
    invoice_orders: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class LegalMention(Base):
    """The wording of a legal mention from a date on. Never changed: a new row takes over, documents keep copies."""

    __tablename__ = "legal_mention"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), index=True)
    valid_from: Mapped[date]
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class Account(StrEnum):
    """The accounts of the ledger. Debits are positive, credits negative."""

    CASH = "cash"
    CHEQUE = "cheque"
    CARD = "card"
    BANK = "bank"
    ONLINE = "online"
    WALLET = "wallet"
    RESERVED = "reserved"
    RECEIVABLE = "receivable"
    ADVANCES = "advances"
    SALES = "sales"
    VAT = "vat"
    VAT_PREPAID = "vat_prepaid"
    VAT_WAITING = "vat_waiting"
    CASH_DIFFERENCE = "cash_difference"
    CARD_FEES = "card_fees"
    PROJECT = "project"
    PROJECT_RESERVED = "project_reserved"
    PROJECT_FUNDS = "project_funds"
    AID = "aid"
    AID_FUNDS = "aid_funds"


ACCOUNT_LABELS: dict[Account, str] = {
    Account.CASH: N_("Cash"),
    Account.CHEQUE: N_("Cheque"),
    Account.CARD: N_("Card terminal"),
    Account.BANK: N_("Bank transfer"),
    Account.ONLINE: N_("Card, online"),
    Account.WALLET: N_("Wallets of members"),
    Account.RESERVED: N_("Reserved from wallets"),
    Account.RECEIVABLE: N_("Owed by clients"),
    Account.ADVANCES: N_("Deposits of companies"),
    Account.SALES: N_("Sales"),
    Account.VAT: N_("VAT"),
    Account.VAT_PREPAID: N_("VAT due at top-ups, to be used up"),
    Account.VAT_WAITING: N_("VAT of deposits, due when they are paid"),
    Account.CASH_DIFFERENCE: N_("Cash differences"),
    Account.CARD_FEES: N_("Fees of card payments"),
    Account.PROJECT: N_("Left of the budgets of projects"),
    Account.PROJECT_RESERVED: N_("Reserved from the budgets of projects"),
    Account.PROJECT_FUNDS: N_("Given to projects and not used"),
    Account.AID: N_("Aid paid by the place"),
    Account.AID_FUNDS: N_("Counterpart of the aid"),
}


class EntryKind(StrEnum):
    """Why money moved."""

    TOP_UP = "top_up"
    RESERVATION = "reservation"
    RELEASE = "release"
    CHARGE = "charge"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    REFUND = "refund"
    CASH_COUNT = "cash_count"
    DEPOSIT = "deposit"
    PAYOUT = "payout"
    PROJECT_BUDGET = "project_budget"
    PROJECT_RESERVED = "project_reserved"
    PROJECT_RELEASE = "project_release"
    PROJECT_USE = "project_use"
    AID = "aid"


ENTRY_LABELS: dict[EntryKind, str] = {
    EntryKind.TOP_UP: N_("Top-up"),
    EntryKind.RESERVATION: N_("Reserved for an order"),
    EntryKind.RELEASE: N_("Reservation given back"),
    EntryKind.CHARGE: N_("Paid for prints"),
    EntryKind.INVOICE: N_("Invoice"),
    EntryKind.CREDIT_NOTE: N_("Credit note"),
    EntryKind.PAYMENT: N_("Payment"),
    EntryKind.REFUND: N_("Refund"),
    EntryKind.CASH_COUNT: N_("Cash count"),
    EntryKind.DEPOSIT: N_("Taken to the bank"),
    EntryKind.PAYOUT: N_("Paid out by the payment service"),
    EntryKind.PROJECT_BUDGET: N_("Budget"),
    EntryKind.PROJECT_RESERVED: N_("Reserved for an order"),
    EntryKind.PROJECT_RELEASE: N_("Reservation given back"),
    EntryKind.PROJECT_USE: N_("Used for prints"),
    EntryKind.AID: N_("Paid by the place"),
}


class LedgerEntry(Base):
    """One booking: lines that sum to zero. The key makes the same command, sent twice, one booking. Only grows.

    It belongs to an order (the wallet's side) or to a document (what is owed and how it was paid).
    """

    __tablename__ = "ledger_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[EntryKind] = mapped_column(String(20))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("print_order.id"), index=True)
    document_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"), index=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    text: Mapped[Sentence | None]
    at: Mapped[datetime] = mapped_column(default=utcnow, index=True)

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
