"""Aid of orders on documents: booked when they are invoiced, taken back as far as they are credited, and checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from fablab.billing import aid
from fablab.billing.models import Account, EntryKind, LedgerEntry, LedgerLine
from fablab.invoicing.models import Document, DocumentOrder
from fablab.money import share
from fablab.orders.models import Order
from fablab.words import Euros, Sentence, say

AT_ONCE = 500


@dataclass(frozen=True)
class Aided:
    """An order that may have aid: who pays it, its price and the aid frozen with it."""

    order_id: int
    company_id: int | None
    project_id: int | None
    price_cents: int | None
    aid_cents: int


def settle_orders(session: Session, invoice: Document, by_id: int | None) -> None:
    """Let the aid of the orders on an invoice follow what is kept of it. The chain must be held."""
    theirs = select(DocumentOrder.order_id).where(DocumentOrder.document_id == invoice.id)
    orders = [each for each in session.scalars(select(Order).where(Order.id.in_(theirs))) if aid.of(each)]
    kept = kept_cents(session, [_of(each) for each in orders])
    for order in orders:
        aid.settle(session, order, kept[order.id], by_id)


def _of(order: Order) -> Aided:
    return Aided(order.id, order.company_id, order.project_id, order.price_cents, aid.of(order))


def kept_cents(session: Session, orders: Sequence[Aided]) -> dict[int, int]:
    """Return what is kept of the prices of orders: invoiced, used or charged, less what was credited or given back."""
    ids = [each.order_id for each in orders]
    invoiced, left = _on_documents(session, ids)
    charged = _moved(session, ids, (EntryKind.CHARGE, EntryKind.REFUND), but=(Account.WALLET, Account.RESERVED))
    used = _moved(session, ids, (EntryKind.PROJECT_USE,), but=(Account.PROJECT_RESERVED,))

    def kept(each: Aided) -> int:
        if each.company_id is not None:
            return left[each.order_id]
        if each.project_id is not None:
            return used[each.order_id]
        return charged[each.order_id] - invoiced[each.order_id] + left[each.order_id]

    return {each.order_id: kept(each) for each in orders}


def _on_documents(session: Session, ids: Sequence[int]) -> tuple[Counter[int], Counter[int]]:
    """Return how much of the prices of orders stands on invoices, and how much of that was not credited."""
    amount, invoice_id = func.sum(DocumentOrder.amount_cents), func.coalesce(Document.corrects_id, Document.id)
    query = select(DocumentOrder.order_id, invoice_id, amount).join(Document, Document.id == DocumentOrder.document_id)
    rows = session.execute(
        query.where(DocumentOrder.order_id.in_(ids)).group_by(DocumentOrder.order_id, invoice_id)
    ).all()
    invoices = {int(row[1]) for row in rows}
    gross = dict(session.execute(select(Document.id, Document.gross_cents).where(Document.id.in_(invoices))).all())
    notes = select(Document.corrects_id, func.sum(Document.gross_cents)).where(Document.corrects_id.in_(invoices))
    credited = _counted(session, notes.group_by(Document.corrects_id))
    invoiced, left = Counter[int](), Counter[int]()
    for order_id, number, cents in rows:
        invoiced[order_id] += int(cents)
        left[order_id] += share(int(cents), gross[number] - credited[number], gross[number])
    return invoiced, left


def _moved(session: Session, ids: Sequence[int], kinds: Sequence[EntryKind], *, but: Sequence[Account]) -> Counter[int]:
    """Return what bookings of some kinds credited on other accounts than these, by order."""
    query = (
        select(LedgerEntry.order_id, func.sum(-LedgerLine.amount_cents))
        .join(LedgerLine, LedgerLine.entry_id == LedgerEntry.id)
        .where(LedgerEntry.order_id.in_(ids), LedgerEntry.kind.in_(kinds), LedgerLine.account.not_in(but))
        .group_by(LedgerEntry.order_id)
    )
    return _counted(session, query)


def _counted(session: Session, query: Select[int | None, int]) -> Counter[int]:
    return Counter({int(number or 0): int(cents) for number, cents in session.execute(query)})


def findings(session: Session) -> Iterator[Sentence]:
    """Check that the aid that is booked is that of what was charged, used or invoiced and kept."""
    total = select(LedgerEntry.order_id, func.sum(LedgerLine.amount_cents)).join(LedgerLine)
    total = total.where(LedgerLine.account == Account.AID).group_by(LedgerEntry.order_id)
    booked = _counted(session, total)
    frozen = Order.price["aid_cents"].as_integer()
    query = select(Order.id, Order.company_id, Order.project_id, Order.price_cents, frozen).where(frozen > 0)
    for rows in session.execute(query.order_by(Order.id)).partitions(AT_ONCE):
        orders = [Aided(*row) for row in rows]
        kept = kept_cents(session, orders)
        for each in orders:
            due = aid.due_cents(each.aid_cents, each.price_cents, kept[each.order_id])
            yield from _is(each.order_id, booked.pop(each.order_id, 0), due)
    for order_id, cents in booked.items():
        yield from _is(order_id, cents, 0)


def _is(order_id: int, booked: int, due: int) -> Iterator[Sentence]:
    if booked != due:
        yield say(
            "Order {order}: {booked} of aid are booked, and {due} belong to what was paid.",
            order=order_id,
            booked=Euros(booked),
            due=Euros(due),
        )
