"""What an order's person is told on its way; `order_moved` is called in the transaction that moved it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from fablab.notices import services as notices
from fablab.notices.kinds import Kind
from fablab.notices.services import News
from fablab.orders.models import Order, OrderState
from fablab.words import Euros

KINDS = {
    OrderState.ACCEPTED: Kind.CONFIRMED,
    OrderState.QUOTED: Kind.NEW_PRICE,
    OrderState.CANCELLED: Kind.CANCELLED,
}


def order_moved(session: Session, order: Order) -> None:
    """Tell the person what became of the order; an order that is confirmed again is told again."""
    kind = KINDS.get(OrderState(order.state))
    if kind is None or order.confirmed_at is None:
        return
    cents = order.proposal_cents if kind == Kind.NEW_PRICE else order.price_cents
    tell(session, order, kind, f"{kind}-{order.id}-{cents}", price=Euros(cents or 0))


def printed_again(session: Session, order: Order, attempt_id: int) -> None:
    """Tell the person that a try failed and is made again."""
    tell(session, order, Kind.PRINTED_AGAIN, f"again-{attempt_id}")


def on_hold(session: Session, order: Order, now: datetime) -> None:
    """Tell the person, once a day, that a volunteer looks at the order before it is printed."""
    tell(session, order, Kind.ON_HOLD, f"hold-{order.id}-{now:%Y%m%d}")


def tell(session: Session, order: Order, kind: Kind, key: str, **params: object) -> None:
    """Tell an order's person something about it."""
    path = f"/orders/{order.public_id}"
    notices.tell(session, order.person, News(kind, key, path, {"file": order.title, **params}))
