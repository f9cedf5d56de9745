"""Checking payments: each is booked as noted, on the account of its method, and every booking of one is noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from fablab.billing import seller
from fablab.billing.models import Account, EntryKind, LedgerEntry, LedgerLine
from fablab.invoicing import payments
from fablab.invoicing.models import Payment
from fablab.words import Euros, Sentence, say


@dataclass
class Booked:
    """The booking of a payment: for which document, when, and what it moves of money and of what is owed."""

    document_id: int | None
    at: datetime
    moved: dict[Account, int] = field(default_factory=dict)


def findings(session: Session, numbers: Mapping[int, str]) -> Iterator[Sentence]:
    """Tell what is wrong with payments; `numbers` are those of the documents, by id."""
    booked = _booked(session)
    for payment in session.scalars(select(Payment).order_by(Payment.id)):
        number, amount = numbers.get(payment.document_id, "?"), Euros(payment.amount_cents)
        found = booked.pop(payment.entry_id, None)
        if found is None or (found.document_id, found.moved) != (payment.document_id, payments.moved(payment)):
            yield say("{number}: a payment of {amount} is not booked as it was noted.", number=number, amount=amount)
        elif payment.received_on > seller.today(found.at):
            yield say("{number}: a payment of {amount} was booked before its day.", number=number, amount=amount)
    for entry, found in booked.items():
        number = numbers.get(found.document_id or 0, "?")
        yield say("{number}: booking {entry} of a payment belongs to no payment.", number=number, entry=entry)


def _booked(session: Session) -> dict[int, Booked]:
    """Return the bookings of payments: those about a document, or about what is owed on one."""
    owed = LedgerLine.account == Account.RECEIVABLE
    query = (
        select(
            LedgerEntry.id,
            LedgerEntry.document_id,
            LedgerEntry.at,
            LedgerLine.account,
            func.sum(LedgerLine.amount_cents),
        )
        .join(LedgerLine, LedgerLine.entry_id == LedgerEntry.id)
        .where(LedgerEntry.kind.in_((EntryKind.PAYMENT, EntryKind.REFUND)))
        .where(owed | LedgerLine.account.in_(payments.ACCOUNTS.values()))
        .where(or_(LedgerEntry.document_id.is_not(None), owed))
        .group_by(LedgerEntry.id, LedgerEntry.document_id, LedgerEntry.at, LedgerLine.account)
    )
    booked: dict[int, Booked] = {}
    for entry, document_id, at, account, cents in session.execute(query):
        booked.setdefault(entry, Booked(document_id, at)).moved[Account(account)] = int(cents)
    return booked
