"""A person's wallet: the balance, every line it is the sum of, and the receipts of top-ups."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts import addresses as own_addresses
from fablab.accounts import projects
from fablab.accounts.models import Person
from fablab.accounts.permissions import Permission
from fablab.billing import ledger, prepaid, receipts, seller
from fablab.billing.models import ACCOUNT_LABELS, Account
from fablab.errors import NotFound
from fablab.invoicing import addresses, issuing, queries
from fablab.invoicing.content import from_text
from fablab.invoicing.models import Document
from fablab.orders.models import Order
from fablab.web.auth import me, needs
from fablab.web.book_forms import OwnAddressForm
from fablab.web.card_forms import of_wallet
from fablab.web.forms import saved

blueprint = Blueprint("wallet", __name__, url_prefix="/wallet")


@blueprint.get("/")
@needs(Permission.ORDER)
def show() -> Any:
    """Show the wallet of the signed-in person."""
    with db.reading() as session:
        return render_template(
            "wallet.html", projects=projects.of_person(session, me()), **facts(session, me().id), **of_wallet(session)
        )


def facts(session: Session, person_id: int) -> dict[str, Any]:
    """Return what a wallet's page shows."""
    lines = ledger.history(session, person_id)
    entries = [line.entry for line in lines]
    return {
        "lines": lines,
        "orders": {each.order_id: session.get(Order, each.order_id) for each in entries if each.order_id},
        "documents": {
            each.document_id: session.get(Document, each.document_id) for each in entries if each.document_id
        },
        "people": {each.by_id: session.get(Person, each.by_id) for each in entries if each.by_id},
        "balance": ledger.balance_cents(session, person_id),
        "reserved": ledger.balance_cents(session, person_id, Account.RESERVED),
    }


@blueprint.get("/receipts/<int:number>")
@needs(Permission.ORDER)
def receipt(number: int) -> Any:
    """Show the receipt of a top-up, to its person and to who takes money at the desk."""
    with db.reading() as session:
        found = receipts.of_top_up(session, number)
        if not _may_see(found.person):
            raise NotFound
        day, document_id = seller.today(found.entry.at), found.entry.document_id
        invoice = session.get(Document, document_id) if document_id else None
        rate_bp = from_text(invoice.payload).rates[0].rate_bp if invoice else prepaid.rate_on(session, day)
        return render_template(
            "receipt.html",
            receipt=found,
            invoice=invoice,
            may_see_invoice=invoice is not None and queries.may_see(session, me(), invoice),
            identity=next((each for each in seller.identities(session) if each.valid_from <= day), None),
            rate_bp=rate_bp,
            with_vat=prepaid.rate_on(session, day) > 0,
            account_labels=ACCOUNT_LABELS,
        )


@blueprint.get("/address")
@needs(Permission.ORDER)
def address() -> Any:
    """Show the form of name and address on the person's own invoices, filled with what holds now."""
    with db.reading() as session:
        now = issuing.plain_buyer(addresses.buyer_of(session, me()))
    return render_template("address.html", form=OwnAddressForm(**now))


@blueprint.post("/address")
@needs(Permission.ORDER)
def keep_address() -> Any:
    """Keep name and address for the next invoices."""
    form = OwnAddressForm(request.form)

    def act(session: Session) -> None:
        values = {name: value or "" for name, value in form.data.items()}
        own_addresses.keep(session, me().id, own_addresses.AddressData(**values))

    if saved(form, act):
        return redirect(url_for("wallet.show"))
    return render_template("address.html", form=form), 422


def _may_see(person: Person) -> bool:
    at_desk = me().may(Permission.KEEP_BOOKS) or (person.is_walk_in and me().may(Permission.RUN_BOARD))
    return at_desk or person.id == me().id
