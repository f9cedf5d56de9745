"""Sales of a period with their VAT, by day and rate, each counted once: from invoices, wallets and vouchers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.billing import prepaid, seller
from fablab.billing.models import Account, EntryKind, LedgerEntry, Operation
from fablab.bookkeeping.periods import Period, following, midnight
from fablab.invoicing.content import Content, from_text
from fablab.invoicing.models import Document
from fablab.money import share

DOCUMENTS = {EntryKind.INVOICE: 1, EntryKind.CREDIT_NOTE: -1}


@dataclass(frozen=True)
class Sale:
    """A sale on a day at one rate, in cents; negative when it is taken back or counted elsewhere.

    `booked`: whether its VAT is in the ledger's account of VAT already. A wallet's sale waits for its invoice
    when there is no VAT on wallets.
    """

    day: date
    rate_bp: int
    net_cents: int
    vat_cents: int
    operation: Operation
    to_consumer: bool
    booked: bool


@dataclass(frozen=True)
class AtRate:
    """What was sold at one rate, in cents."""

    rate_bp: int
    net_cents: int
    vat_cents: int


def sales(session: Session, period: Period) -> Iterator[Sale]:
    """Return every sale of a period, in the order of booking."""
    query = select(LedgerEntry).where(
        LedgerEntry.at >= midnight(period.first_on), LedgerEntry.at < midnight(following(period).first_on)
    )
    for entry in session.scalars(query.order_by(LedgerEntry.id)):
        document = session.get(Document, entry.document_id) if entry.document_id else None
        content = from_text(document.payload) if document else None
        if entry.kind in DOCUMENTS and content is not None:
            yield from _of_document(entry, content)
        else:
            yield from _of_wallet(session, entry, content)


def _of_document(entry: LedgerEntry, content: Content) -> Iterator[Sale]:
    day, sign = seller.today(entry.at), DOCUMENTS[EntryKind(entry.kind)]
    for each in content.rates:
        both = (sign * each.net_cents, sign * each.vat_cents)
        yield Sale(day, each.rate_bp, *both, content.operation, not content.buyer.is_company, booked=True)


def _of_wallet(session: Session, entry: LedgerEntry, content: Content | None) -> Iterator[Sale]:
    """Return what a booking of a wallet sells: a voucher, or what the wallet pays, or its return to an invoice."""
    moved = {account: -sum(each.amount_cents for each in entry.lines if each.account == account) for account in Account}
    day, vat = seller.today(entry.at), moved[Account.VAT]
    rate = content.rates[0].rate_bp if content is not None else prepaid.rate_on(session, day)
    if vat:
        with_vat = vat + moved[Account.VAT_PREPAID]
        net = share(moved[Account.SALES], vat, with_vat) if moved[Account.SALES] else moved[Account.WALLET] - vat
        booked = True
    elif moved[Account.SALES] and not moved[Account.VAT_PREPAID]:
        vat = prepaid.vat_within(moved[Account.SALES], rate)
        net, booked = moved[Account.SALES] - vat, rate == 0
    else:
        return
    yield Sale(day, rate, net, vat, _operation(session, day), to_consumer=True, booked=booked)


def _operation(session: Session, day: date) -> Operation:
    found = next((each for each in seller.regimes(session) if each.valid_from <= day), None)
    return Operation(found.operation) if found is not None else Operation.GOODS


def by_rate(found: Iterable[Sale]) -> list[AtRate]:
    """Return sales summed by rate, the highest first."""
    sums: dict[int, tuple[int, int]] = {}
    for each in found:
        net, vat = sums.get(each.rate_bp, (0, 0))
        sums[each.rate_bp] = (net + each.net_cents, vat + each.vat_cents)
    return [AtRate(rate, *sums[rate]) for rate in sorted(sums, reverse=True)]
