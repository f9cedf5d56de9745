"""The cash drawer: what was counted, against what the ledger says; and cash that goes to the bank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from fablab.accounts.models import Person
from fablab.billing import closed, ledger
from fablab.billing.ledger import Booking
from fablab.billing.models import Account, EntryKind
from fablab.db import Base, utcnow
from fablab.errors import Invalid
from fablab.words import Euros, say

PIECES_CENTS = (50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5, 2, 1)
MOST_CENTS = 100_000_000


class CashCount(Base):
    """What somebody counted, what the ledger expected then, and why they differ. It only grows.

    The difference was booked at once, so the ledger starts again from what was counted.
    """

    __tablename__ = "cash_count"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utcnow)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    counted_cents: Mapped[int]
    expected_cents: Mapped[int]
    pieces: Mapped[dict[str, int]] = mapped_column(JSON(none_as_null=True))
    reason: Mapped[str] = mapped_column(String(200))
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.id"), unique=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)

    by: Mapped[Person | None] = relationship(lazy="joined")

    @property
    def difference_cents(self) -> int:
        """Return how much more was there than expected (negative: was missing)."""
        return self.counted_cents - self.expected_cents


@dataclass(frozen=True)
class CountData:
    """A count as somebody enters it: a total, or coins and notes by their value in cents, or both."""

    key: str
    expected_cents: int
    total_cents: int | None = None
    pieces: Mapping[int, int] = field(default_factory=dict)
    reason: str = ""


def expected_cents(session: Session) -> int:
    """Return what the drawer holds as the ledger says."""
    return ledger.cash_cents(session)


def counts(session: Session, most: int = 50) -> Sequence[CashCount]:
    """Return the newest counts first."""
    return session.scalars(select(CashCount).order_by(CashCount.id.desc()).limit(most)).all()


def count(session: Session, data: CountData, by_id: int) -> CashCount:
    """Write a count down and book its difference; sent twice, it is one.

    Raises `Invalid` naming the field, also when cash was booked since the page with the expected amount was shown.
    """
    closed.hold(session)  # nobody books while the drawer and the ledger are compared
    found = session.scalar(select(CashCount).where(CashCount.key == data.key))
    if found is not None:
        return found
    expected, counted, reason = expected_cents(session), _counted(data), " ".join(data.reason.split())[:200]
    if expected != data.expected_cents:
        sentence = say("Cash was booked while you counted: now {expected} are expected.", expected=Euros(expected))
        raise Invalid(sentence, field="total")
    if counted != expected and not reason:
        raise Invalid(
            say("{difference} differ: write down why, as far as you know.", difference=Euros(counted - expected)),
            field="reason",
        )
    made = CashCount(
        by_id=by_id,
        counted_cents=counted,
        expected_cents=expected,
        pieces={str(value): number for value, number in data.pieces.items() if number},
        reason=reason,
        entry_id=_book(session, data.key, counted - expected, reason, by_id),
        key=data.key,
    )
    session.add(made)
    session.flush()
    return made


def _counted(data: CountData) -> int:
    if any(value not in PIECES_CENTS or number < 0 for value, number in data.pieces.items()):
        raise Invalid(say("Coins and notes are counted from zero."), field="total")
    by_piece = sum(value * number for value, number in data.pieces.items())
    if data.total_cents is None and not any(data.pieces.values()):
        raise Invalid(say("Enter the coins and notes, or a total."), field="total")
    total = by_piece if data.total_cents is None else data.total_cents
    if any(data.pieces.values()) and total != by_piece:
        raise Invalid(say("The coins and notes are {sum} together.", sum=Euros(by_piece)), field="total")
    if not 0 <= total <= MOST_CENTS:
        raise Invalid(say("This cannot be in a cash drawer."), field="total")
    return total


def _book(session: Session, key: str, difference_cents: int, reason: str, by_id: int) -> int | None:
    if not difference_cents:
        return None
    lines = [(Account.CASH, None, difference_cents), (Account.CASH_DIFFERENCE, None, -difference_cents)]
    text = say("Cash count: {reason}", reason=reason)
    return ledger.post(session, Booking(f"cash-count-{key}", EntryKind.CASH_COUNT, lines, text, by_id=by_id)).id


def take_to_bank(session: Session, cents: int, reference: str, by_id: int, key: str) -> None:
    """Book cash that leaves the drawer for the bank; sent twice, it is booked once. Raises `Invalid`."""
    closed.hold(session)
    held = expected_cents(session) + ledger.booked_cents(session, f"deposit-{key}", Account.BANK)
    if not 0 < cents <= held:
        raise Invalid(say("The drawer holds {held}.", held=Euros(held)), field="amount")
    lines = [(Account.BANK, None, cents), (Account.CASH, None, -cents)]
    text = say("Cash taken to the bank")
    if reference.strip():
        text = say("{how} · {reference}", how=text, reference=" ".join(reference.split())[:80])
    ledger.post(session, Booking(f"deposit-{key}", EntryKind.DEPOSIT, lines, text, by_id=by_id))
