"""The wallets of all people, for who keeps the books: money that comes in at the desk."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts import queries
from fablab.accounts.permissions import Permission
from fablab.billing import ledger, prepaid, seller
from fablab.db import utcnow
from fablab.web.auth import me, needs
from fablab.web.forms import PayOutForm, TopUpForm, saved
from fablab.web.pages.wallet import facts
from fablab.web.top_ups import book, pay_out_form, top_up_form
from fablab.web.top_ups import pay_out as paid_out

blueprint = Blueprint("wallets", __name__, url_prefix="/wallets")


@blueprint.get("/")
@needs(Permission.KEEP_BOOKS)
def everybody() -> Any:
    """Show everybody whose name has what is looked for, with their balance."""
    wanted = " ".join(request.args.get("name", "")[:80].split())
    with db.reading() as session:
        people = [each for each in queries.everybody(session) if wanted.casefold() in each.name.casefold()]
        rows = [(each, ledger.held_cents(session, each.id)) for each in people]
    return render_template("wallets/everybody.html", rows=rows, wanted=wanted, total=sum(cents for _, cents in rows))


@blueprint.get("/<public_id>")
@needs(Permission.KEEP_BOOKS)
def show(public_id: str) -> Any:
    """Show a wallet with the forms to put money into it and to pay it out."""
    return _page(public_id, top_up_form())


def _page(public_id: str, form: TopUpForm, out: PayOutForm | None = None) -> str:
    with db.reading() as session:
        person = queries.by_public_id(session, public_id)
        rules = prepaid.rules_on(session, seller.today(utcnow()))
        left = ledger.balance_cents(session, person.id)
        return render_template(
            "wallets/show.html",
            person=person,
            form=form,
            out=out or pay_out_form(left_cents=left),
            cap=rules.cap_cents,
            **facts(session, person.id),
        )


@blueprint.post("/<public_id>")
@needs(Permission.KEEP_BOOKS)
def top_up(public_id: str) -> Any:
    """Put money into a wallet and show the receipt; sent twice, it is booked once."""
    form, numbers = top_up_form(request.form), []

    def save(session: Session) -> None:
        numbers.append(book(session, queries.by_public_id(session, public_id), form, me().id).id)

    if saved(form, save):
        return redirect(url_for("wallet.receipt", number=numbers[0]))
    return _page(public_id, form), 422


@blueprint.post("/<public_id>/pay-out")
@needs(Permission.KEEP_BOOKS)
def pay_out(public_id: str) -> Any:
    """Pay money of a wallet back to its person; sent twice, it is booked once."""
    form = pay_out_form(request.form)
    if saved(form, lambda session: paid_out(session, queries.by_public_id(session, public_id), form, me().id)):
        return redirect(url_for("wallets.show", public_id=public_id))
    return _page(public_id, top_up_form(), form), 422
