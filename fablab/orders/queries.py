"""Questions about orders."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.accounts import companies
from fablab.accounts.models import CompanyRole, Person
from fablab.accounts.permissions import Permission
from fablab.errors import NotFound
from fablab.orders.models import Order, OrderEvent, OrderState


def seen_by(session: Session, person: Person, public_id: str) -> Order:
    """Return an order this person may see: their own, one of their company's, or any for those who work here.

    Raises `NotFound` otherwise.
    """
    order = session.scalar(select(Order).where(Order.public_id == public_id))
    if order is None or not (may_stop(session, person, order) or _is_shared(session, person, order)):
        raise NotFound
    return order


def stopped_by(session: Session, person: Person, public_id: str) -> Order:
    """Return an order this person may cancel; raises `NotFound`."""
    order = session.scalar(select(Order).where(Order.public_id == public_id))
    if order is None or not may_stop(session, person, order):
        raise NotFound
    return order


def may_stop(session: Session, person: Person, order: Order) -> bool:
    """Tell whether this person may cancel an order: its own person, a buyer of its company, a volunteer."""
    if order.person_id == person.id or person.may(Permission.RUN_BOARD):
        return True
    return order.state != OrderState.DRAFT and companies.acts_for(session, person, order.company_id, CompanyRole.BUYER)


def _is_shared(session: Session, person: Person, order: Order) -> bool:
    if order.state == OrderState.DRAFT:
        return False
    return person.may(Permission.KEEP_BOOKS) or companies.acts_for(session, person, order.company_id)


def decides(person: Person, order: Order) -> bool:
    """Tell whether this person decides about an order: its own person, or a volunteer for who has no e-mail."""
    return order.person_id == person.id or (person.may(Permission.RUN_BOARD) and order.person.is_walk_in)


def owned_by(session: Session, person: Person, public_id: str) -> Order:
    """Return an order this person decides about; raises `NotFound`."""
    order = session.scalar(select(Order).where(Order.public_id == public_id))
    if order is None or not decides(person, order):
        raise NotFound
    return order


def of_person(session: Session, person_id: int) -> Sequence[Order]:
    """Return a person's orders, newest first."""
    return session.scalars(select(Order).where(Order.person_id == person_id).order_by(Order.id.desc())).all()


def of_company(session: Session, company_id: int) -> Sequence[Order]:
    """Return the orders a company pays for, newest first."""
    return session.scalars(select(Order).where(Order.company_id == company_id).order_by(Order.id.desc())).all()


def events_of(session: Session, order_id: int) -> Sequence[OrderEvent]:
    """Return what happened to an order, oldest first."""
    return session.scalars(select(OrderEvent).where(OrderEvent.order_id == order_id).order_by(OrderEvent.id)).all()


def wanted_days(session: Session, order_ids: Collection[int]) -> dict[int, date]:
    """Return the day their persons hope for, by order; those without one are left out."""
    query = select(Order.id, Order.wanted_on).where(Order.id.in_(order_ids), Order.wanted_on.is_not(None))
    return {order_id: day for order_id, day in session.execute(query) if day is not None}
