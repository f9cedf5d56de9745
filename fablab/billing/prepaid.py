"""Prepaid credit: how much a wallet may hold, and when VAT is due on it, both from a date on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.billing import clash, seller
from fablab.billing.models import Account, LedgerLine, Prepaid, Regime, WalletRules
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
    """Return the rules of a day. Until somebody sets some: a cap of 250 €, and with VAT, VAT when a wallet pays."""
    found = next((each for each in all_rules(session) if each.valid_from <= day), None)
    if found is None:
        return RulesData(date(2000, 1, 1), Prepaid.MULTI_PURPOSE if rate_on(session, day) else Prepaid.WITHOUT_VAT)
    return RulesData(found.valid_from, Prepaid(found.prepaid), found.cap_cents)


def vat_within(gross_cents: int, rate_bp: int) -> int:
    """Return the VAT in an amount with VAT."""
    return gross_cents - half_up(Decimal(gross_cents) * 10_000 / (10_000 + rate_bp))


def rate_on(session: Session, day: date) -> int:
    """Return the rate of VAT the seller owes on a day, in hundredths of a per cent; zero when none is owed."""
    found = next((each for each in seller.regimes(session) if each.valid_from <= day), None)
    return found.rate_bp if found is not None and found.regime == Regime.STANDARD else 0


def vat_coming_in(session: Session, cents: int) -> Lines:
    """Return the lines for VAT that is due because money came into a wallet (negative: because it went out again)."""
    day = seller.today(utcnow())
    if rules_on(session, day).prepaid != Prepaid.SINGLE_PURPOSE:
        return []
    vat = vat_within(cents, rate_on(session, day))
    return [(Account.VAT_PREPAID, None, vat), (Account.VAT, None, -vat)] if vat else []


def sale(session: Session, person_id: int, cents: int, held_cents: int) -> Lines:
    """Return the credit lines of a sale that a wallet pays, which held so much before, reservations included.

    VAT that was due at a top-up leaves with its share of the money. Otherwise it is due now, as the regime says.
    """
    day = seller.today(utcnow())
    vat = vat_within(cents, rate_on(session, day))
    prepaid = share(vat_prepaid_cents(session, person_id), cents, held_cents)
    due = max(vat - prepaid, 0) if rules_on(session, day).prepaid == Prepaid.MULTI_PURPOSE else 0
    lines: Lines = [
        (Account.SALES, None, prepaid + due - cents),
        (Account.VAT_PREPAID, None, -prepaid),
        (Account.VAT, None, -due),
    ]
    return [line for line in lines if line[2]]


def vat_prepaid_cents(session: Session, person_id: int) -> int:
    """Return how much of what a person has in the wallet is VAT that was due already, in cents."""
    entries = select(LedgerLine.entry_id).where(LedgerLine.holder_id == person_id)
    total = select(func.sum(LedgerLine.amount_cents)).where(
        LedgerLine.account == Account.VAT_PREPAID, LedgerLine.entry_id.in_(entries)
    )
    return session.scalar(total) or 0
