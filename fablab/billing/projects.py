"""The budgets of projects, in the ledger: given, reserved, used. No money comes or goes, and nothing is sold.

They have accounts of their own outside the balance sheet; a project's part of them are the bookings that name it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ForeignKey, Select, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from fablab.accounts.project_models import Project
from fablab.billing import ledger
from fablab.billing.ledger import Booking
from fablab.billing.models import Account, EntryKind, LedgerEntry, LedgerLine
from fablab.db import Base
from fablab.errors import Conflict, Invalid
from fablab.orders.models import Order
from fablab.words import Euros, Sentence, say

HIGHEST_BUDGET_CENTS = 100_000_000


class ProjectBooking(Base):
    """That a booking is about a project. Only grows, like the booking."""

    __tablename__ = "project_booking"

    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entry.id"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)


@dataclass(frozen=True)
class Budget:
    """A project's budget in cents: all of it, what was used of it, what is reserved, and what is left."""

    given_cents: int
    used_cents: int
    reserved_cents: int

    @property
    def left_cents(self) -> int:
        """Return what can still be ordered for."""
        return self.given_cents - self.used_cents - self.reserved_cents


def _moved(account: Account, *, project_id: int | None = None, order_id: int | None = None) -> Select[int]:
    query = select(func.sum(LedgerLine.amount_cents)).join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
    query = query.where(LedgerLine.account == account)
    if project_id is not None:
        theirs = select(ProjectBooking.entry_id).where(ProjectBooking.project_id == project_id)
        query = query.where(LedgerEntry.id.in_(theirs))
    return query.where(LedgerEntry.order_id == order_id) if order_id is not None else query


def budget_of(session: Session, project_id: int) -> Budget:
    """Return how a project's budget stands."""
    given = session.scalar(
        _moved(Account.PROJECT_FUNDS, project_id=project_id).where(LedgerEntry.kind == EntryKind.PROJECT_BUDGET)
    )
    used = session.scalar(
        _moved(Account.PROJECT_FUNDS, project_id=project_id).where(LedgerEntry.kind == EntryKind.PROJECT_USE)
    )
    reserved = session.scalar(_moved(Account.PROJECT_RESERVED, project_id=project_id))
    return Budget(given or 0, -(used or 0), -(reserved or 0))


@dataclass(frozen=True)
class NewBudget:
    """What a project's budget is to be, as a form says that showed what it was; both in cents."""

    seen_cents: int
    cents: int


def change_budget(session: Session, project: Project, wanted: NewBudget, by_id: int, key: str) -> None:
    """Let a project's budget be another one than was seen; one that was left as it was is left alone.

    Raises `Conflict` when somebody else has set it meanwhile, `Invalid` like `set_budget`.
    """
    if wanted.cents == wanted.seen_cents:
        return
    hold(session, project.id)
    given = budget_of(session, project.id).given_cents
    if given not in (wanted.seen_cents, wanted.cents):
        raise Conflict(
            say(
                "The budget is {given} now, somebody has set it meanwhile: please look at it again.", given=Euros(given)
            )
        )
    set_budget(session, project, wanted.cents, by_id, key)


def set_budget(session: Session, project: Project, cents: int, by_id: int, key: str) -> None:
    """Let a project's budget be so much from now on; sent twice, it is set once. Raises `Invalid`."""
    hold(session, project.id)
    if not 0 <= cents <= HIGHEST_BUDGET_CENTS:
        raise Invalid(say("A budget is between nothing and {most}.", most=Euros(HIGHEST_BUDGET_CENTS)), field="budget")
    booking_key = f"project-{project.id}-{key}"
    found = budget_of(session, project.id)
    taken, more = found.given_cents - found.left_cents, cents - found.given_cents
    if more == 0 or ledger.booked_cents(session, booking_key, Account.PROJECT_FUNDS):
        return
    if cents < taken:
        raise Invalid(say("{taken} of it are used or reserved: it cannot be less.", taken=Euros(taken)), field="budget")
    text = say("Budget of “{project}” set to {cents}", project=project.name, cents=Euros(cents))
    lines = [(Account.PROJECT_FUNDS, None, more), (Account.PROJECT, None, -more)]
    _post(session, project.id, Booking(booking_key, EntryKind.PROJECT_BUDGET, lines, text, by_id=by_id))


def hold(session: Session, project_id: int) -> None:
    """Let only one transaction at a time look at and move this project's budget."""
    session.execute(select(Project.id).where(Project.id == project_id).with_for_update(key_share=True))


def _post(session: Session, project_id: int, booking: Booking) -> None:
    entry = ledger.post(session, booking)
    if session.get(ProjectBooking, entry.id) is None:
        session.add(ProjectBooking(entry_id=entry.id, project_id=project_id))
        session.flush()


def _post_for(session: Session, order: Order, booking: Booking) -> None:
    assert order.project_id is not None
    _post(session, order.project_id, replace(booking, order_id=order.id))


def reserve(session: Session, order: Order, cents: int, key: str) -> None:
    """Set a part of its project's budget aside for an order. Raises `Conflict` when not enough is left."""
    assert order.project is not None
    hold(session, order.project.id)
    missing = cents - budget_of(session, order.project.id).left_cents
    if missing > 0:
        raise Conflict(shortage(order.project, missing))
    lines = [(Account.PROJECT, None, cents), (Account.PROJECT_RESERVED, None, -cents)]
    _post_for(session, order, Booking(key, EntryKind.PROJECT_RESERVED, lines, order.title, by_id=order.person_id))


def shortage(project: Project, missing_cents: int) -> Sentence:
    """Say how much a project's budget lacks."""
    return say(
        "{missing} are missing in the budget of “{project}”: the treasurer has to raise it first.",
        missing=Euros(missing_cents),
        project=project.name,
    )


def reserved_for(session: Session, order: Order) -> int:
    """Return what is still reserved for an order, in cents."""
    return -(session.scalar(_moved(Account.PROJECT_RESERVED, order_id=order.id)) or 0)


def used_for(session: Session, order: Order) -> int:
    """Return what an order has used of its project's budget, in cents."""
    return -(session.scalar(_moved(Account.PROJECT_FUNDS, order_id=order.id)) or 0)


def release(session: Session, order: Order, key: str, by_id: int | None) -> None:
    """Give back whatever is still reserved for an order."""
    assert order.project_id is not None
    hold(session, order.project_id)
    cents = reserved_for(session, order)
    if cents:
        lines = [(Account.PROJECT_RESERVED, None, cents), (Account.PROJECT, None, -cents)]
        _post_for(session, order, Booking(key, EntryKind.PROJECT_RELEASE, lines, order.title, by_id=by_id))


def use(session: Session, order: Order, cents: int, key: str, text: Sentence, by_id: int) -> None:
    """Use a part of what is reserved for an order. Raises `Conflict` rather than use more than is reserved."""
    assert order.project_id is not None
    if cents < 0:
        raise ValueError(f"{cents} cents would be used for order {order.id}")
    hold(session, order.project_id)
    if cents > reserved_for(session, order):
        raise Conflict(say("More would be charged than was confirmed: this needs a person who knows the ledger."))
    if cents:
        lines = [(Account.PROJECT_RESERVED, None, cents), (Account.PROJECT_FUNDS, None, -cents)]
        _post_for(session, order, Booking(key, EntryKind.PROJECT_USE, lines, text, by_id=by_id))


@dataclass(frozen=True)
class ProjectLine:
    """One line of a project's statement: what happened, and what was left after it."""

    entry: LedgerEntry
    left_change_cents: int
    reserved_change_cents: int
    left_cents: int


def statement(session: Session, project_id: int) -> list[ProjectLine]:
    """Return a project's statement, newest first; every cent that is left or not is on a line."""
    theirs = select(ProjectBooking.entry_id).where(ProjectBooking.project_id == project_id)
    left, lines = 0, []
    for entry in session.scalars(select(LedgerEntry).where(LedgerEntry.id.in_(theirs)).order_by(LedgerEntry.id)):
        change = _on(entry, Account.PROJECT)
        left += change
        lines.append(ProjectLine(entry, change, _on(entry, Account.PROJECT_RESERVED), left))
    return lines[::-1]


def _on(entry: LedgerEntry, account: Account) -> int:
    return -sum(line.amount_cents for line in entry.lines if line.account == account)


def below_nothing(session: Session) -> Sequence[int]:
    """Return the projects of which less than nothing is left or reserved: there are none."""
    sums = (
        select(ProjectBooking.project_id)
        .join(LedgerLine, LedgerLine.entry_id == ProjectBooking.entry_id)
        .where(LedgerLine.account.in_((Account.PROJECT, Account.PROJECT_RESERVED)))
        .group_by(ProjectBooking.project_id, LedgerLine.account)
        .having(func.sum(LedgerLine.amount_cents) > 0)
    )
    return sorted(set(session.scalars(sums)))


def of_entries(session: Session) -> dict[int, int]:
    """Return the projects that bookings are about, by booking."""
    rows = session.execute(select(ProjectBooking.entry_id, ProjectBooking.project_id))
    return {int(entry_id): int(project_id) for entry_id, project_id in rows}
