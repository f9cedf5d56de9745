"""What was booked in a period: debits and credits by account, and a digest of every booking."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.billing.models import Account, LedgerEntry, LedgerLine

AT_ONCE = 2_000


@dataclass(frozen=True)
class Total:
    """What was debited to and credited on one account, both positive, in cents."""

    account: Account
    debit_cents: int
    credit_cents: int


Totals = tuple[Total, ...]


@dataclass(frozen=True)
class Booked:
    """The bookings of a period: how many, their totals, and the SHA-256 over all they say."""

    bookings: int
    totals: Totals
    digest: str


def booked_between(session: Session, from_at: datetime, until_at: datetime) -> Booked:
    """Return what was booked from one moment up to, not including, another."""
    columns = (LedgerEntry.id, LedgerEntry.key, LedgerEntry.kind, LedgerEntry.document_id, LedgerEntry.order_id)
    line = (LedgerLine.account, LedgerLine.holder_id, LedgerLine.amount_cents)
    query = (
        select(*columns, LedgerEntry.at, *line)
        .join(LedgerLine, LedgerLine.entry_id == LedgerEntry.id)
        .where(LedgerEntry.at >= from_at, LedgerEntry.at < until_at)
        .order_by(LedgerEntry.id, LedgerLine.id)
        .execution_options(yield_per=AT_ONCE)
    )
    digest, entries = hashlib.sha256(), set()
    moved: list[Total] = []
    for row in session.execute(query):
        entries.add(row.id)
        said = [row.id, row.key, row.kind, row.document_id, row.order_id, row.at.isoformat()]
        said += [row.account, row.holder_id, row.amount_cents]
        digest.update(f"{json.dumps(said)}\n".encode())
        moved.append(Total(Account(row.account), max(row.amount_cents, 0), max(-row.amount_cents, 0)))
    return Booked(len(entries), added(moved), digest.hexdigest())


def added(totals: Iterable[Total]) -> Totals:
    """Return totals summed by account, in the order of the accounts."""
    sums = {account: [0, 0] for account in Account}
    for each in totals:
        sums[Account(each.account)][0] += each.debit_cents
        sums[Account(each.account)][1] += each.credit_cents
    return tuple(Total(account, *both) for account, both in sums.items() if any(both))
