"""Asking for a refund or a free reprint, and answering: one request, one click, and nothing is ever done twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.accounts.permissions import Permission
from fablab.billing import failures
from fablab.errors import Conflict, Invalid
from fablab.notices import services as notices
from fablab.notices.kinds import Kind
from fablab.notices.services import News
from fablab.orders import services as orders
from fablab.orders.holding import hold
from fablab.orders.models import Order
from fablab.refunds import giving, queries
from fablab.refunds.models import Answer, Complaint, Wish
from fablab.words import Euros, Sentence, say

LONGEST_TEXT = 1000

KINDS = {Answer.REFUND: Kind.REFUNDED, Answer.REPRINT: Kind.REPRINTED, Answer.REFUSE: Kind.REFUND_REFUSED}


@dataclass(frozen=True)
class Decision:
    """What is decided: how much is given back, how many of which part are printed again, or why not."""

    answer: Answer
    refund_cents: int = 0
    copies: int = 0
    line_id: int | None = None
    reason: str = ""


def ask(session: Session, order: Order, wish: Wish, what: str, by: Person, now: datetime) -> Complaint:
    """Ask for a refund or a reprint of an order that has started. Asked again before the answer, it is one request.

    Raises `Invalid` naming the field, or `Conflict` when the order has not started or has come to nothing.
    """
    hold(session, order)
    found = queries.waiting(session, order.id)
    if found is not None:
        return found
    if orders.can_be_cancelled(session, order):
        raise Conflict(say("This print has not started: cancel the order, and all that is reserved is given back."))
    if not queries.has_started(session, order):
        raise Conflict(say("There is nothing to give back or to print again for this order."))
    text = _text(what, say("Please say what went wrong, in at most {most} signs.", most=LONGEST_TEXT), "what")
    made = Complaint(order_id=order.id, asked_by_id=by.id, asked_at=now, wish=wish, what=text)
    session.add(made)
    session.flush()
    orders.write(session, order, "complaint_asked", by.id, {"complaint": made.id, "wish": wish.value})
    session.refresh(made)
    return made


def decide(session: Session, complaint: Complaint, decision: Decision, by: Person, now: datetime) -> Complaint:
    """Answer a request. The same answer twice is one answer. Raises `Invalid` naming the field, or `Conflict`."""
    session.execute(select(Complaint.id).where(Complaint.id == complaint.id).with_for_update(key_share=True))
    session.refresh(complaint)
    if complaint.decided_at is not None:
        if complaint.answer == decision.answer:
            return complaint
        raise Conflict(say("Somebody has answered this request already."))
    if complaint.asked_by_id == by.id and not by.may(Permission.KEEP_BOOKS):
        raise Conflict(say("This is your own request: somebody else has to answer it."))
    hold(session, complaint.order)
    complaint.reason = _reason(decision)
    if decision.answer == Answer.REFUND:
        complaint.credit_note_id = giving.give_back(session, complaint, decision.refund_cents, by, now)
        complaint.refund_cents = decision.refund_cents
    elif decision.answer == Answer.REPRINT:
        complaint.reprint_id = giving.print_again(session, complaint.order, decision.line_id, decision.copies, by).id
    if decision.answer != Answer.REFUSE:
        failures.forgive(session, complaint.order, by.id, now)
    complaint.answer, complaint.decided_at, complaint.decided_by_id = decision.answer, now, by.id
    session.flush()
    session.refresh(complaint)
    details = {"complaint": complaint.id, "answer": decision.answer.value, "cents": complaint.refund_cents}
    orders.write(session, complaint.order, "complaint_answered", by.id, details)
    _tell(session, complaint)
    return complaint


def _reason(decision: Decision) -> str:
    if decision.answer != Answer.REFUSE and not decision.reason.strip():
        return ""
    wrong = say("Please say why, in at most {most} signs: the person reads it.", most=LONGEST_TEXT)
    return _text(decision.reason, wrong, "reason")


def _text(text: str, wrong: Sentence, field: str) -> str:
    kept = "\n".join(" ".join(line.split()) for line in text.strip().splitlines())
    if not 1 <= len(kept) <= LONGEST_TEXT:
        raise Invalid(wrong, field=field)
    return kept


def _tell(session: Session, complaint: Complaint) -> None:
    order, reprint = complaint.order, complaint.reprint
    path = f"/orders/{(reprint or order).public_id}"
    params = {"file": order.title, "amount": Euros(complaint.refund_cents), "reason": complaint.reason}
    kind = KINDS[Answer(complaint.answer or "")]
    notices.tell(session, order.person, News(kind, f"complaint-{complaint.id}", path, params))
