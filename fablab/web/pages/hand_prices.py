"""Prices that a person of the place sets: asked for on a draft, written at the desk, with their sum as it is typed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.billing import by_hand, hand_pricing, payers, seller, urgency
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.invoicing.amounts import vat_of
from fablab.orders import lines, queries, review
from fablab.orders.models import Order, OrderState
from fablab.quotes import issuing
from fablab.web.auth import me, needs
from fablab.web.editing import attested, edited_line, payer_choice, urgent, wanted_now, wanted_on
from fablab.web.forms import saved
from fablab.web.hand_price_forms import OPEN_LINES, HandPriceForm, hand_price_form, in_their_rows, typed, wish_of
from fablab.words import say

blueprint = Blueprint("hand_prices", __name__)


@blueprint.post("/orders/<public_id>/ask-price")
@needs(Permission.ORDER)
def ask(public_id: str) -> Any:
    """Ask the place for the price of a draft that has none."""
    wanted, day = wanted_now(), wanted_on()
    with db.transaction() as session:
        order = queries.owned_by(session, me(), public_id)
        if order.state == OrderState.IN_REVIEW and order.price is None:
            return redirect(url_for("orders.show", public_id=public_id))  # pressed twice
        payers.choose(session, order, payers.as_priced(session, payer_choice(order), order.person), order.person)
        urgency.choose(session, order, urgent=urgent(order))
        lines.want_on(session, order, day, seller.today(utcnow()))
        message = request.form.get("message", "")
        hand_pricing.ask(session, order, {edited_line(order).id: wanted}, message, me(), attested=attested())
    return redirect(url_for("orders.show", public_id=public_id))


@blueprint.get("/review/<public_id>/price")
@needs(Permission.RUN_BOARD)
def show(public_id: str) -> Any:
    """Show the form of a price by hand for what lies on the desk."""
    with db.reading() as session:
        order = _on_the_desk(session, public_id)
        return _page(session, order, hand_price_form(computed=hand_pricing.computed(session, order) is not None))


@blueprint.post("/review/<public_id>/price")
@needs(Permission.RUN_BOARD)
def set_price(public_id: str) -> Any:
    """Set a price by hand, or show what it makes."""
    with db.reading() as session:
        order = queries.seen_by(session, me(), public_id)
        form = hand_price_form(request.form, computed=hand_pricing.computed(session, order) is not None)
        if "show" in request.form:
            return _page(session, _on_the_desk(session, public_id), form)

    def act(session: Session) -> None:
        found = typed(form)
        with in_their_rows(found):
            asked = queries.seen_by(session, me(), public_id)
            hand_pricing.set_price(session, asked, wish_of(form, found), me(), issuing.write)

    if saved(form, act):
        return redirect(url_for("review.show"))
    with db.reading() as session:
        return _page(session, _on_the_desk(session, public_id), form), 422


@blueprint.get("/review/<public_id>/price/sum")
@needs(Permission.RUN_BOARD)
def total(public_id: str) -> Any:
    """Show what the lines in the address make."""
    with db.reading() as session:
        order = _on_the_desk(session, public_id)
        form = hand_price_form(request.args, computed=hand_pricing.computed(session, order) is not None)
        return render_template("review/_sum.html", order=order, **_made(session, order, form))


def _on_the_desk(session: Session, public_id: str) -> Order:
    order = queries.seen_by(session, me(), public_id)
    if order.state != OrderState.IN_REVIEW:
        raise Conflict(say("This is not on the desk any more: please look again."))
    return order


def _page(session: Session, order: Order, form: HandPriceForm) -> str:
    facts: dict[str, Any] = {"order": order, "request_": review.latest(session, order.id), "form": form}
    facts["open_lines"] = OPEN_LINES
    facts["computed"] = hand_pricing.computed(session, order)
    return render_template("review/price.html", **facts, **_made(session, order, form))


def _made(session: Session, order: Order, form: HandPriceForm) -> dict[str, Any]:
    """Return the price the lines make, with VAT where it comes on top, or why they make none."""
    try:
        if form.errors or (form.reason.raw_data is not None and not form.validate()):
            return {"problem": say("Something in the form has to be corrected first.")}
        found = typed(form)
        if not found.lines:
            return {}
        basis = hand_pricing.basis(session, order, added=wish_of(form, found).added)
        _, made = by_hand.made_of(basis, found.lines)
    except Invalid as problem:
        return {"problem": problem.sentence}
    rate_bp = seller.regime_on(session, seller.today(utcnow())).rate_bp if order.price_before_vat else 0
    return {"made": made, "vat_cents": vat_of(made.total_cents, rate_bp)}
