"""A thread as pages show it: what was written, where an answer goes, and the note that this side has read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from flask import Response, after_this_request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.orders import threads
from fablab.orders.models import Order
from fablab.orders.thread_models import Message, Thread
from fablab.web.auth import me
from fablab.web.thread_forms import MessageForm


@dataclass(frozen=True)
class Shown:
    """What the template of a thread takes: where it is written to and fetched again, and what was written."""

    address: str
    live: str
    topic: str
    closed: bool = False
    messages: Sequence[Message] = ()
    form: MessageForm = field(default_factory=MessageForm)


def of_order(session: Session, order: Order, form: MessageForm | None = None) -> Shown:
    """Show the thread of an order, and note that it was read."""
    address = url_for("threads.write_about", public_id=order.public_id)
    live = url_for("threads.live_about", public_id=order.public_id)
    thread = threads.of_order(session, order.id)
    messages = _read(session, thread) if thread else ()
    return Shown(address, live, f"order-{order.id}", messages=messages, form=form or MessageForm())


def of_help(session: Session, thread: Thread, form: MessageForm | None = None) -> Shown:
    """Show a request for help, and note that it was read."""
    address = url_for("threads.write", public_id=thread.public_id)
    live = url_for("threads.live", public_id=thread.public_id)
    closed = thread.closed_at is not None
    return Shown(address, live, f"thread-{thread.id}", closed, _read(session, thread), form or MessageForm())


def _read(session: Session, thread: Thread) -> Sequence[Message]:
    if threads.unread(session, me()).get(thread.id):
        person = me()

        @after_this_request
        def mark(response: Response) -> Response:
            with db.transaction() as writing:
                threads.mark_read(writing, writing.get_one(Thread, thread.id), person)
            return response

    return threads.messages_of(session, thread.id)


def unread_of_orders(session: Session) -> dict[int, int]:
    """Return how many unread messages each order has for the signed-in person, by the order's id."""
    return threads.unread_of_orders(session, me())
