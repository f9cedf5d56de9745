"""The journals of a period: every booking with its lines, as the exports write them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.billing import projects as project_budgets
from fablab.billing import receipts, seller
from fablab.billing.models import Account, EntryKind, LedgerEntry
from fablab.bookkeeping.periods import Period, following, midnight
from fablab.bookkeeping.plan import PlanAccount, chart
from fablab.invoicing.content import from_text
from fablab.invoicing.models import Document, Payment
from fablab.languages import Language

BANKS = (Account.CHEQUE, Account.CARD, Account.BANK, Account.ONLINE)
MONEY = {Account.CASH: "CA", **dict.fromkeys(BANKS, "BQ")}
JOURNALS = {"AN": "À-nouveaux", "VE": "Ventes", "BQ": "Banque", "CA": "Caisse", "OD": "Opérations diverses"}
SALES_KINDS = (EntryKind.INVOICE, EntryKind.CREDIT_NOTE)


@dataclass(frozen=True)
class Line:
    """One line of a journal. `holder` is a pseudonym of whose wallet or debt it is, `holder_name` what to show."""

    journal: str
    number: int
    booked_on: date
    account: PlanAccount
    holder: str
    holder_name: str
    piece: str
    piece_on: date
    text: str
    debit_cents: int
    credit_cents: int


def lines(session: Session, period: Period) -> Iterator[Line]:
    """Return the lines of a period, in the order of booking; the number of a booking is its number in the ledger."""
    accounts, words = chart(), Language("fr")
    documents = {each.id: each for each in session.scalars(select(Document))}
    projects = project_budgets.of_entries(session)
    received = dict(session.execute(select(Payment.entry_id, Payment.received_on)).all())
    query = select(LedgerEntry).where(
        LedgerEntry.at >= midnight(period.first_on), LedgerEntry.at < midnight(following(period).first_on)
    )
    for number, entry in enumerate(session.scalars(query.order_by(LedgerEntry.at, LedgerEntry.id)), start=1):
        document = documents.get(entry.document_id or 0)
        booked_on = seller.today(entry.at)
        piece_on = document.issued_on if document and entry.kind in SALES_KINDS else received.get(entry.id, booked_on)
        for line in entry.lines:
            holder, named = _project(Account(line.account), projects.get(entry.id)) or _holder(
                Account(line.account), line.holder_id, document
            )
            yield Line(
                journal=_journal(entry),
                number=number,
                booked_on=booked_on,
                account=accounts[Account(line.account)],
                holder=holder,
                holder_name=named,
                piece=document.number if document else receipts.number_of(entry.id),
                piece_on=piece_on,
                text=words.text(entry.text) if entry.text else "",
                debit_cents=max(line.amount_cents, 0),
                credit_cents=max(-line.amount_cents, 0),
            )


def _journal(entry: LedgerEntry) -> str:
    if entry.kind in SALES_KINDS:
        return "VE"
    return next((MONEY[Account(each.account)] for each in entry.lines if each.account in MONEY), "OD")


def _project(account: Account, project_id: int | None) -> tuple[str, str] | None:
    if project_id is None or account == Account.PROJECT_FUNDS:
        return None
    return f"P{project_id:06d}", f"Projet {project_id}"


def _holder(account: Account, holder_id: int | None, document: Document | None) -> tuple[str, str]:
    """Return whose account it is: members by a pseudonym alone, so that an export names no private person."""
    if holder_id is not None:
        return member(holder_id)
    if account != Account.RECEIVABLE or document is None:
        return "", ""
    if document.company_id is not None:
        return f"C{document.company_id:06d}", from_text(document.payload).buyer.name
    return member(document.person_id or 0)


def member(person_id: int) -> tuple[str, str]:
    """Return the pseudonym of a person and what to show for it."""
    return f"M{person_id:06d}", f"Membre {person_id}"
