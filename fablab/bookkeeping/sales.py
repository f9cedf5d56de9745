"""Sales of a period with their VAT, by day and rate, each counted once: from invoices, wallets and vouchers.

A deposit counts as far as its VAT is due, and the invoice that deducts it counts without that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.billing import prepaid, seller, vouchers
from fablab.billing.models import Account, EntryKind, LedgerEntry, LedgerLine, Operation, VatRegime
from fablab.billing.vouchers import Part
from fablab.bookkeeping.periods import Days, end_of, midnight
from fablab.invoicing.content import Content, from_text
from fablab.invoicing.models import Document, Kind
from fablab.money import share

DOCUMENTS = {EntryKind.INVOICE: 1, EntryKind.CREDIT_NOTE: -1}


@dataclass(frozen=True)
class Sale:
    """A sale on a day at one rate, in cents; negative when it is taken back or counted elsewhere.

    `booked`: whether its VAT is in the ledger's account of VAT already. A wallet's sale waits for its invoice
    when there is no VAT on wallets. `transactions` is how many it counts for: an invoice that takes over what a wallet
    has paid is none of its own, so what it takes over counts one less.
    """

    day: date
    rate_bp: int
    net_cents: int
    vat_cents: int
    operation: Operation
    to_consumer: bool
    booked: bool
    transactions: int = 1


@dataclass(frozen=True)
class AtRate:
    """What was sold at one rate, in cents."""

    rate_bp: int
    net_cents: int
    vat_cents: int


def sales(session: Session, days: Days) -> Iterator[Sale]:
    """Return every sale of some days, in the order of booking."""
    query = select(LedgerEntry).where(LedgerEntry.at >= midnight(days.first_on), LedgerEntry.at < end_of(days))
    used = vouchers.by_entry(session, midnight(days.first_on), end_of(days))
    regimes = seller.regimes(session)
    for entry in session.scalars(query.order_by(LedgerEntry.id)):
        document = session.get(Document, entry.document_id) if entry.document_id else None
        content = from_text(document.payload) if document else None
        invoice = session.get(Document, document.corrects_id) if document and document.corrects_id else document
        if invoice is not None and invoice.kind == Kind.DEPOSIT:
            yield from _of_deposit(session, entry, invoice)
        elif entry.kind in DOCUMENTS and document is not None and content is not None:
            yield from _of_document(session, entry, document, content)
        else:
            yield from _of_wallet(regimes, entry, content, used.get(entry.id, vouchers.total(())))


def _of_document(session: Session, entry: LedgerEntry, document: Document, content: Content) -> Iterator[Sale]:
    day, sign = seller.today(entry.at), DOCUMENTS[EntryKind(entry.kind)]
    before = {rate.rate_bp: (0, 0) for rate in content.rates}
    for each in content.deposits:
        query = select(Document).where(Document.structure == document.structure, Document.number == each.number)
        deposit = session.scalars(query).one()
        rate_bp = each.rates[0].rate_bp
        net, vat = before[rate_bp]
        before[rate_bp] = (net + _net_of(deposit, each.vat_cents), vat + each.vat_cents)
    for rate in content.rates:
        net, vat = before[rate.rate_bp]
        both = (sign * (rate.net_cents - net), sign * (rate.vat_cents - vat))
        yield Sale(day, rate.rate_bp, *both, content.operation, not content.buyer.is_company, booked=True)


def _net_of(deposit: Document, due_cents: int) -> int:
    """Return how much of a deposit counts as sold once so much of its VAT is due; without VAT nothing does yet."""
    return share(deposit.net_cents, due_cents, deposit.vat_cents) if deposit.vat_cents else 0


def _of_deposit(session: Session, entry: LedgerEntry, deposit: Document) -> Iterator[Sale]:
    """Return what a payment or a credit note of a deposit sells or takes back: what its VAT says."""
    moved = -sum(each.amount_cents for each in entry.lines if each.account == Account.VAT)
    if not moved:
        return
    ids = select(Document.id).where((Document.id == deposit.id) | (Document.corrects_id == deposit.id))
    total = select(func.sum(LedgerLine.amount_cents)).join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
    total = total.where(LedgerEntry.document_id.in_(ids), LedgerEntry.id <= entry.id)
    due = -(session.scalar(total.where(LedgerLine.account == Account.VAT)) or 0)
    content = from_text(deposit.payload)
    net = _net_of(deposit, due) - _net_of(deposit, due - moved)
    day, rate = seller.today(entry.at), content.rates[0].rate_bp
    yield Sale(day, rate, net, moved, content.operation, not content.buyer.is_company, booked=True)


def _of_wallet(regimes: Sequence[VatRegime], entry: LedgerEntry, content: Content | None, used: Part) -> Iterator[Sale]:
    """Return what a booking of a wallet sells: what the wallet pays, or its return to an invoice.

    What it `used` of vouchers was sold with the invoices of their top-ups.
    """
    moved = {account: -sum(each.amount_cents for each in entry.lines if each.account == account) for account in Account}
    moved[Account.SALES] -= used.cents - used.vat_cents
    moved[Account.VAT_PREPAID] -= used.vat_cents
    day, vat = seller.today(entry.at), moved[Account.VAT]
    regime = next((each for each in regimes if each.valid_from <= day), None)
    rate = content.rates[0].rate_bp if content is not None else prepaid.rate_of(regime)
    if vat:
        with_vat = vat + moved[Account.VAT_PREPAID]
        net = share(moved[Account.SALES], vat, with_vat) if moved[Account.SALES] else moved[Account.WALLET] - vat
        booked = True
    elif moved[Account.SALES] and not moved[Account.VAT_PREPAID]:
        vat = prepaid.vat_within(moved[Account.SALES], rate)
        net, booked = moved[Account.SALES] - vat, vat == 0
    else:
        return
    operation = Operation(regime.operation) if regime is not None else Operation.GOODS
    transactions = -1 if content is not None and net + vat < 0 else 1
    yield Sale(day, rate, net, vat, operation, to_consumer=True, booked=booked, transactions=transactions)


def by_rate(found: Iterable[Sale]) -> list[AtRate]:
    """Return sales summed by rate, the highest first."""
    sums: dict[int, tuple[int, int]] = {}
    for each in found:
        net, vat = sums.get(each.rate_bp, (0, 0))
        sums[each.rate_bp] = (net + each.net_cents, vat + each.vat_cents)
    return [AtRate(rate, *sums[rate]) for rate in sorted(sums, reverse=True)]
