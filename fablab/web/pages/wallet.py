"""A person's wallet: the balance and every line it is the sum of."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.billing import ledger
from fablab.billing.models import Account
from fablab.orders.models import Order
from fablab.web.auth import me, needs

blueprint = Blueprint("wallet", __name__, url_prefix="/wallet")


@blueprint.get("/")
@needs(Permission.ORDER)
def show() -> Any:
    """Show the wallet of the signed-in person."""
    with db.reading() as session:
        return render_template("wallet.html", **facts(session, me().id))


def facts(session: Any, person_id: int) -> dict[str, Any]:
    """Return what a wallet's page shows."""
    lines = ledger.history(session, person_id)
    orders = {line.entry.order_id: session.get(Order, line.entry.order_id) for line in lines if line.entry.order_id}
    return {
        "lines": lines,
        "orders": orders,
        "balance": ledger.balance_cents(session, person_id),
        "reserved": ledger.balance_cents(session, person_id, Account.RESERVED),
    }
