"""What a quote says, frozen. Its canonical JSON is what is hashed, kept, and named by the order it becomes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from functools import cache

from pydantic import TypeAdapter

from fablab.billing import failures
from fablab.invoicing import deposits
from fablab.invoicing.content import Content, printable
from fablab.words import Sentence


@dataclass(frozen=True)
class Offered:
    """A quote: who sells what to whom at which price, until when, and when it is to be paid. None: from the wallet.

    The deposit is asked for when it is accepted. So many prints that fail because of their file are free in twelve
    months, None for all.
    """

    content: Content
    valid_until: date
    payment_days: int | None
    wanted_on: date | None = None
    deposit_percent: int = 0
    free_failures: int | None = None

    @property
    def deposit_cents(self) -> int:
        """How much the deposit is, with VAT."""
        return deposits.share_of(self.content.gross_cents, self.deposit_percent)

    @property
    def failure_terms(self) -> Sentence | None:
        """What failed prints cost, in words; None where they are all free."""
        return failures.terms(self.free_failures)


@cache
def _adapter() -> TypeAdapter[Offered]:
    return TypeAdapter(Offered)


def to_text(offered: Offered) -> str:
    """Return the canonical JSON: sorted, without spaces, and without signs that cannot be printed."""
    plain = printable(_adapter().dump_python(offered, mode="json"))
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_text(text: str) -> Offered:
    """Return what `to_text` wrote. Raises `ValueError` when it is something else."""
    return _adapter().validate_json(text)


def hash_of(text: str) -> str:
    """Return the SHA-256 of a quote's text."""
    return hashlib.sha256(text.encode()).hexdigest()
