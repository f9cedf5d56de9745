"""Questions about requests for refunds and reprints: which wait, and how much may be given back at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.billing import failures, ledger
from fablab.errors import NotFound
from fablab.invoicing import queries as documents
from fablab.invoicing.models import Document, DocumentOrder
from fablab.money import share
from fablab.orders import services as orders
from fablab.orders.models import Order, OrderState
from fablab.refunds.models import Complaint

STARTED = (OrderState.IN_PRODUCTION, OrderState.READY, OrderState.COLLECTED)


@dataclass(frozen=True)
class Refundable:
    """The most that may be given back for an order, and the invoice that a credit note corrects for it, if any."""

    most_cents: int
    invoice: Document | None


def has_started(session: Session, order: Order) -> bool:
    """Tell whether a printer has had a part of the order; before that it is cancelled, and all is given back."""
    if order.state == OrderState.ACCEPTED:
        return not orders.can_be_cancelled(session, order)
    if order.state == OrderState.CANCELLED:
        return bool(failures.of_order(session, order.id))  # perhaps it was not the file
    return order.state in STARTED


def desk(session: Session) -> Sequence[Complaint]:
    """Return the requests that wait for an answer, the oldest first."""
    return session.scalars(select(Complaint).where(Complaint.decided_at.is_(None)).order_by(Complaint.id)).all()


def decided(session: Session, most: int) -> Sequence[Complaint]:
    """Return the requests that were answered last, the newest first."""
    query = select(Complaint).where(Complaint.decided_at.is_not(None))
    return session.scalars(query.order_by(Complaint.decided_at.desc(), Complaint.id.desc()).limit(most)).all()


def of_order(session: Session, order_id: int) -> Sequence[Complaint]:
    """Return the requests about an order, the newest first."""
    query = select(Complaint).where(Complaint.order_id == order_id)
    return session.scalars(query.order_by(Complaint.id.desc())).all()


def waiting(session: Session, order_id: int) -> Complaint | None:
    """Return the request about an order that waits for an answer."""
    query = select(Complaint).where(Complaint.order_id == order_id, Complaint.decided_at.is_(None))
    return session.scalar(query)


def waiting_of(session: Session, person_id: int) -> bool:
    """Tell whether a request about one of a person's orders waits for an answer."""
    query = select(Complaint.id).join(Order, Order.id == Complaint.order_id)
    return (
        session.scalar(query.where(Order.person_id == person_id, Complaint.decided_at.is_(None)).limit(1)) is not None
    )


def of_id(session: Session, public_id: str) -> Complaint:
    """Return a request; raises `NotFound`."""
    found = session.scalar(select(Complaint).where(Complaint.public_id == public_id))
    if found is None:
        raise NotFound
    return found


def refunded_cents(session: Session, order_id: int) -> int:
    """Return what was given back for an order so far, into the wallet and by credit notes."""
    query = select(func.sum(Complaint.refund_cents)).where(Complaint.order_id == order_id)
    return session.scalar(query) or 0


def refundable(session: Session, order: Order) -> Refundable:
    """Return how much may still be given back: never more than was charged, nor than is left of its invoice."""
    invoice, on_it = _invoice_of(session, order.id)
    if order.company_id is None:
        charged = ledger.charged_cents(session, order.id) + ledger.refunded_cents(session, order.id)
    else:
        charged = on_it
    most = charged - refunded_cents(session, order.id)
    if invoice is not None:
        most = min(most, sum(each.gross_cents for each in documents.left_of(session, invoice)))
    return Refundable(max(most, 0), invoice)


def _invoice_of(session: Session, order_id: int) -> tuple[Document | None, int]:
    """Return the newest invoice an order stands on, and how much of it, with VAT, is about the order."""
    amount = func.sum(DocumentOrder.amount_cents)
    invoice_id = func.coalesce(Document.corrects_id, Document.id)
    query = select(invoice_id, amount).join(Document, Document.id == DocumentOrder.document_id)
    query = query.where(DocumentOrder.order_id == order_id).group_by(invoice_id).having(amount > 0)
    rows = session.execute(query.order_by(invoice_id.desc())).all()
    if not rows:
        return None, 0
    invoice = session.get_one(Document, rows[0][0])
    whole = session.scalar(select(func.sum(DocumentOrder.amount_cents)).where(DocumentOrder.document_id == invoice.id))
    return invoice, share(invoice.gross_cents, int(rows[0][1]), int(whole or 1))
