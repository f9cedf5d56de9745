"""Closing days, months and years: nothing can be booked inside afterwards, and the digest can leave the system.

A month is closed after its days and a year after its months, each once it is over; so are days without bookings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.billing import closed, seller
from fablab.billing.closed import ClosedBooks
from fablab.billing.models import LedgerEntry
from fablab.bookkeeping import outside
from fablab.bookkeeping.models import Closing, Span
from fablab.bookkeeping.periods import Period, following, midnight, period
from fablab.bookkeeping.statement import Statement, from_text, hash_of, to_text
from fablab.bookkeeping.totals import Booked, added, booked_between
from fablab.errors import Conflict, NotFound
from fablab.invoicing.models import Chain
from fablab.words import say

PARTS = {Span.YEAR: Span.MONTH, Span.MONTH: Span.DAY}
DAYS_AT_ONCE = 31  # of the ticker, so that a place that was off for a year keeps nobody waiting


@dataclass(frozen=True)
class Closer:
    """Who closes (nobody: the clock), and when."""

    by_id: int | None
    now: datetime


def close_days(session: Session, now: datetime, at_most: int = DAYS_AT_ONCE) -> list[Closing]:
    """Close the days that are over, the oldest first."""
    made: list[Closing] = []
    if next_period(session, Span.DAY, seller.today(now)) is None:
        return made  # most of the time, and nobody has to wait for it
    books = closed.hold(session)
    while len(made) < at_most and (due := next_period(session, Span.DAY, seller.today(now))) is not None:
        made.append(_close(session, books, due, Closer(None, now)))
    outside.after_closing(session, made, now)
    return made


def close(session: Session, span: Span, day: date, closer: Closer) -> list[Closing]:
    """Close a period and all before it, with the days and months inside. Raises `Conflict` when it is not over yet.

    Closed already, it stays as it is and nothing is returned.
    """
    wanted, today = period(span, day), seller.today(closer.now)
    if wanted.last_on >= today:
        raise Conflict(say("This period is not over yet: it can be closed from the day after {day}.", day=_iso(wanted)))
    books = closed.hold(session)
    made = _close_up_to(session, books, wanted, closer)
    outside.after_closing(session, made, closer.now)
    return made


def _iso(wanted: Period) -> str:
    return wanted.last_on.isoformat()


def _close_up_to(session: Session, books: ClosedBooks, wanted: Period, closer: Closer) -> list[Closing]:
    made: list[Closing] = []
    today = seller.today(closer.now)
    while (due := next_period(session, wanted.span, today)) is not None and due.last_on <= wanted.last_on:
        if due.span in PARTS:
            made += _close_up_to(session, books, period(PARTS[due.span], due.last_on), closer)
        made.append(_close(session, books, due, closer))
    return made


def next_period(session: Session, span: Span, today: date) -> Period | None:
    """Return the oldest period of this length that is over and not closed yet, if there is one."""
    last = last_closing(session, span)
    if last is not None:
        due = following(Period(span, last.first_on, last.last_on))
    else:
        first = session.scalar(select(func.min(LedgerEntry.at)))
        if first is None:
            return None
        due = period(span, seller.today(first))
    return due if due.last_on < today else None


def last_closing(session: Session, span: Span) -> Closing | None:
    """Return the newest closing of a length."""
    query = select(Closing).where(Closing.span == span).order_by(Closing.position.desc()).limit(1)
    return session.scalars(query).first()


def _close(session: Session, books: ClosedBooks, due: Period, closer: Closer) -> Closing:
    payload = to_text(_statement(session, due))
    made = Closing(
        position=books.length + 1,
        span=due.span,
        first_on=due.first_on,
        last_on=due.last_on,
        payload=payload,
        previous_hash=books.hash,
        hash=hash_of(books.hash, payload),
        made_at=closer.now,
        by_id=closer.by_id,
    )
    session.add(made)
    books.length, books.hash = made.position, made.hash
    if due.span == Span.DAY:
        books.day, books.until_at = due.last_on, from_text(payload).until_at
    elif due.span == Span.MONTH:
        books.month = due.last_on
    session.flush()
    return made


def _statement(session: Session, due: Period) -> Statement:
    last = last_closing(session, due.span)
    before = from_text(last.payload) if last is not None else None
    from_at, until_at = midnight(due.first_on), midnight(following(due).first_on)
    if before is not None:
        from_at = before.until_at  # also when the place has moved to another time zone
    parts = [from_text(each.payload) for each in parts_of(session, due)]
    if parts:
        from_at, until_at = parts[0].from_at, parts[-1].until_at
    booked = _together(parts) if due.span in PARTS else booked_between(session, from_at, until_at)
    chain = session.get_one(Chain, 1)
    return Statement(
        span=due.span,
        first_on=due.first_on,
        last_on=due.last_on,
        from_at=from_at,
        until_at=until_at,
        bookings=booked.bookings,
        digest=booked.digest,
        period=booked.totals,
        perpetual=added([*(before.perpetual if before else ()), *booked.totals]),
        documents=chain.length,
        last_document=chain.hash,
    )


def _together(parts: Sequence[Statement]) -> Booked:
    totals = added(total for each in parts for total in each.period)
    return Booked(sum(each.bookings for each in parts), totals, "")


def parts_of(session: Session, whole: Period) -> Sequence[Closing]:
    """Return the closed days of a month or the closed months of a year; a day has no parts."""
    if whole.span not in PARTS:
        return []
    query = select(Closing).where(Closing.span == PARTS[whole.span])
    query = query.where(Closing.first_on >= whole.first_on, Closing.last_on <= whole.last_on)
    return session.scalars(query.order_by(Closing.first_on)).all()


def listed(session: Session, span: Span, year: int) -> Sequence[Closing]:
    """Return the closings of a length in a year, newest first."""
    query = select(Closing).where(Closing.span == span)
    query = query.where(Closing.first_on.between(date(year, 1, 1), date(year, 12, 31)))
    return session.scalars(query.order_by(Closing.position.desc())).all()


def numbered(session: Session, position: int) -> Closing:
    """Return the closing at a place in the chain; raises `NotFound`."""
    found = session.scalar(select(Closing).where(Closing.position == position))
    if found is None:
        raise NotFound
    return found
