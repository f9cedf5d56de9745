"""Prepaid credit: how much a wallet may hold, and when VAT is due on it, both from a date on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.billing import clash, seller, vouchers
from fablab.billing.models import Account, LedgerLine, Prepaid, Regime, VatRegime, WalletRules
from fablab.db import utcnow
from fablab.errors import Invalid
from fablab.money import half_up, share
from fablab.words import Day, say

FIRST_CAP_CENTS = 25_000  # CMF art. L521-3 and L525-5: the usual limit of credit that is spent at its issuer
HIGHEST_CAP_CENTS = 1_000_000

Lines = list[tuple[Account, int | None, int]]


@dataclass(frozen=True)
class RulesData:
    """The rules of wallets, as an administrator enters them; VAT at the sale is right under every VAT regime."""

    valid_from: date
    prepaid: Prepaid = Prepaid.MULTI_PURPOSE
    cap_cents: int = FIRST_CAP_CENTS
    invoice_orders: bool = True


def set_rules(session: Session, data: RulesData, by_id: int | None) -> WalletRules:
    """Let rules hold from their date on. Raises `Invalid` naming the field."""
    if not 0 <= data.cap_cents <= HIGHEST_CAP_CENTS:
        raise Invalid(say("A wallet holds between nothing and 10,000 €."), field="cap")
    if data.valid_from < seller.today(utcnow()):
        raise Invalid(say("Money that moved keeps the rules of its day: take today or later."), field="valid_from")
    row = WalletRules(**asdict(data), created_by_id=by_id)
    day = clash.of_new_rules(row, seller.regimes(session), all_rules(session))
    if day is not None:
        sentence = say("From {day} on the place is subject to VAT: its wallets cannot be without VAT.", day=Day(day))
        raise Invalid(sentence, field="prepaid")
    session.add(row)
    session.flush()
    return row


def all_rules(session: Session) -> Sequence[WalletRules]:
    """Return all rules, the newest date first."""
    return session.scalars(select(WalletRules).order_by(WalletRules.valid_from.desc(), WalletRules.id.desc())).all()


def rules_on(session: Session, day: date) -> RulesData:
    """Return the rules of a day. Until somebody sets some: 250 €, VAT when a wallet pays, an invoice for each order."""
    found = next((each for each in all_rules(session) if each.valid_from <= day), None)
    if found is None:
        return RulesData(date(2000, 1, 1), Prepaid.MULTI_PURPOSE if rate_on(session, day) else Prepaid.WITHOUT_VAT)
    return RulesData(found.valid_from, Prepaid(found.prepaid), found.cap_cents, found.invoice_orders)


def vat_within(gross_cents: int, rate_bp: int) -> int:
    """Return the VAT in an amount with VAT."""
    return gross_cents - half_up(Decimal(gross_cents) * 10_000 / (10_000 + rate_bp))


def rate_on(session: Session, day: date) -> int:
    """Return the rate of VAT the seller owes on a day, in hundredths of a per cent; zero when none is owed."""
    return rate_of(next((each for each in seller.regimes(session) if each.valid_from <= day), None))


def rate_of(regime: VatRegime | None) -> int:
    """Return the rate of VAT the seller owes under a regime, in hundredths of a per cent; zero when none is owed."""
    return regime.rate_bp if regime is not None and regime.regime == Regime.STANDARD else 0


def vat_due_at_top_up(session: Session, day: date) -> bool:
    """Tell whether money that is put into a wallet on a day is a single-purpose voucher: sold, with VAT, at once."""
    return rules_on(session, day).prepaid == Prepaid.SINGLE_PURPOSE and rate_on(session, day) > 0


@dataclass(frozen=True)
class Sold:
    """The credit lines of a sale that a wallet pays, and the parts of vouchers it takes."""

    lines: Lines
    parts: list[vouchers.Part]


def sale(session: Session, person_id: int, cents: int, held_cents: int) -> Sold:
    """Return the sale of so much that a wallet pays, which held so much before, reservations included.

    Vouchers pay first: their VAT was due at the top-up. VAT of the rest is due now, unless it was due at a top-up from
    the time before such top-ups had an invoice; that leaves with its share of the money.
    """
    there = vouchers.left(session, person_id)
    parts = vouchers.taken(there, cents)
    left, paid = vouchers.total(there), vouchers.total(parts)
    rest = cents - paid.cents
    older = share(vat_prepaid_cents(session, person_id) - left.vat_cents, rest, held_cents - left.cents) if rest else 0
    due = _vat_due(session, rest, older)
    lines: Lines = [
        (Account.SALES, None, paid.vat_cents + older + due - cents),
        (Account.VAT_PREPAID, None, -paid.vat_cents - older),
        (Account.VAT, None, -due),
    ]
    return Sold([line for line in lines if line[2]], parts)


def _vat_due(session: Session, cents: int, older_cents: int) -> int:
    """Return the VAT that is due now on what a wallet pays without a voucher."""
    day = seller.today(utcnow())
    rule = rules_on(session, day).prepaid
    if rule == Prepaid.WITHOUT_VAT or (rule == Prepaid.SINGLE_PURPOSE and older_cents):
        return 0
    return max(vat_within(cents, rate_on(session, day)) - older_cents, 0)


def vat_to_pay_out(session: Session, person_id: int, cents: int, held_cents: int) -> int:
    """Return the VAT of older top-ups in so much of a wallet that no voucher is part of."""
    left = vouchers.total(vouchers.left(session, person_id))
    return share(vat_prepaid_cents(session, person_id) - left.vat_cents, cents, held_cents - left.cents)


def vat_prepaid_cents(session: Session, person_id: int) -> int:
    """Return how much of what a person has in the wallet is VAT that was due already, in cents."""
    entries = select(LedgerLine.entry_id).where(LedgerLine.holder_id == person_id)
    total = select(func.sum(LedgerLine.amount_cents)).where(
        LedgerLine.account == Account.VAT_PREPAID, LedgerLine.entry_id.in_(entries)
    )
    return session.scalar(total) or 0
