"""A company's statement of account: all that moved what it owes, as the ledger has booked it, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.accounts.models import Company
from fablab.billing import seller
from fablab.billing.models import Account, LedgerEntry, LedgerLine
from fablab.errors import Invalid
from fablab.invoicing import paper
from fablab.invoicing.issuing import named
from fablab.invoicing.models import METHOD_LABELS, Document, Kind, Method, Payment
from fablab.words import Sentence, say


@dataclass(frozen=True)
class Line:
    """Something that moved what is owed: up (an invoice, a repayment) or down (a payment, a credit note)."""

    booked_on: date
    document: Document
    text: Sentence
    reference: str
    amount_cents: int
    balance_cents: int


@dataclass(frozen=True)
class Statement:
    """What a company owed before a period, what changed it, and what it owes at its end."""

    company: Company
    first_on: date
    last_on: date
    opening_cents: int
    lines: tuple[Line, ...]
    closing_cents: int


def of(session: Session, company: Company, first_on: date, last_on: date) -> Statement:
    """Return a company's statement for a period, both days included. Raises `Invalid` naming the field."""
    if last_on < first_on:
        raise Invalid(say("The last day comes before the first one."), field="last_on")
    query = (
        select(LedgerEntry, LedgerLine.amount_cents, Document, Payment)
        .join(LedgerLine, LedgerLine.entry_id == LedgerEntry.id)
        .join(Document, Document.id == LedgerEntry.document_id)
        .outerjoin(Payment, Payment.entry_id == LedgerEntry.id)
        .where(LedgerLine.account == Account.RECEIVABLE, Document.company_id == company.id)
        .order_by(LedgerEntry.at, LedgerEntry.id)
    )
    opening = balance = 0
    lines = []
    for entry, amount, document, payment in session.execute(query):
        day = seller.today(entry.at)
        if day > last_on:
            break
        balance += amount
        if day < first_on:
            opening = balance
            continue
        lines.append(Line(day, document, _text(document, payment), _reference(payment), amount, balance))
    return Statement(company, first_on, last_on, opening, tuple(lines), balance)


def _text(document: Document, payment: Payment | None) -> Sentence:
    if payment is None:
        return named(document)
    method = Sentence(METHOD_LABELS[Method(payment.method)])
    if payment.reverses_id is not None:
        return say("Taken back: payment of {number}, {method}", number=document.number, method=method)
    if payment.amount_cents < 0:
        return say("Paid back for {number}, {method}", number=document.number, method=method)
    return say("Payment of {number}, {method}", number=document.number, method=method)


def _reference(payment: Payment | None) -> str:
    return payment.reference if payment is not None else ""


def html_of(session: Session, statement: Statement, language: str) -> str:
    """Return a statement as a page to be printed. Raises `Conflict` when nobody has said who sells."""
    identity = seller.identity_on(session, statement.last_on)
    facts = {"statement": statement, "seller": identity, "note": Kind.CREDIT_NOTE}
    return paper.written("statement.html", language, facts)
