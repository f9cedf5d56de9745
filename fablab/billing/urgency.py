"""Orders that are wanted as soon as possible: only where the tariff has a surcharge for it."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from fablab.billing import queries, tariffs
from fablab.billing.models import Group, TariffVersion
from fablab.billing.pricing import Tariff
from fablab.errors import Conflict
from fablab.orders import services as orders
from fablab.orders.models import Order
from fablab.words import say


def tariff_for(version: TariffVersion, *, urgent: bool) -> Tariff:
    """Return a tariff as it prices an order. Raises `Conflict` for an urgent one where nothing can be urgent."""
    tariff = queries.as_tariff(version)
    if urgent and not tariff.rules.offers_urgency:
        raise Conflict(say("Who pays has prices without urgent orders: please choose no “as soon as possible”."))
    return replace(tariff, urgent=urgent)


def choose(session: Session, order: Order, *, urgent: bool) -> None:
    """Note whether a draft is urgent, for whoever pays it. Raises `Conflict` like `tariff_for`."""
    tariff_for(tariffs.holding_for(session, order, order.company_id), urgent=urgent)
    orders.hurry(session, order, urgent=urgent)


def is_offered(session: Session, order: Order, *, to_companies: bool) -> bool:
    """Tell whether a draft can be urgent for somebody who may pay it."""
    groups = [tariffs.group_of(session, order.person_id), *([Group.COMPANY] if to_companies else [])]
    try:
        versions = [queries.current_tariff(session, each) for each in groups]
    except Conflict:
        return False  # there are no prices at all, which the page says
    return any(queries.as_tariff(each).rules.offers_urgency for each in versions)
