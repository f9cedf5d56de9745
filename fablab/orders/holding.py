"""Holding an order: whoever decides about it does so alone, and sees it as the one before left it.

Locks are always taken in this order: the order, its plates, the chain of documents, then the wallet or the budget. They
are taken so that rows which only refer to a held one (a document to its order) can be written meanwhile.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.jobs.models import Job
from fablab.orders.models import Order


def hold(session: Session, order: Order) -> None:
    """Let nobody else decide about an order until the end of this transaction; it and its plates are read again."""
    session.execute(select(Order.id).where(Order.id == order.id).with_for_update(key_share=True))
    session.refresh(order)
    session.scalars(select(Job).where(Job.order_id == order.id).execution_options(populate_existing=True)).all()
