"""The way of one order, step by step: what has happened and when, where it is now, what is still to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.orders.models import ORDER_LABELS, Order, OrderEvent, OrderState

USUAL = [OrderState.ACCEPTED, OrderState.IN_PRODUCTION, OrderState.READY, OrderState.COLLECTED]


@dataclass(frozen=True)
class Step:
    """One step: its name, and when the order took it the last time; None while it is still to come."""

    state: OrderState
    label: str
    at: datetime | None
    now: bool = False

    @property
    def ahead(self) -> bool:
        """Whether it is still to come."""
        return self.at is None and not self.now


def of_order(session: Session, order: Order) -> list[Step]:
    """Return the steps of an order that was sent, in the order in which they are taken; one of them is now."""
    taken, state = _taken(session, order.id), OrderState(order.state)
    place = OrderState.ACCEPTED if state == OrderState.QUOTED else state
    reached = [each for each in USUAL if each in taken] if place not in USUAL else USUAL[: USUAL.index(place) + 1]
    if place in USUAL or place in BEFORE:
        way = [*_before(taken, place), *USUAL]
    else:  # it ended on another way than the usual one
        way = [*_before(taken, place), *reached, place]
    steps = []
    for each in way:
        shown = state if each == place else each
        behind = each in reached or each not in USUAL
        steps.append(Step(shown, ORDER_LABELS[shown], taken.get(shown) if behind else None, each == place))
    return steps


BEFORE = (OrderState.IN_REVIEW, OrderState.CHANGES_REQUESTED, OrderState.OFFERED)
"""What an order may go through before it is accepted."""


def _before(taken: Mapping[OrderState, datetime], place: OrderState) -> list[OrderState]:
    """Return the looks somebody took at it: that it had to be changed is told as long as it has to be."""
    return [each for each in BEFORE if each in taken and each in (place, OrderState.IN_REVIEW, OrderState.OFFERED)]


def _taken(session: Session, order_id: int) -> dict[OrderState, datetime]:
    """Return when the order came into each state it was in, the last time."""
    query = select(OrderEvent.kind, func.max(OrderEvent.at)).where(OrderEvent.order_id == order_id)
    names = {f"order_{state}": state for state in OrderState}
    return {names[kind]: at for kind, at in session.execute(query.group_by(OrderEvent.kind)) if kind in names}
