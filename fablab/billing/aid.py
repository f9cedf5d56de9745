"""Aid: what the place pays of the real cost of a print, in the ledger. No money comes or goes, and nothing is sold.

The aid of an order is frozen with its price, and booked on two accounts outside the balance sheet as far as the price
was paid: whatever is charged later, given back or credited moves its share, to the cent. A free reprint has no price
and no aid of its own.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.billing import ledger, projects
from fablab.billing.ledger import Booking
from fablab.billing.models import Account, EntryKind, LedgerEntry, LedgerLine
from fablab.money import share
from fablab.orders.models import Order
from fablab.words import say


def of(order: Order) -> int:
    """Return the aid that was frozen with an order's price, in cents."""
    return int((order.price or {}).get("aid_cents", 0))


def due_cents(aid_cents: int, price_cents: int | None, kept_cents: int) -> int:
    """Return how much aid belongs to what is kept of a price: all of it to the whole price."""
    return share(aid_cents, kept_cents, price_cents) if price_cents else 0


def paid_cents(session: Session, order: Order) -> int:
    """Return what a wallet or a project has paid for an order, without what was given back, in cents."""
    if order.project_id is not None:
        return projects.used_for(session, order)
    return ledger.charged_cents(session, order.id)


def booked_cents(session: Session, order_id: int) -> int:
    """Return the aid that is booked for an order, in cents."""
    total = select(func.sum(LedgerLine.amount_cents)).join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
    return session.scalar(total.where(LedgerEntry.order_id == order_id, LedgerLine.account == Account.AID)) or 0


def settle(session: Session, order: Order, kept_cents: int, by_id: int | None) -> None:
    """Book aid, or take it back, until it is what belongs to what is kept of the price. Whoever moves that holds it."""
    if not of(order):
        return
    more = due_cents(of(order), order.price_cents, kept_cents) - booked_cents(session, order.id)
    if more:
        lines = [(Account.AID, None, more), (Account.AID_FUNDS, None, -more)]
        key = f"aid-{order.id}-{ledger.entries_of(session, order.id)}"
        text = say("Paid by the place: {title}", title=order.title)
        ledger.post(session, Booking(key, EntryKind.AID, lines, text, order_id=order.id, by_id=by_id))
