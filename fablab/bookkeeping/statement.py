"""What a closing says, frozen. Its canonical JSON is what is hashed and kept."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from pydantic import TypeAdapter

from fablab.bookkeeping.models import Span
from fablab.bookkeeping.totals import Totals


@dataclass(frozen=True)
class Statement:
    """All a closing says. `period` are the totals of the period, `perpetual` those since the first booking.

    A day has the digest of its bookings; a month is the sum of its days and a year of its months, so theirs is empty.
    `documents` and `last_document` are the length and the hash of the chain of documents at that moment.
    """

    span: Span
    first_on: date
    last_on: date
    from_at: datetime
    until_at: datetime
    bookings: int
    digest: str
    period: Totals
    perpetual: Totals
    documents: int
    last_document: str
    version: int = 1


@cache
def _adapter() -> TypeAdapter[Statement]:
    return TypeAdapter(Statement)


def to_text(statement: Statement) -> str:
    """Return the canonical JSON of a closing."""
    return json.dumps(_adapter().dump_python(statement, mode="json"), sort_keys=True, separators=(",", ":"))


def from_text(text: str) -> Statement:
    """Return the statement that `to_text` wrote. Raises `ValueError` when it is not one."""
    return _adapter().validate_json(text)


def hash_of(previous: str, payload: str) -> str:
    """Return the digest of a closing: SHA-256 over the one before it and exactly what the closing says."""
    return hashlib.sha256(f"{previous}\n{payload}".encode()).hexdigest()
