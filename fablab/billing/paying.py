"""Whose money an order moves: the wallet of its person, the budget of a project, or none when a company is invoiced."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fablab.accounts import companies
from fablab.accounts import projects as accounts
from fablab.billing import ledger, projects, seller
from fablab.db import utcnow
from fablab.orders.models import Order
from fablab.words import Euros, Sentence, say


def missing_cents(session: Session, order: Order, cents: int) -> int:
    """Return what lacks where an order is paid from; one on invoice lacks nothing."""
    if order.company_id is not None:
        return 0
    if order.project_id is not None:
        return max(0, cents - projects.budget_of(session, order.project_id).left_cents)
    return max(0, cents - ledger.balance_cents(session, order.person_id))


def shortage(order: Order, missing: int) -> Sentence:
    """Say to the person who orders what lacks where."""
    if order.project is not None:
        return projects.shortage(order.project, missing)
    return say(
        "{missing} are missing in your wallet: top it up at the desk, then confirm again.", missing=Euros(missing)
    )


def reserve(session: Session, order: Order, cents: int, key: str) -> None:
    """Set money aside for an order. Raises `Conflict` when there is not enough, or its project is not running."""
    if order.company_id is not None:
        return
    if order.project is not None:
        accounts.must_run(order.project, seller.today(utcnow()))
        projects.reserve(session, order, cents, key)
        return
    ledger.reserve(session, order.person_id, order.id, cents, key, order.title)


def release(session: Session, order: Order, key: str, by_id: int | None) -> None:
    """Give back whatever is still reserved for an order."""
    if order.project_id is not None:
        projects.release(session, order, key, by_id)
        return
    ledger.release(session, order.person_id, order.id, key, order.title, by_id)


def hold(session: Session, order: Order) -> None:
    """Let only one transaction at a time decide what is paid by whoever pays an order, which is held already."""
    if order.company_id is not None:
        companies.hold(session, order.company_id)
    elif order.project_id is not None:
        projects.hold(session, order.project_id)
    else:
        ledger.lock_wallet(session, order.person_id)


def charge(session: Session, order: Order, earned_cents: int, key: str, text: Sentence, by_id: int) -> None:
    """Take what an order costs by now, for good copies and for failed ones, less what was taken for it before."""
    if order.company_id is not None:
        return
    if order.project_id is not None:
        projects.use(session, order, earned_cents - projects.used_for(session, order), key, text, by_id)
        return
    charged = ledger.charged_cents(session, order.id) + ledger.refunded_cents(session, order.id)
    ledger.charge(session, order.person_id, order.id, earned_cents - charged, key, text, by_id)
