"""Paying by card online: asking for it, coming back from the provider, its messages, and what the treasurer sees."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.bookkeeping import payouts
from fablab.db import utcnow
from fablab.errors import NotFound
from fablab.invoicing import queries as documents
from fablab.money import parse_euros
from fablab.payments import looking, queries, services
from fablab.payments.models import CARD_LABELS, CardPayment
from fablab.payments.port import CardPayments, NotReached
from fablab.payments.providers import provider
from fablab.web.auth import me, needs, open_to_all
from fablab.web.card_forms import CardTopUpForm, DealtWithForm, KeyForm, PayoutForm, of_wallet
from fablab.web.forms import filled, saved
from fablab.web.language import choose
from fablab.web.limits import by_person, limiter
from fablab.web.pages.wallet import facts

blueprint = Blueprint("payments", __name__, url_prefix="/pay")

LIMIT = "60 per hour"
LONGEST_MESSAGE = 256_000


@blueprint.app_context_processor
def _offered() -> dict[str, Any]:
    """Let every template know whether cards are taken online."""
    return {"card_provider": provider()}


def _provider() -> CardPayments:
    found = provider()
    if found is None:
        raise NotFound
    return found


@blueprint.post("/wallet")
@needs(Permission.ORDER)
@limiter.limit(LIMIT, key_func=by_person)
def top_up() -> Any:
    """Ask for a top-up of the own wallet; sent twice, it is one."""
    _provider()
    form, asked = CardTopUpForm(request.form), []

    def save(session: Session) -> None:
        amount = parse_euros(form.amount.data or "", field="amount")
        asked.append(services.top_up(session, me(), amount, form.key.data, utcnow()))

    if saved(form, save):
        return _open(asked[0])
    with db.reading() as session:
        return render_template("wallet.html", **facts(session, me().id), **of_wallet(session, form)), 422


@blueprint.post("/invoice/<public_id>")
@needs(Permission.ORDER)
@limiter.limit(LIMIT, key_func=by_person)
def pay_invoice(public_id: str) -> Any:
    """Ask for the payment of all that is due on an invoice, by who may pay it."""
    _provider()
    form = filled(KeyForm, request.form)
    with db.transaction() as session:
        invoice = documents.seen_by(session, me(), public_id)
        if not queries.may_pay(session, me(), invoice):
            raise NotFound
        payment = services.pay_invoice(session, invoice, me(), form.key.data, utcnow())
    return _open(payment)


@blueprint.post("/<public_id>/open")
@needs(Permission.ORDER)
@limiter.limit(LIMIT, key_func=by_person)
def open_again(public_id: str) -> Any:
    """Try again to open what could not be opened."""
    return _open(_own(public_id))


def _own(public_id: str) -> CardPayment:
    _provider()
    with db.reading() as session:
        found = queries.seen_by(session, me(), public_id)
    if found.person_id != me().id:
        raise NotFound
    return found


def _open(payment: CardPayment) -> Any:
    """Open the checkout, and go to the page from which it is paid: a form may not lead to another site by itself."""
    looking.open_checkout(payment, "" if me().is_walk_in else me().email, choose())
    return redirect(url_for("payments.show", public_id=payment.public_id))


@blueprint.get("/<public_id>")
@needs(Permission.ORDER)
def show(public_id: str) -> Any:
    """Show where a payment stands: people come back here, whether they have paid or not."""
    _provider()
    return _page(public_id, DealtWithForm())


def _page(public_id: str, form: DealtWithForm) -> str:
    with db.reading() as session:
        payment = queries.seen_by(session, me(), public_id)
        dealt_with = queries.dealt_with(session, payment)
    silent = False
    try:
        payment = looking.look(payment)
    except NotReached:
        silent = True
    return render_template("payments/show.html", payment=payment, silent=silent, form=form, dealt_with=dealt_with)


@blueprint.post("/<public_id>/dealt-with")
@needs(Permission.KEEP_BOOKS)
def deal_with(public_id: str) -> Any:
    """Write down what was done about a payment that did not match: it does not head the list any more."""
    _provider()
    form = DealtWithForm(request.form)

    def act(session: Session) -> None:
        payment = queries.seen_by(session, me(), public_id)
        services.deal_with(session, payment.id, form.note.data or "", me(), utcnow())

    return redirect(url_for("payments.listed")) if saved(form, act) else (_page(public_id, form), 422)


@blueprint.post("/<public_id>/end")
@needs(Permission.ORDER)
def end(public_id: str) -> Any:
    """Let a payment be paid no more; one that was paid meanwhile is booked."""
    looking.end(_own(public_id))
    return redirect(url_for("payments.show", public_id=public_id))


@blueprint.post("/webhook/stripe")
@open_to_all
def webhook() -> Any:
    """Take a message of the provider: only a signed one, and each once."""
    taken_by = _provider()
    if (request.content_length or 0) > LONGEST_MESSAGE:
        raise RequestEntityTooLarge
    event = taken_by.read(request.get_data(), request.headers.get("Stripe-Signature", ""), utcnow())
    if event is not None:
        with db.transaction() as session:
            services.heard(session, event, utcnow())
    return "", 200


@blueprint.get("/")
@needs(Permission.KEEP_BOOKS)
def listed() -> Any:
    """Show the treasurer what came by card online, what the provider still holds, and the form for its payouts."""
    return _list(PayoutForm(key=secrets.token_hex(12)))


def _list(form: PayoutForm) -> str:
    with db.reading() as session:
        held, rows = payouts.held_cents(session), queries.newest(session)
    if provider() is None and not rows:
        raise NotFound
    return render_template("payments/list.html", form=form, held=held, rows=rows, labels=CARD_LABELS)


@blueprint.post("/payouts")
@needs(Permission.KEEP_BOOKS)
def pay_out() -> Any:
    """Book what the provider paid out, and its fee; sent twice, it is booked once."""
    form = PayoutForm(request.form)

    def save(session: Session) -> None:
        arrived, fee = parse_euros(form.arrived.data or "", "arrived"), parse_euros(form.fee.data or "", "fee")
        payouts.book(session, arrived, fee, form.reference.data or "", me().id, form.key.data)

    return redirect(url_for("payments.listed")) if saved(form, save) else (_list(form), 422)
