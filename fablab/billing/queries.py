"""Questions about tariffs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.billing.models import Group, TariffVersion
from fablab.billing.pricing import Rules, Tariff
from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.words import say


def current_tariff(session: Session, group: Group = Group.MEMBER, now: datetime | None = None) -> TariffVersion:
    """Return the tariff of a group at this moment: its own, or that of members if it has none.

    Raises `Conflict` when the place has none yet.
    """
    for each in (group, Group.MEMBER):
        query = select(TariffVersion).where(
            TariffVersion.valid_from <= (now or utcnow()), TariffVersion.tariff_group == each
        )
        newest = query.order_by(TariffVersion.valid_from.desc(), TariffVersion.id.desc()).limit(1)
        found = session.scalars(newest).first()
        if found is not None:
            return found
    raise Conflict(say("The place has no tariff yet: an administrator has to set one."))


def as_tariff(version: TariffVersion) -> Tariff:
    """Return a tariff as the plain values prices are computed with."""
    return Tariff(
        name=version.name,
        setup_cents=version.setup_cents,
        per_hour_cents=version.per_hour_cents,
        minimum_cents=version.minimum_cents,
        per_kg_cents=dict(version.rates),
        rules=Rules.from_json(version.rules),
    )


def tariffs(session: Session) -> Sequence[TariffVersion]:
    """Return all tariffs, newest first."""
    return session.scalars(
        select(TariffVersion).order_by(TariffVersion.valid_from.desc(), TariffVersion.id.desc())
    ).all()
