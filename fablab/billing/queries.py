"""Questions about tariffs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.billing.models import TariffVersion
from fablab.billing.pricing import Tariff
from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.words import say


def current_tariff(session: Session, now: datetime | None = None) -> TariffVersion:
    """Return the tariff of this moment; raises `Conflict` when the place has none yet."""
    query = select(TariffVersion).where(TariffVersion.valid_from <= (now or utcnow()))
    found = session.scalars(query.order_by(TariffVersion.valid_from.desc(), TariffVersion.id.desc()).limit(1)).first()
    if found is None:
        raise Conflict(say("The place has no tariff yet: an administrator has to set one."))
    return found


def as_tariff(version: TariffVersion) -> Tariff:
    """Return a tariff as the plain values prices are computed with."""
    return Tariff(
        name=version.name,
        setup_cents=version.setup_cents,
        per_hour_cents=version.per_hour_cents,
        minimum_cents=version.minimum_cents,
        per_kg_cents=dict(version.rates),
    )


def tariffs(session: Session) -> Sequence[TariffVersion]:
    """Return all tariffs, newest first."""
    return session.scalars(
        select(TariffVersion).order_by(TariffVersion.valid_from.desc(), TariffVersion.id.desc())
    ).all()
