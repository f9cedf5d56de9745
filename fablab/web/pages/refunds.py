"""Refunds and free reprints: asked on the order's page, answered with one click on the desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.db import utcnow
from fablab.errors import Invalid
from fablab.money import parse_euros
from fablab.orders import queries as orders
from fablab.orders.models import Order
from fablab.refunds import queries, services
from fablab.refunds.models import ANSWER_LABELS, WISH_LABELS, Answer, Complaint, Wish
from fablab.refunds.services import Decision
from fablab.web.auth import me, needs
from fablab.web.forms import saved
from fablab.web.refund_forms import ComplaintForm, DecisionForm, complaint_form
from fablab.web.typed import euros
from fablab.words import say

blueprint = Blueprint("refunds", __name__, url_prefix="/refunds")

MOST_DECIDED = 20


@dataclass(frozen=True)
class OnDesk:
    """A request with what can be given back and the form for it."""

    complaint: Complaint
    most_cents: int
    form: DecisionForm


@dataclass(frozen=True)
class OnOrder:
    """The requests about an order, and the form of a new one if this person may ask."""

    complaints: list[Complaint]
    form: ComplaintForm | None


@blueprint.app_context_processor
def about_orders() -> dict[str, Any]:
    """Let an order's page show its requests."""
    labels = {"wish_labels": WISH_LABELS, "answer_labels": ANSWER_LABELS}
    return {"complaints_about": _about, **labels}


def _about(order: Order) -> OnOrder:
    with db.reading() as session:
        found = list(queries.of_order(session, order.id))
        may_ask = orders.decides(me(), order) and queries.has_started(session, order)
    waits = any(each.decided_at is None for each in found)
    return OnOrder(found, complaint_form() if may_ask and not waits else None)


@blueprint.post("/order/<public_id>")
@needs(Permission.ORDER)
def ask(public_id: str) -> Any:
    """Ask for money back or a free reprint; sent twice it is one request."""
    form = complaint_form(request.form)
    with db.reading() as session:
        order = orders.owned_by(session, me(), public_id)

    def act(session: Session) -> None:
        own = orders.owned_by(session, me(), public_id)
        services.ask(session, own, Wish(form.wish.data), form.what.data, me(), utcnow())

    if saved(form, act):
        return redirect(url_for("orders.show", public_id=public_id, _anchor="complaints"))
    return render_template("refunds/ask.html", order=order, form=form), 422


@blueprint.get("/")
@needs(Permission.RUN_BOARD)
def desk() -> Any:
    """Show the requests that wait, and what was answered last."""
    with db.reading() as session:
        return render_template("refunds/desk.html", **_desk(session))


def _desk(session: Session, public_id: str | None = None, form: DecisionForm | None = None) -> dict[str, Any]:
    rows = []
    for each in queries.desk(session):
        most = queries.refundable(session, each.order).most_cents
        sent = form if form is not None and each.public_id == public_id else None
        rows.append(OnDesk(each, most, sent or _fresh(each, most)))
    return {"rows": rows, "decided": queries.decided(session, MOST_DECIDED)}


def _fresh(complaint: Complaint, most_cents: int) -> DecisionForm:
    copies = complaint.order.line.quantity if len(complaint.order.lines) == 1 else 1
    return DecisionForm(amount=euros(most_cents), copies=copies)


@blueprint.post("/<public_id>")
@needs(Permission.RUN_BOARD)
def decide(public_id: str) -> Any:
    """Give money back, print again, or refuse; pressed twice it is done once."""
    form = DecisionForm(request.form)
    if form.answer.data not in set(Answer):
        raise Invalid(say("A request is answered by a refund, a reprint, or a refusal."))

    def act(session: Session) -> None:
        answer = Answer(form.answer.data)
        cents = parse_euros(form.amount.data or "", "amount") if answer == Answer.REFUND else 0
        decision = Decision(answer, cents, form.copies.data or 0, form.part.data, form.reason.data or "")
        services.decide(session, queries.of_id(session, public_id), decision, me(), utcnow())

    if saved(form, act):
        return redirect(url_for("refunds.desk"))
    with db.reading() as session:
        return render_template("refunds/desk.html", **_desk(session, public_id, form)), 422
