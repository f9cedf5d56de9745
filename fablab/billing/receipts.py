"""Receipts of top-ups: read from the ledger, so that one can be printed again as it was."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.billing import ledger
from fablab.billing.models import Account, EntryKind, LedgerEntry
from fablab.errors import NotFound
from fablab.words import Sentence


@dataclass(frozen=True)
class Receipt:
    """Whose wallet got how much, how it was paid, who took it, and the VAT that was due at once.

    `text` says more of how it was paid; what was paid with an invoice says it there.
    """

    entry: LedgerEntry
    person: Person
    taken_by: Person | None
    text: Sentence | None
    account: Account
    amount_cents: int
    vat_cents: int

    @property
    def net_cents(self) -> int:
        """Return the amount before VAT."""
        return self.amount_cents - self.vat_cents

    @property
    def number(self) -> str:
        """Return the number of the receipt: the one its booking has in the journals."""
        return number_of(self.entry.id)


def number_of(entry_id: int) -> str:
    """Write the number of a booking that has no document."""
    return f"E{entry_id:06d}"


def of_wallet(session: Session, person_id: int) -> list[LedgerEntry]:
    """Return the top-ups of a wallet, newest first: each has a receipt."""
    return [line.entry for line in ledger.history(session, person_id) if is_top_up(line.entry)]


def is_top_up(entry: LedgerEntry) -> bool:
    """Tell whether a booking put money into a wallet that somebody paid: alone, or with the invoice of a voucher."""
    with_invoice = entry.kind == EntryKind.INVOICE and any(line.account == Account.WALLET for line in entry.lines)
    return entry.kind == EntryKind.TOP_UP or with_invoice


def of_top_up(session: Session, entry_id: int) -> Receipt:
    """Return the receipt of a top-up. Raises `NotFound` for what is none."""
    entry = session.get(LedgerEntry, entry_id) if entry_id < 2**31 else None
    if entry is None or not is_top_up(entry):
        raise NotFound
    (wallet,) = [line for line in entry.lines if line.account == Account.WALLET]
    paid = entry if entry.document_id is None else _payment_of(session, entry.document_id)
    money = next(line for line in paid.lines if line.amount_cents == -wallet.amount_cents)
    return Receipt(
        entry=entry,
        person=session.get_one(Person, wallet.holder_id),
        taken_by=session.get(Person, entry.by_id) if entry.by_id else None,
        text=paid.text if paid is entry else None,
        account=Account(money.account),
        amount_cents=money.amount_cents,
        vat_cents=sum(line.amount_cents for line in entry.lines if line.account == Account.VAT_PREPAID),
    )


def _payment_of(session: Session, document_id: int) -> LedgerEntry:
    """Return the booking of the money that came with the invoice of a top-up: its first payment."""
    query = select(LedgerEntry).where(LedgerEntry.document_id == document_id, LedgerEntry.kind == EntryKind.PAYMENT)
    return session.scalars(query.order_by(LedgerEntry.id).limit(1)).one()
