"""The VAT summary and the e-reporting of a period as CSV, in the same manner as the journal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.billing import seller
from fablab.billing.models import EntryKind, LedgerEntry, Operation
from fablab.bookkeeping.aided import by_month
from fablab.bookkeeping.fec import Exported
from fablab.bookkeeping.periods import Days, Period, end_of, midnight, name
from fablab.bookkeeping.reporting import Report, What
from fablab.bookkeeping.sales import by_rate, sales
from fablab.bookkeeping.takings import MONEY
from fablab.invoicing.models import Document

VAT_HEAD = ("rate", "net", "vat", "gross", "vat_is_booked")
AID_HEAD = ("month", "group", "orders", "aid")
REPORT_HEAD = ("what", "date", "operation", "rate", "net", "vat", "gross", "transactions")


def vat_summary(session: Session, period: Period) -> Exported:
    """Return the VAT of a period by rate; the booked rows are the ledger's account of VAT to the cent."""
    found, rows = list(sales(session, period)), []
    for booked in (True, False):
        for each in by_rate(sale for sale in found if sale.booked == booked):
            amounts = (each.net_cents, each.vat_cents, each.net_cents + each.vat_cents)
            rows.append((_amount(each.rate_bp), *map(_amount, amounts), "yes" if booked else "no"))
    return _sheet("vat", name(period.span, period.first_on), VAT_HEAD, rows)


def e_reporting(session: Session, period: Period) -> Exported:
    """Return sales to consumers by day, operation and rate, and what consumers paid by day."""
    rows = [*_sold_to_consumers(session, period), *_payment_rows(session, period)]
    return _sheet("e-reporting", name(period.span, period.first_on), REPORT_HEAD, rows)


def of_report(session: Session, report: Report) -> Exported:
    """Return what one report is about, to be handed over."""
    rows: list[Sequence[object]] = []
    if report.what != What.PAYMENTS:
        rows += _sold_to_consumers(session, report)
    if report.what != What.SALES:
        rows += _payment_rows(session, report)
    written = f"{report.first_on.isoformat()}_{report.last_on.isoformat()}"
    return _sheet(f"e-reporting-{report.what}", written, REPORT_HEAD, rows)


def aid(session: Session, period: Period) -> Exported:
    """Return the aid of a period by month and tariff group."""
    rows = [(each.month, each.group.value, each.orders, _amount(each.cents)) for each in by_month(session, period)]
    return _sheet("aid", name(period.span, period.first_on), AID_HEAD, rows)


def _sold_to_consumers(session: Session, days: Days) -> Iterator[Sequence[object]]:
    grouped: dict[tuple[date, Operation, int], list[int]] = {}
    for each in sales(session, days):
        if each.to_consumer:
            sums = grouped.setdefault((each.day, each.operation, each.rate_bp), [0, 0, 0])
            for place, more in enumerate((each.net_cents, each.vat_cents, each.transactions)):
                sums[place] += more
    for (day, operation, rate), (net, vat, count) in sorted(grouped.items()):
        amounts = (_amount(rate), _amount(net), _amount(vat), _amount(net + vat))
        yield ("sales", day.isoformat(), operation.value, *amounts, count)


def _payment_rows(session: Session, days: Days) -> Iterator[Sequence[object]]:
    for day, (cents, count) in sorted(_paid_by_consumers(session, days).items()):
        yield ("payments", day.isoformat(), "", "", "", "", _amount(cents), count)


def _paid_by_consumers(session: Session, days: Days) -> dict[date, tuple[int, int]]:
    companies = select(Document.id).where(Document.company_id.is_not(None))
    query = (
        select(LedgerEntry)
        .where(LedgerEntry.at >= midnight(days.first_on), LedgerEntry.at < end_of(days))
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


def _sheet(what: str, written: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Exported:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(rows)
    return Exported(f"{what}-{written}.csv", text.getvalue().encode("utf-8-sig"))


def _amount(hundredths: int) -> str:
    return f"{'-' if hundredths < 0 else ''}{abs(hundredths) // 100},{abs(hundredths) % 100:02d}"
