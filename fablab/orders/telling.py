"""What an order's person is told on its way; `order_moved` is called in the transaction that moved it."""

from __future__ import annotations

from datetime import datetime
from textwrap import shorten

from sqlalchemy.orm import Session

from fablab.notices import services as notices
from fablab.notices.kinds import Kind
from fablab.notices.services import News
from fablab.orders.models import Order, OrderState
from fablab.orders.review_models import Review, Verdict
from fablab.orders.thread_models import Message, Thread
from fablab.words import Euros, Sentence

KINDS = {
    OrderState.ACCEPTED: Kind.CONFIRMED,
    OrderState.QUOTED: Kind.NEW_PRICE,
    OrderState.CANCELLED: Kind.CANCELLED,
}
VERDICT_KINDS = {
    Verdict.ACCEPT: Kind.ACCEPTED,
    Verdict.CHANGE: Kind.CHANGES,
    Verdict.DECLINE: Kind.DECLINED,
}
LONGEST_EXCERPT = 300


def order_moved(session: Session, order: Order) -> None:
    """Tell the person what became of the order; an order that is confirmed again is told again."""
    kind = KINDS.get(OrderState(order.state))
    if kind is None or order.confirmed_at is None:
        return
    cents = order.proposal_cents if kind == Kind.NEW_PRICE else order.price_cents
    tell(session, order, kind, f"{kind}-{order.id}-{cents}", price=Euros(cents or 0))


def looked_at(session: Session, review: Review) -> None:
    """Tell the person what the desk said of their order, and why.

    An accepted order is told by this instead of by its confirmation; a quote that is written of it tells itself.
    """
    assert review.verdict is not None
    order, kind = review.order, VERDICT_KINDS[Verdict(review.verdict)]
    if kind != Kind.ACCEPTED:
        tell(session, order, kind, f"{kind}-{review.id}", reason=review.reason)
    elif not order.wants_quote:
        key = f"{Kind.CONFIRMED}-{order.id}-{order.price_cents}"
        tell(session, order, kind, key, price=Euros(order.price_cents or 0), reason=review.reason)


def written(session: Session, message: Message, thread: Thread, seen: int) -> None:
    """Tell the member what the place wrote; once, until they have read on from the message they had `seen` last."""
    text = shorten(message.text, LONGEST_EXCERPT, placeholder=" …")
    params = {"name": message.person.first_name, "subject": thread.subject, "text": text}
    news = News(Kind.MESSAGE, f"message-{thread.id}-{seen}", f"/messages/{thread.public_id}", params)
    notices.tell(session, thread.person, news)


def printed_again(session: Session, order: Order, attempt_id: int) -> None:
    """Tell the person that a try failed and is made again."""
    tell(session, order, Kind.PRINTED_AGAIN, f"again-{attempt_id}")


def failed(
    session: Session, order: Order, attempt_id: int, copies: int, amount: Euros | Sentence, *, paid: bool
) -> None:
    """Tell the person that copies failed because of their file, and what was printed of them costs."""
    kind = Kind.FAILED_PAID if paid else Kind.FAILED
    tell(session, order, kind, f"failed-{attempt_id}", copies=copies, amount=amount)


def on_hold(session: Session, order: Order, now: datetime) -> None:
    """Tell the person, once a day, that a volunteer looks at the order before it is printed."""
    tell(session, order, Kind.ON_HOLD, f"hold-{order.id}-{now:%Y%m%d}")


def tell(session: Session, order: Order, kind: Kind, key: str, **params: object) -> None:
    """Tell an order's person something about it."""
    path = f"/orders/{order.public_id}"
    notices.tell(session, order.person, News(kind, key, path, {"file": order.title, **params}))


def price_set(session: Session, review: Review, cents: int) -> None:
    """Tell the person that the place has set a price for their order, which waits for them."""
    key = f"{Kind.HAND_PRICE}-{review.id}"
    tell(session, review.order, Kind.HAND_PRICE, key, price=Euros(cents), reason=review.reason)
