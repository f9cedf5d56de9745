"""The port of card payments online: a checkout is opened at a provider, looked at, and ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from fablab.errors import Problem


class Outcome(StrEnum):
    """What became of a checkout: nothing yet, the money has come, or it has ended without."""

    WAITING = "waiting"
    PAID = "paid"
    ENDED = "ended"


@dataclass(frozen=True)
class Checkout:
    """What is to be paid. The same `reference`, asked for twice, is one checkout."""

    reference: str
    amount_cents: int
    what: str
    email: str
    language: str
    return_url: str
    until: datetime


@dataclass(frozen=True)
class Seen:
    """A checkout as the provider shows it; `amount_cents` are hundredths of `currency`, whatever that is."""

    id: str
    reference: str
    outcome: Outcome
    amount_cents: int
    currency: str
    url: str


@dataclass(frozen=True)
class Event:
    """A message of the provider about a checkout, whose signature was checked. Repeated, it keeps its id."""

    id: str
    kind: str
    seen: Seen


class NotReached(Problem):
    """The provider did not answer, or not as it should. Whether something was paid is not known from this."""

    status = 503


class Refused(NotReached):
    """The provider answered that it will not do what was asked, and why."""


class NotSigned(Problem):
    """A message that the provider did not sign, or signed too long ago."""

    status = 400


class CardPayments(Protocol):
    """What a provider of card payments can do."""

    @property
    def name(self) -> str:
        """What people know it by."""

    def open(self, wanted: Checkout) -> Seen:
        """Open a checkout. Raises `NotReached`."""

    def look(self, checkout_id: str) -> Seen:
        """Look at a checkout. Raises `NotReached`."""

    def end(self, checkout_id: str) -> Seen:
        """Let a checkout be paid no more; return it as it is then, which may be paid. Raises `NotReached`."""

    def check(self) -> None:
        """Try the keys. Raises `NotReached`."""

    def read(self, body: bytes, signature: str, now: datetime) -> Event | None:
        """Return what a message says; None when it is about nothing of ours. Raises `NotSigned`."""
