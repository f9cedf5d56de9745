"""Questions about documents: what is owed, what was credited and paid, and who may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, Subquery, func, or_, select, true, union
from sqlalchemy.orm import Session

from fablab.accounts import companies
from fablab.accounts.models import CompanyMember, Person
from fablab.accounts.permissions import Permission
from fablab.billing import ledger, vouchers
from fablab.billing.models import Account, LedgerEntry, LedgerLine
from fablab.billing.vouchers import Voucher
from fablab.errors import NotFound
from fablab.invoicing import advances
from fablab.invoicing.amounts import RateSum, minus
from fablab.invoicing.content import from_text
from fablab.invoicing.deposit_models import Deposit
from fablab.invoicing.models import Document, DocumentOrder, Kind, Payment
from fablab.words import N_


class Standing(StrEnum):
    """Where an invoice stands. It is computed, never stored."""

    DUE = "due"
    OVERDUE = "overdue"
    PAID = "paid"
    CREDITED = "credited"
    TO_REFUND = "to_refund"


OPEN = (Standing.DUE, Standing.OVERDUE, Standing.TO_REFUND)

STANDING_LABELS: dict[Standing, str] = {
    Standing.DUE: N_("Due"),
    Standing.OVERDUE: N_("Overdue"),
    Standing.PAID: N_("Paid"),
    Standing.CREDITED: N_("Credited in full"),
    Standing.TO_REFUND: N_("To be paid back"),
}


@dataclass(frozen=True)
class Listed:
    """A document on the list; a credit note has no standing of its own."""

    document: Document
    buyer_name: str
    balance_cents: int
    standing: Standing | None


def seen_by(session: Session, person: Person, public_id: str) -> Document:
    """Return a document this person may see: their own, their company's, any for bookkeepers. Raises `NotFound`."""
    found = session.scalar(select(Document).where(Document.public_id == public_id))
    if found is None or not may_see(session, person, found):
        raise NotFound
    return found


def may_see(session: Session, person: Person, document: Document) -> bool:
    """Tell whether a person may see a document."""
    if person.may(Permission.KEEP_BOOKS):
        return True
    if document.company_id is not None:
        return companies.acts_for(session, person, document.company_id)
    return document.person_id == person.id


@dataclass(frozen=True)
class Shown:
    """Which documents to list: those of one year, or the invoices of all years that stand like this."""

    year: int
    standing: Standing | None = None


def listed(session: Session, person: Person, shown: Shown, today: date) -> list[Listed]:
    """Return documents a person may see, newest first."""
    query = select(Document).where(_visible(person)).order_by(Document.position.desc())
    if shown.standing in OPEN:
        query = query.where(Document.id.in_(select(_owed().c.invoice_id)))
    elif shown.standing is None:
        query = query.where(Document.issued_on.between(date(shown.year, 1, 1), date(shown.year, 12, 31)))
    found = _with_standing(session, session.scalars(query).all(), today)
    return [each for each in found if shown.standing in (None, each.standing)]


def years(session: Session, person: Person) -> list[int]:
    """Return the years of the documents a person may see, newest first."""
    days = session.execute(select(Document.issued_on).where(_visible(person)).distinct())
    return sorted({day.year for (day,) in days}, reverse=True)


def owed_cents(session: Session, person: Person, today: date) -> tuple[int, int]:
    """Return what is owed on all invoices a person may see, and how much of it is overdue."""
    owed = _owed()
    query = select(Document.due_on, owed.c.cents).join(owed, owed.c.invoice_id == Document.id)
    rows = session.execute(query.where(_visible(person), owed.c.cents > 0)).all()
    return sum(cents for _, cents in rows), sum(cents for due_on, cents in rows if due_on < today)


def owed_invoices(session: Session) -> dict[int, int]:
    """Return the invoices on which something is owed to us, with how much."""
    owed = _owed()
    rows = session.execute(select(owed.c.invoice_id, owed.c.cents).where(owed.c.cents > 0))
    return {int(invoice_id): int(cents) for invoice_id, cents in rows}


def unsettled_of(session: Session, person_id: int) -> Document | None:
    """Return an invoice of a person's own on which something is owed, to us or by us."""
    own = (Document.person_id == person_id) & Document.company_id.is_(None)
    owed = select(_owed().c.invoice_id)
    return session.scalars(select(Document).where(own, Document.id.in_(owed)).order_by(Document.position)).first()


def _visible(person: Person) -> ColumnElement[bool]:
    if person.may(Permission.KEEP_BOOKS):
        return true()
    theirs = select(CompanyMember.company_id).where(CompanyMember.person_id == person.id)
    own = (Document.person_id == person.id) & Document.company_id.is_(None)
    return or_(own, Document.company_id.in_(theirs))


def _owed() -> Subquery:
    """Return the invoices on which something is owed, to us or by us, with how much."""
    invoice_id = func.coalesce(Document.corrects_id, Document.id)
    cents = func.sum(LedgerLine.amount_cents)
    return (
        select(invoice_id.label("invoice_id"), cents.label("cents"))
        .join(LedgerEntry, LedgerEntry.document_id == Document.id)
        .join(LedgerLine, LedgerLine.entry_id == LedgerEntry.id)
        .where(LedgerLine.account == Account.RECEIVABLE)
        .group_by(invoice_id)
        .having(cents != 0)
        .subquery()
    )


def of_company(session: Session, company_id: int, today: date) -> list[Listed]:
    """Return a company's documents, newest first."""
    query = select(Document).where(Document.company_id == company_id).order_by(Document.position.desc())
    return _with_standing(session, session.scalars(query).all(), today)


def of_order(session: Session, person: Person, order_id: int, today: date) -> list[Listed]:
    """Return the documents an order is on, as far as a person may see them, newest first."""
    on_it = union(
        select(DocumentOrder.document_id).where(DocumentOrder.order_id == order_id),
        select(Deposit.document_id).where(Deposit.order_id == order_id),
    )
    query = select(Document).where(or_(Document.id.in_(on_it), Document.corrects_id.in_(on_it)))
    found = session.scalars(query.order_by(Document.position.desc()))
    return _with_standing(session, [each for each in found if may_see(session, person, each)], today)


def _with_standing(session: Session, documents: Sequence[Document], today: date) -> list[Listed]:
    invoices = [each.id for each in documents if each.kind != Kind.CREDIT_NOTE]
    owing = _owed()
    owed: dict[int, int] = dict(
        session.execute(select(owing.c.invoice_id, owing.c.cents).where(owing.c.invoice_id.in_(invoices))).all()
    )
    credited: dict[int | None, int] = dict(
        session.execute(
            select(Document.corrects_id, func.sum(Document.gross_cents))
            .where(Document.corrects_id.in_(invoices))
            .group_by(Document.corrects_id)
        ).all()
    )
    rows = []
    for each in documents:
        balance = int(owed.get(each.id, 0))
        is_note = each.kind == Kind.CREDIT_NOTE
        standing = None if is_note else _standing(each, balance, credited.get(each.id, 0), today)
        rows.append(Listed(each, from_text(each.payload).buyer.name, balance, standing))
    return rows


def _standing(invoice: Document, balance: int, credited: int, today: date) -> Standing:
    if balance < 0:
        return Standing.TO_REFUND
    if balance > 0:
        return Standing.OVERDUE if invoice.due_on < today else Standing.DUE
    return Standing.CREDITED if credited == invoice.gross_cents else Standing.PAID


def standing(session: Session, invoice: Document, today: date) -> Standing:
    """Return where an invoice stands."""
    return _standing(invoice, balance_cents(session, invoice), credited_cents(session, invoice.id), today)


def balance_cents(session: Session, invoice: Document) -> int:
    """Return what is still owed on an invoice after credit notes and payments; negative: owed to the buyer."""
    ids = [invoice.id, *(each.id for each in credit_notes(session, invoice.id))]
    return ledger.receivable_cents(session, ids)


def credit_notes(session: Session, invoice_id: int) -> Sequence[Document]:
    """Return the credit notes of an invoice, oldest first."""
    return session.scalars(select(Document).where(Document.corrects_id == invoice_id).order_by(Document.position)).all()


def credited_cents(session: Session, invoice_id: int) -> int:
    """Return how much of an invoice was credited."""
    return session.scalar(select(func.sum(Document.gross_cents)).where(Document.corrects_id == invoice_id)) or 0


def left_of(session: Session, invoice: Document) -> tuple[RateSum, ...]:
    """Return what may still be credited of an invoice, by rate; not what was deducted of a deposit or used up."""
    if invoice.kind == Kind.VOUCHER:
        voucher = session.get_one(Voucher, invoice.id)
        left = vouchers.left_of(session, voucher)
        (rate,) = from_text(invoice.payload).rates
        return (RateSum(rate.rate_bp, left.cents - left.vat_cents, left.vat_cents),) if left.cents else ()
    return minus(advances.uncredited(session, invoice), advances.used(session, invoice))


def payments_of(session: Session, invoice_id: int) -> Sequence[Payment]:
    """Return the payments of an invoice, oldest first."""
    return session.scalars(select(Payment).where(Payment.document_id == invoice_id).order_by(Payment.id)).all()


def payment(session: Session, invoice: Document, public_id: str) -> Payment:
    """Return one payment of an invoice; raises `NotFound`."""
    found = session.scalar(select(Payment).where(Payment.document_id == invoice.id, Payment.public_id == public_id))
    if found is None:
        raise NotFound
    return found


def invoiced_cents(session: Session, order_id: int) -> int:
    """Return how much of an order's price stands on invoices."""
    query = select(func.sum(DocumentOrder.amount_cents)).where(DocumentOrder.order_id == order_id)
    return session.scalar(query) or 0
