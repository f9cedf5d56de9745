"""Handing parts over: find who comes, hand out, move on the shelf, remind, give up."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from fablab import bus
from fablab.accounts.models import Person
from fablab.errors import Invalid, NotFound
from fablab.notices.kinds import Kind
from fablab.orders import services, telling
from fablab.orders.holding import hold
from fablab.orders.models import Order, OrderState
from fablab.orders.shelf import PickUp, ShelfRules, places, rules
from fablab.words import say

MOST_REMINDED_AT_ONCE = 50


@dataclass(frozen=True)
class RulesData:
    """What an administrator enters for the shelf."""

    places: str
    remind_after_days: int
    most_reminders: int


def waiting(session: Session, wanted: str = "") -> Sequence[PickUp]:
    """Return what waits on the shelf, longest wait first; only a code, or names that contain `wanted`, if given.

    Names are compared without accents and here: SQLite does not know that É is a large é.
    """
    found = select(PickUp).join(PickUp.order).where(PickUp.ended_at.is_(None))
    rows = session.scalars(found.order_by(PickUp.ready_at, PickUp.order_id)).unique().all()
    if not (wanted := " ".join(wanted.split())):
        return rows
    code, name = wanted.upper().replace(" ", ""), _folded(wanted)
    return [row for row in rows if row.code == code or name in _folded(row.order.person.name)]


def _folded(text: str) -> str:
    """Return a text without accents and capitals."""
    return "".join(each for each in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(each))


def of_order(session: Session, public_id: str) -> PickUp:
    """Return the place of an order on the shelf; raises `NotFound` in words for a label of another place."""
    found = session.scalar(select(PickUp).join(PickUp.order).where(Order.public_id == public_id))
    if found is None:
        raise NotFound(say("This label is not from here, or its order was never ready: look at the address on it."))
    return found


def hand_out(session: Session, row: PickUp, by_id: int) -> None:
    """Hand an order over. Pressed twice it is handed over once; raises `Conflict` when it was given up."""
    if _state(session, row) != OrderState.COLLECTED:
        services.collected(session, row.order, by_id)


def abandon(session: Session, row: PickUp, reason: str, by_id: int) -> None:
    """Take an order nobody collects off the shelf. Raises `Invalid` without a reason."""
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= 300:
        raise Invalid(say("Please say why, in at most 300 letters: the member reads it."), field="reason")
    if _state(session, row) == OrderState.ABANDONED:
        return
    services.move(session, row.order, OrderState.ABANDONED, by_id)
    row.reason = reason
    session.flush()
    telling.tell(session, row.order, Kind.ABANDONED, f"abandoned-{row.order_id}", reason=reason)


def _state(session: Session, row: PickUp) -> OrderState:
    """Hold the order until the end of the transaction, and return where it stands now."""
    hold(session, row.order)
    return OrderState(row.order.state)


def put_elsewhere(session: Session, row: PickUp, place: str) -> None:
    """Note that an order lies in another place of the shelf. Raises `Invalid` when there is no such place."""
    if place not in places(session):
        raise Invalid(say("There is no such place on the shelf."), field="place")
    row.place = place
    session.flush()
    bus.tell(session, "board", f"order-{row.order_id}")


def set_rules(session: Session, data: RulesData) -> None:
    """Let new rules hold for the shelf. Raises `Invalid`."""
    names = [" ".join(line.split()) for line in data.places.splitlines() if line.strip()]
    if not names or max(len(name) for name in names) > 40:
        raise Invalid(say("Please name at least one place, each with at most 40 letters."), field="places")
    if len(set(names)) < len(names):
        raise Invalid(say("Two places have the same name."), field="places")
    session.merge(
        ShelfRules(
            id=1,
            places="\n".join(names),
            remind_after_days=data.remind_after_days,
            most_reminders=data.most_reminders,
        )
    )
    session.flush()


def remind(session: Session, now: datetime) -> int:
    """Remind the people whose parts have waited for long, each as often as the rules say; return how many."""
    wanted = rules(session)
    due = select(PickUp).where(_waited(wanted, now), PickUp.reminders < wanted.most_reminders)
    reminded = 0
    found = due.order_by(PickUp.ready_at).limit(MOST_REMINDED_AT_ONCE).execution_options(populate_existing=True)
    for row in session.scalars(found).unique().all():
        changed = session.execute(
            update(PickUp)
            .where(PickUp.order_id == row.order_id, PickUp.reminders == row.reminders, PickUp.ended_at.is_(None))
            .values(reminders=row.reminders + 1, reminded_at=now)
            .execution_options(synchronize_session=False)
        )
        if changed.rowcount == 1:  # type: ignore[attr-defined]
            key = f"reminder-{row.order_id}-{row.reminders + 1}"
            telling.tell(session, row.order, Kind.REMINDER, key, place=row.place, code=row.code)
            reminded += 1
    return reminded


def to_remind(session: Session, now: datetime) -> Sequence[PickUp]:
    """Return what somebody should call about: it waits although all mails were sent, or its account is closed."""
    wanted = rules(session)
    by_hand = or_(PickUp.reminders >= wanted.most_reminders, Person.active.is_(False))
    found = select(PickUp).join(PickUp.order).join(Order.person).where(_waited(wanted, now), by_hand)
    return session.scalars(found.order_by(PickUp.ready_at)).unique().all()


def _waited(wanted: ShelfRules, now: datetime) -> ColumnElement[bool]:
    since = func.coalesce(PickUp.reminded_at, PickUp.ready_at)
    return and_(PickUp.ended_at.is_(None), since <= now - timedelta(days=wanted.remind_after_days))
