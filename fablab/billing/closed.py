"""How far the books are closed: the one row that every booking looks at and every closing moves on."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from fablab.db import Base, utcnow
from fablab.errors import Conflict, Invalid
from fablab.words import Day, say


class ClosedBooks(Base):
    """The end of the chain of closings. Bookings share a lock on it, a closing takes it alone.

    So a closing has seen every booking of its period, and triggers refuse later ones that are dated inside it.
    """

    __tablename__ = "closed_books"

    id: Mapped[int] = mapped_column(primary_key=True)
    length: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    day: Mapped[date | None]
    month: Mapped[date | None]
    until_at: Mapped[datetime | None]


def hold(session: Session) -> ClosedBooks:
    """Let nobody book until the end of this transaction, and return how far the books are closed."""
    query = select(ClosedBooks).where(ClosedBooks.id == 1)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one()


def _shared(session: Session) -> ClosedBooks:
    """Return how far the books are closed, and let nobody close more of them until the end of this transaction.

    What holds until then is asked once. A savepoint asks for itself: its lock goes when it is rolled back.
    """
    asked: tuple[SessionTransaction | None, ClosedBooks] | None = session.info.get("closed_books")
    if asked is not None and asked[0] is _innermost(session):
        return asked[1]
    query = select(ClosedBooks).where(ClosedBooks.id == 1).with_for_update(read=True)
    books = session.scalars(query.execution_options(populate_existing=True)).one()
    session.info["closed_books"] = _innermost(session), books
    return books


def _innermost(session: Session) -> SessionTransaction | None:
    return session.get_nested_transaction() or session.get_transaction()


def moment_to_book(session: Session) -> datetime:
    """Return the moment a booking is dated: now, in books that stay open until the end of this transaction.

    Raises `Conflict` when that is inside a closed period, because the clock was set back.
    """
    books, now = _shared(session), utcnow()
    if books.day is not None and books.until_at is not None and now < books.until_at:
        raise _closed(books.day)
    return now


def refuse_day(session: Session, day: date) -> None:
    """Raise `Conflict` when a document would be dated inside a closed period."""
    books = _shared(session)
    if books.day is not None and day <= books.day:
        raise _closed(books.day)


def refuse_from(session: Session, day: date) -> None:
    """Raise `Invalid` when something that holds from a day on would hold inside a closed period."""
    books = _shared(session)
    if books.day is not None and day <= books.day:
        sentence = say(
            "The books are closed until {day}: let it hold from a later day.",
            day=Day(books.day),
        )
        raise Invalid(sentence, field="valid_from")


def _closed(day: date) -> Conflict:
    sentence = say(
        "The books are closed until {day}, nothing can be dated before: check the clock of this computer.",
        day=Day(day),
    )
    return Conflict(sentence)


def refuse_received(session: Session, day: date) -> None:
    """Raise `Invalid` when money would be noted as received in a month that was closed."""
    books = _shared(session)
    if books.month is not None and day <= books.month:
        sentence = say(
            "The month is closed until {day}: take a later day, and name the real one in the reference.",
            day=Day(books.month),
        )
        raise Invalid(sentence, field="received_on")
