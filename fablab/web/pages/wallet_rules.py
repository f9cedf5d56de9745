"""The rules of wallets, for administrators: when VAT is due on prepaid credit, and how much a wallet may hold."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.billing import prepaid, seller
from fablab.billing.models import PREPAID_LABELS, Prepaid
from fablab.billing.prepaid import RulesData
from fablab.db import utcnow
from fablab.money import parse_euros
from fablab.web.auth import me, needs
from fablab.web.book_forms import WalletRulesForm
from fablab.web.forms import saved
from fablab.web.language import tr
from fablab.web.typed import euros

blueprint = Blueprint("wallet_rules", __name__, url_prefix="/setup/wallets")


@blueprint.get("/")
@needs(Permission.SET_UP)
def show() -> Any:
    """Show the rules with the form to change them, filled with what holds now."""
    with db.reading() as session:
        now = prepaid.rules_on(session, _today())
    values = {"prepaid": now.prepaid.value, "cap": euros(now.cap_cents), "invoice_orders": now.invoice_orders}
    return _page(_form(**values, valid_from=_today()))


def _today() -> Any:
    return seller.today(utcnow())


def _form(data: Any = None, **values: Any) -> WalletRulesForm:
    form = WalletRulesForm(data, **values)
    form.prepaid.choices = [(each.value, tr(label)) for each, label in PREPAID_LABELS.items()]
    return form


def _page(form: WalletRulesForm) -> str:
    with db.reading() as session:
        return render_template(
            "seller/wallets.html", form=form, rules=prepaid.all_rules(session), labels=PREPAID_LABELS
        )


@blueprint.post("/")
@needs(Permission.SET_UP)
def save() -> Any:
    """Let rules hold from their date on."""
    form = _form(request.form)

    def act(session: Session) -> None:
        cap = parse_euros(form.cap.data or "", field="cap")
        data = RulesData(form.valid_from.data, Prepaid(form.prepaid.data), cap, form.invoice_orders.data)
        prepaid.set_rules(session, data, me().id)

    if saved(form, act):
        return redirect(url_for("wallet_rules.show"))
    return _page(form), 422
