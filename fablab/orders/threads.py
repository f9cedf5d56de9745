"""Threads: messages between a member, or the people of a company, and the volunteers; and asking for help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from fablab import bus
from fablab.accounts import companies
from fablab.accounts.models import CompanyMember, Person
from fablab.accounts.permissions import Permission
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid, NotFound
from fablab.orders import telling
from fablab.orders.holding import hold
from fablab.orders.models import Order, OrderState
from fablab.orders.thread_models import Message, Thread, ThreadSeen
from fablab.words import say

LONGEST_MESSAGE = 2000
LONGEST_SUBJECT = 120
MOST_MESSAGES = 500
MOST_LISTED = 100


@dataclass(frozen=True)
class Talk:
    """A thread as one person sees it."""

    thread: Thread
    unread: int


def seen_by(session: Session, person: Person, public_id: str) -> Thread:
    """Return a thread this person may read: their own, one of their company's orders, or any for volunteers.

    Raises `NotFound` otherwise.
    """
    found = session.scalar(select(Thread).where(Thread.public_id == public_id))
    if found is None or not (person.may(Permission.RUN_BOARD) or _is_of_member(session, person, found)):
        raise NotFound
    return found


def _is_of_member(session: Session, person: Person, thread: Thread) -> bool:
    if thread.person_id == person.id:
        return True
    order = thread.order
    return (
        order is not None and order.state != OrderState.DRAFT and companies.acts_for(session, person, order.company_id)
    )


def of_order(session: Session, order_id: int) -> Thread | None:
    """Return the thread of an order; there is none before the first message."""
    return session.scalar(select(Thread).where(Thread.order_id == order_id))


def open_for(session: Session, order: Order) -> Thread:
    """Return the thread of an order, which has one only, whoever writes first."""
    hold(session, order)
    found = of_order(session, order.id)
    if found is None:
        found = Thread(person_id=order.person_id, order_id=order.id, subject=order.line.file_name)
        session.add(found)
        session.flush()
        session.refresh(found)
    return found


def ask_for_help(session: Session, person: Person, subject: str, text: str) -> Thread:
    """Ask the volunteers about something that is no file yet. Raises `Invalid` naming the field."""
    subject = " ".join(subject.split())
    if not 1 <= len(subject) <= LONGEST_SUBJECT:
        raise Invalid(
            say("Please say in at most {most} letters what it is about.", most=LONGEST_SUBJECT), field="subject"
        )
    thread = Thread(person_id=person.id, subject=subject)
    session.add(thread)
    session.flush()
    session.refresh(thread)
    write(session, thread, person, text)
    return thread


def write(session: Session, thread: Thread, person: Person, text: str) -> Message:
    """Add a message, which its own side has read. Raises `Invalid` for an empty or too long one."""
    text = "".join(sign for sign in text.replace("\r\n", "\n") if sign.isprintable() or sign == "\n").strip()
    if not text:
        raise Invalid(say("Please write something first."), field="text")
    if len(text) > LONGEST_MESSAGE:
        raise Invalid(say("A message has at most {most} signs.", most=LONGEST_MESSAGE), field="text")
    session.execute(select(Thread.id).where(Thread.id == thread.id).with_for_update())
    session.refresh(thread)
    if thread.closed_at is not None:
        raise Conflict(say("This request was closed: please start another one."))
    written = select(func.count(Message.id)).where(Message.thread_id == thread.id)
    if (session.scalar(written) or 0) >= MOST_MESSAGES:
        raise Conflict(say("This conversation is very long: please go on at the desk."))
    from_place = not _is_of_member(session, person, thread)
    message = Message(thread_id=thread.id, person_id=person.id, from_place=from_place, text=text)
    session.add(message)
    session.flush()
    mark_read(session, thread, person)
    _tell(session, thread)
    if from_place:
        seen = session.get(ThreadSeen, (thread.id, False), populate_existing=True)
        telling.written(session, message, thread, seen.message_id if seen else 0)
    return message


def mark_read(session: Session, thread: Thread, person: Person) -> None:
    """Note that this person's side has read everything so far."""
    by_place = not _is_of_member(session, person, thread)
    newest = session.scalar(select(func.max(Message.id)).where(Message.thread_id == thread.id)) or 0
    session.execute(select(Thread.id).where(Thread.id == thread.id).with_for_update())
    session.merge(ThreadSeen(thread_id=thread.id, by_place=by_place, message_id=newest))
    session.flush()


def close(session: Session, thread: Thread) -> None:
    """Close a request for help that does not become an order."""
    if thread.order_id is not None:
        raise Conflict(say("This request has become an order."))
    thread.closed_at = thread.closed_at or utcnow()
    session.flush()
    _tell(session, thread)


def become(session: Session, thread: Thread, order: Order) -> None:
    """Let a request for help become an order, which takes its thread along."""
    session.execute(select(Thread.id).where(Thread.id == thread.id).with_for_update())
    session.refresh(thread)
    if thread.order_id is not None:
        raise Conflict(say("This request has become an order."))
    thread.order_id, thread.closed_at = order.id, None
    session.flush()
    _tell(session, thread)


def _tell(session: Session, thread: Thread) -> None:
    bus.tell(session, f"thread-{thread.id}", "board", "threads")
    if thread.order_id is not None:
        bus.tell(session, f"order-{thread.order_id}")


def messages_of(session: Session, thread_id: int) -> Sequence[Message]:
    """Return what was written, the oldest first."""
    return session.scalars(select(Message).where(Message.thread_id == thread_id).order_by(Message.id)).all()


def unread(session: Session, person: Person) -> dict[int, int]:
    """Return how many messages each thread has that this person's side has not read; threads with none are left out."""
    mine = _of_member(person)
    counts = _unread(session, mine, by_place=False)
    if person.may(Permission.RUN_BOARD):
        counts |= _unread(session, ~mine, by_place=True)
    return counts


def _of_member(person: Person) -> ColumnElement[bool]:
    theirs = select(CompanyMember.company_id).where(CompanyMember.person_id == person.id)
    shared = select(Order.id).where(Order.company_id.in_(theirs), Order.state != OrderState.DRAFT)
    in_company = and_(Thread.order_id.is_not(None), func.coalesce(Thread.order_id, 0).in_(shared))
    return or_(Thread.person_id == person.id, in_company)


def _unread(session: Session, which: ColumnElement[bool], *, by_place: bool) -> dict[int, int]:
    seen = and_(ThreadSeen.thread_id == Thread.id, ThreadSeen.by_place == by_place)
    query = (
        select(Thread.id, func.count(Message.id))
        .join(Message, Message.thread_id == Thread.id)
        .outerjoin(ThreadSeen, seen)
        .where(which, Message.from_place != by_place, Message.id > func.coalesce(ThreadSeen.message_id, 0))
        .group_by(Thread.id)
    )
    return {thread_id: count for thread_id, count in session.execute(query)}  # noqa: C416 - rows


def unread_of_orders(session: Session, person: Person) -> dict[int, int]:
    """Return how many messages each order has that this person's side has not read, by the order's id."""
    counts = unread(session, person)
    query = select(Thread.order_id, Thread.id).where(Thread.id.in_(counts), Thread.order_id.is_not(None))
    return {order_id: counts[thread_id] for order_id, thread_id in session.execute(query) if order_id is not None}


def talks(session: Session, person: Person) -> list[Talk]:
    """Return what this person can read, unread first, then open requests for help, then the newest."""
    counts = unread(session, person)
    query = select(Thread) if person.may(Permission.RUN_BOARD) else select(Thread).where(_of_member(person))
    is_open = and_(Thread.order_id.is_(None), Thread.closed_at.is_(None))
    first = or_(Thread.id.in_(counts), is_open)
    newest = query.order_by(first.desc(), Thread.id.desc()).limit(MOST_LISTED)
    found = [Talk(each, counts.get(each.id, 0)) for each in session.scalars(newest)]
    return sorted(found, key=lambda talk: (not talk.unread, not needs_help(talk.thread), -talk.thread.id))


def needs_help(thread: Thread) -> bool:
    """Tell whether it is a request for help that is still open."""
    return thread.order_id is None and thread.closed_at is None
