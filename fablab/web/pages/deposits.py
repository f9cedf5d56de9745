"""Deposits: the orders of companies one can be asked for, and the deposit invoice shown before it is issued."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.billing import seller
from fablab.db import utcnow
from fablab.errors import Invalid, NotFound
from fablab.invoicing import deposits, issuing
from fablab.invoicing.content import Content
from fablab.invoicing.deposits import Asked
from fablab.invoicing.issuing import Command
from fablab.invoicing.models import Document
from fablab.invoicing.pdfs import pdf_of
from fablab.money import parse_euros
from fablab.orders.models import ORDER_LABELS, Order
from fablab.press import PressMissing
from fablab.web.auth import me, needs
from fablab.web.book_forms import DepositForm
from fablab.web.forms import saved

blueprint = Blueprint("deposits", __name__, url_prefix="/invoices/deposits")

USUAL_PERCENT = 30


@blueprint.get("/")
@needs(Permission.KEEP_BOOKS)
def listed() -> Any:
    """Show the orders of companies that are under way, and the deposits they have."""
    now = utcnow()
    with db.reading() as session:
        can_invoice = seller.can_invoice(session, seller.today(now))
        orders = deposits.under_way(session)
        rooms = {order.id: deposits.room(session, order, now) for order in orders} if can_invoice else {}
        return render_template(
            "invoices/deposits.html", orders=orders, rooms=rooms, can_invoice=can_invoice, labels=ORDER_LABELS
        )


@blueprint.get("/<public_id>")
@needs(Permission.KEEP_BOOKS)
def ask(public_id: str) -> Any:
    """Show the form of a deposit, and with a percentage or an amount in the address the invoice it makes."""
    if "percent" not in request.args:
        return _page(public_id, DepositForm(percent=USUAL_PERCENT, key=secrets.token_hex(12)))
    form, drawn = DepositForm(request.args), None
    if form.validate():
        try:
            with db.reading() as session:
                draft = deposits.draft_of(session, _order(session, public_id), _asked(form), utcnow())
                drawn = issuing.content_of(session, draft, seller.today(utcnow()))
        except Invalid as problem:
            if not form.put(problem):
                raise
    return _page(public_id, form, drawn), 200 if drawn else 422


def _order(session: Session, public_id: str) -> Order:
    found = session.scalar(select(Order).where(Order.public_id == public_id, Order.company_id.is_not(None)))
    if found is None:
        raise NotFound
    return found


def _asked(form: DepositForm) -> Asked:
    typed = (form.amount.data or "").strip()
    return Asked(parse_euros(typed, "amount") if typed else None, form.percent.data)


def _page(public_id: str, form: DepositForm, drawn: Content | None = None) -> str:
    with db.reading() as session:
        order = _order(session, public_id)
        room = deposits.room(session, order, utcnow())
        return render_template("invoices/deposit.html", order=order, room=room, form=form, content=drawn)


@blueprint.post("/<public_id>")
@needs(Permission.KEEP_BOOKS)
def issue(public_id: str) -> Any:
    """Issue the deposit invoice that was shown; sent twice, it is issued once."""
    form = DepositForm(request.form)
    made: list[Document] = []

    def act(session: Session) -> None:
        command = Command(f"asked-{public_id}-{form.key.data}", me().id, utcnow())
        made.append(deposits.issue(session, _order(session, public_id), _asked(form), command))

    if not saved(form, act):
        return _page(public_id, form), 422
    with suppress(PressMissing):
        pdf_of(made[0].id)
    return redirect(url_for("invoices.show", public_id=made[0].public_id))
