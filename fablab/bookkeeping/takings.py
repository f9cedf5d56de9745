"""Money that came and went in a period, by how it was paid: read from the ledger, so it equals its accounts."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.billing.models import Account, EntryKind, LedgerEntry, LedgerLine
from fablab.bookkeeping.periods import Period, following, midnight

MONEY = (Account.CASH, Account.CHEQUE, Account.CARD, Account.BANK, Account.ONLINE)


@dataclass(frozen=True)
class Takings:
    """What moved one account of money, in cents: top-ups, payments of invoices, money paid back, and the rest."""

    account: Account
    top_ups_cents: int
    payments_cents: int
    refunds_cents: int
    others_cents: int

    @property
    def total_cents(self) -> int:
        """Return by how much the account moved."""
        return self.top_ups_cents + self.payments_cents + self.refunds_cents + self.others_cents


def takings(session: Session, period: Period) -> list[Takings]:
    """Return what came by each way to pay; by card online only where something did."""
    query = (
        select(LedgerLine.account, LedgerEntry.kind, func.sum(LedgerLine.amount_cents))
        .join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
        .where(LedgerEntry.at >= midnight(period.first_on), LedgerEntry.at < midnight(following(period).first_on))
        .where(LedgerLine.account.in_(MONEY))
        .group_by(LedgerLine.account, LedgerEntry.kind)
    )
    moved = {(Account(account), EntryKind(kind)): int(cents) for account, kind, cents in session.execute(query)}
    used = {account for account, _ in moved} | set(MONEY) - {Account.ONLINE}
    return [_of(account, moved) for account in MONEY if account in used]


def _of(account: Account, moved: dict[tuple[Account, EntryKind], int]) -> Takings:
    of = {kind: moved.get((account, kind), 0) for kind in EntryKind}
    top_ups, payments, refunds = of[EntryKind.TOP_UP], of[EntryKind.PAYMENT], of[EntryKind.REFUND]
    return Takings(account, top_ups, payments, refunds, sum(of.values()) - top_ups - payments - refunds)
