"""When a lease is over: its end has passed, or is further away than any end can be, as after a clock was set back.

Leases are renewed while the work goes on, so that whoever died is replaced after one. They only say who may try: what
a late holder writes is refused by its token, and what it sends by the printer that finds no file.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import InstrumentedAttribute

LEASE = timedelta(seconds=45)
CLOCKS_DIFFER_BY = timedelta(minutes=2)


def is_over(until: datetime | None, now: datetime) -> bool:
    """Tell whether nobody holds the lease any more."""
    return until is None or not now <= until <= now + LEASE + CLOCKS_DIFFER_BY


def over(until: InstrumentedAttribute[Any], now: datetime) -> ColumnElement[bool]:
    """Ask the same of a column."""
    return or_(until.is_(None), until < now, until > now + LEASE + CLOCKS_DIFFER_BY)
