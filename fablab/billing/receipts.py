"""Receipts of top-ups: read from the ledger, so that one can be printed again as it was."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.billing import ledger
from fablab.billing.models import Account, EntryKind, LedgerEntry
from fablab.errors import NotFound


@dataclass(frozen=True)
class Receipt:
    """Whose wallet got how much, how it was paid, who took it, and the VAT that was due at once."""

    entry: LedgerEntry
    person: Person
    taken_by: Person | None
    account: Account
    amount_cents: int
    vat_cents: int

    @property
    def number(self) -> str:
        """Return the number of the receipt: the one its booking has in the journals."""
        return number_of(self.entry.id)


def number_of(entry_id: int) -> str:
    """Write the number of a booking that has no document."""
    return f"E{entry_id:06d}"


def of_wallet(session: Session, person_id: int) -> list[LedgerEntry]:
    """Return the top-ups of a wallet, newest first: each has a receipt."""
    return [line.entry for line in ledger.history(session, person_id) if line.entry.kind == EntryKind.TOP_UP]


def of_top_up(session: Session, entry_id: int) -> Receipt:
    """Return the receipt of a top-up. Raises `NotFound` for what is none."""
    entry = session.get(LedgerEntry, entry_id) if entry_id < 2**31 else None
    if entry is None or entry.kind != EntryKind.TOP_UP:
        raise NotFound
    (wallet,) = [line for line in entry.lines if line.account == Account.WALLET]
    money = next(line for line in entry.lines if line.amount_cents == -wallet.amount_cents)
    return Receipt(
        entry=entry,
        person=session.get_one(Person, wallet.holder_id),
        taken_by=session.get(Person, entry.by_id) if entry.by_id else None,
        account=Account(money.account),
        amount_cents=money.amount_cents,
        vat_cents=sum(line.amount_cents for line in entry.lines if line.account == Account.VAT_PREPAID),
    )
