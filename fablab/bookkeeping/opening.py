"""The opening of a year (à-nouveaux): what stood on the accounts of the balance sheet when it began, as one booking.

What was earned and spent in the years before is on no account of the balance sheet: it is the result, on a line of its
own. Accounts of class 8 stand outside the balance sheet and are not opened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.billing.models import Account, LedgerEntry, LedgerLine
from fablab.bookkeeping.journal import Line, member
from fablab.bookkeeping.periods import midnight
from fablab.bookkeeping.plan import LOSS, RESULT, PlanAccount, chart
from fablab.invoicing.content import from_text
from fablab.invoicing.models import Document

JOURNAL, NUMBER = "AN", 1
BALANCE_SHEET, RESULTS = tuple("12345"), tuple("67")
Holder = tuple[str, str]


def lines(session: Session, year: int) -> list[Line]:
    """Return the lines of the opening of a year: none, when nothing stood on any account."""
    accounts, first_on = chart(), date(year, 1, 1)
    balances: Counter[tuple[PlanAccount, Holder]] = Counter()
    result = 0
    for account, holder, cents in _standing(session, first_on):
        if accounts[account].number.startswith(RESULTS):
            result += cents
        elif accounts[account].number.startswith(BALANCE_SHEET):
            balances[accounts[account], holder] += cents
    balances[accounts[LOSS if result > 0 else RESULT], ("", "")] += result
    found = sorted(balances.items(), key=lambda each: (each[0][0].number, each[0][1]))
    return [_line(first_on, account, holder, cents) for (account, holder), cents in found if cents]


def _standing(session: Session, day: date) -> Iterator[tuple[Account, Holder, int]]:
    """Return what stands on each account when a day begins, by whose wallet or debt it is; a credit is negative."""
    total, documents = func.sum(LedgerLine.amount_cents), func.count(Document.id)
    query = (
        select(LedgerLine.account, LedgerLine.holder_id, Document.company_id, Document.person_id, documents, total)
        .join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
        .outerjoin(Document, (Document.id == LedgerEntry.document_id) & (LedgerLine.account == Account.RECEIVABLE))
        .where(LedgerEntry.at < midnight(day))
        .group_by(LedgerLine.account, LedgerLine.holder_id, Document.company_id, Document.person_id)
        .having(total != 0)
    )
    for account, holder_id, company_id, person_id, of_documents, cents in session.execute(query):
        yield Account(account), _holder(session, holder_id, company_id, person_id or 0 if of_documents else None), cents


def _holder(session: Session, holder_id: int | None, company_id: int | None, client_id: int | None) -> Holder:
    """Return whose account it is, by the same pseudonym as in the journals; a company by its newest name."""
    if company_id is not None:
        query = select(Document.payload).where(Document.company_id == company_id).order_by(Document.position.desc())
        return f"C{company_id:06d}", from_text(session.scalars(query.limit(1)).one()).buyer.name
    person_id = holder_id if holder_id is not None else client_id
    return member(person_id) if person_id is not None else ("", "")


def _line(first_on: date, account: PlanAccount, holder: Holder, cents: int) -> Line:
    return Line(
        journal=JOURNAL,
        number=NUMBER,
        booked_on=first_on,
        account=account,
        holder=holder[0],
        holder_name=holder[1],
        piece=f"AN-{first_on.year}",
        piece_on=first_on,
        text=f"À-nouveaux {first_on.year}",
        debit_cents=max(cents, 0),
        credit_cents=max(-cents, 0),
    )
