"""The journal of a period as CSV, for spreadsheets in French: semicolons, decimal commas, UTF-8 with a mark."""

from __future__ import annotations

import csv
import io

from sqlalchemy.orm import Session

from fablab.bookkeeping import journal
from fablab.bookkeeping.fec import Exported
from fablab.bookkeeping.periods import Period, name

HEAD = (
    *("journal", "number", "date", "account", "label", "holder"),
    *("document", "document_date", "text", "debit", "credit"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(session: Session, period: Period) -> Exported:
    """Return the journal of a period."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEAD)
    for line in journal.lines(session, period):
        account = (line.account.number, line.account.label, harmless(line.holder_name))
        piece = (line.piece, line.piece_on.isoformat(), harmless(line.text))
        amounts = (_amount(line.debit_cents), _amount(line.credit_cents))
        writer.writerow((line.journal, line.number, line.booked_on.isoformat(), *account, *piece, *amounts))
    written = f"journal-{name(period.span, period.first_on)}.csv"
    return Exported(written, text.getvalue().encode("utf-8-sig"))


def harmless(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _amount(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02d}"
