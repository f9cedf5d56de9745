"""The VAT summary and the e-reporting of a period as CSV, in the same manner as the journal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.billing import seller
from fablab.billing.models import EntryKind, LedgerEntry, Operation
from fablab.bookkeeping.fec import Exported
from fablab.bookkeeping.periods import Period, following, midnight, name
from fablab.bookkeeping.sales import by_rate, sales
from fablab.bookkeeping.takings import MONEY
from fablab.invoicing.models import Document

VAT_HEAD = ("rate", "net", "vat", "gross", "vat_is_booked")
REPORT_HEAD = ("what", "date", "operation", "rate", "net", "vat", "gross", "transactions")


def vat_summary(session: Session, period: Period) -> Exported:
    """Return the VAT of a period by rate; the booked rows are the ledger's account of VAT to the cent."""
    found, rows = list(sales(session, period)), []
    for booked in (True, False):
        for each in by_rate(sale for sale in found if sale.booked == booked):
            amounts = (each.net_cents, each.vat_cents, each.net_cents + each.vat_cents)
            rows.append((_amount(each.rate_bp), *map(_amount, amounts), "yes" if booked else "no"))
    return _sheet("vat", period, VAT_HEAD, rows)


def e_reporting(session: Session, period: Period) -> Exported:
    """Return sales to consumers by day, operation and rate, and what consumers paid by day."""
    grouped: dict[tuple[date, Operation, int], list[int]] = {}
    for each in sales(session, period):
        if each.to_consumer:
            sums = grouped.setdefault((each.day, each.operation, each.rate_bp), [0, 0, 0])
            for place, more in enumerate((each.net_cents, each.vat_cents, 1)):
                sums[place] += more
    rows: list[tuple[object, ...]] = []
    for (day, operation, rate), (net, vat, count) in sorted(grouped.items()):
        amounts = (_amount(rate), _amount(net), _amount(vat), _amount(net + vat))
        rows.append(("sales", day.isoformat(), operation.value, *amounts, count))
    paid = sorted(_paid_by_consumers(session, period).items())
    rows += [("payments", day.isoformat(), "", "", "", "", _amount(cents), count) for day, (cents, count) in paid]
    return _sheet("e-reporting", period, REPORT_HEAD, rows)


def _paid_by_consumers(session: Session, period: Period) -> dict[date, tuple[int, int]]:
    companies = select(Document.id).where(Document.company_id.is_not(None))
    query = (
        select(LedgerEntry)
        .where(LedgerEntry.at >= midnight(period.first_on), LedgerEntry.at < midnight(following(period).first_on))
        .where(LedgerEntry.kind.in_((EntryKind.TOP_UP, EntryKind.PAYMENT, EntryKind.REFUND)))
        .where(LedgerEntry.document_id.is_(None) | LedgerEntry.document_id.not_in(companies))
    )
    paid: dict[date, tuple[int, int]] = {}
    for entry in session.scalars(query):
        cents = sum(line.amount_cents for line in entry.lines if line.account in MONEY)
        if cents:
            before, count = paid.get(seller.today(entry.at), (0, 0))
            paid[seller.today(entry.at)] = (before + cents, count + 1)
    return paid


def _sheet(what: str, period: Period, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Exported:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(rows)
    return Exported(f"{what}-{name(period.span, period.first_on)}.csv", text.getvalue().encode("utf-8-sig"))


def _amount(hundredths: int) -> str:
    return f"{'-' if hundredths < 0 else ''}{abs(hundredths) // 100},{abs(hundredths) % 100:02d}"
