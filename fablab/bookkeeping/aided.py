"""The aid of a period by month and tariff group: the figure for whoever funds the place."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.billing import seller
from fablab.billing.models import GROUP_LABELS, Account, Group, LedgerEntry, LedgerLine, TariffVersion
from fablab.bookkeeping.periods import Days, end_of, midnight
from fablab.orders.models import Order


@dataclass(frozen=True)
class Aided:
    """What the place has paid for a group, in cents, and for how many orders that moved; `month` as 2026-11."""

    month: str
    group: Group
    orders: int
    cents: int


def by_month(session: Session, days: Days) -> list[Aided]:
    """Return the aid booked on some days by month and tariff group, in that order."""
    return _together(_booked(session, days))


def by_group(session: Session, days: Days) -> list[Aided]:
    """Return the aid booked on some days by tariff group, all months together."""
    return _together(("", group, order, cents) for _, group, order, cents in _booked(session, days))


def _booked(session: Session, days: Days) -> Iterator[tuple[str, Group, int, int]]:
    query = (
        select(LedgerEntry.at, TariffVersion.tariff_group, Order.id, LedgerLine.amount_cents)
        .join(LedgerLine, LedgerLine.entry_id == LedgerEntry.id)
        .join(Order, Order.id == LedgerEntry.order_id)
        .join(TariffVersion, TariffVersion.id == Order.tariff_id)
        .where(LedgerLine.account == Account.AID)
        .where(LedgerEntry.at >= midnight(days.first_on), LedgerEntry.at < end_of(days))
    )
    for at, group, order_id, cents in session.execute(query):
        yield f"{seller.today(at):%Y-%m}", Group(group), order_id, cents


def _together(booked: Iterable[tuple[str, Group, int, int]]) -> list[Aided]:
    orders: dict[tuple[str, Group], set[int]] = defaultdict(set)
    sums: Counter[tuple[str, Group]] = Counter()
    for month, group, order_id, cents in booked:
        orders[month, group].add(order_id)
        sums[month, group] += cents
    groups = list(GROUP_LABELS)
    places = sorted(sums, key=lambda each: (each[0], groups.index(each[1])))
    return [Aided(*place, len(orders[place]), sums[place]) for place in places]
