"""The chain of issued documents: one at a time, numbered without gaps, each hashed with the one before it."""

from __future__ import annotations

import hashlib
from datetime import date

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from fablab.errors import Conflict
from fablab.invoicing.content import Content, to_text
from fablab.invoicing.models import SERIES, Chain, Counter, Document, Kind
from fablab.words import Day, say

START = "0" * 64


def hold(session: Session) -> Chain:
    """Let nobody else issue until the end of this transaction, and return the end of the chain."""
    return session.scalars(
        select(Chain).where(Chain.id == 1).with_for_update().execution_options(populate_existing=True)
    ).one()


def hash_of(previous: str, payload: str) -> str:
    """Return the hash of a document: SHA-256 over the hash before it and exactly what the document says."""
    return hashlib.sha256(f"{previous}\n{payload}".encode()).hexdigest()


def number_text(series: str, year: int, number: int) -> str:
    """Write a number as it is printed."""
    return f"{series}-{year}-{number:05d}"


def next_number(session: Session, structure: str, kind: Kind, day: date) -> str:
    """Take the next number; the chain must be held. Given back by itself when the transaction is rolled back."""
    series = SERIES[kind]
    place = {"structure": structure, "series": series, "year": day.year}
    taken = update(Counter).filter_by(**place).values(last=Counter.last + 1).returning(Counter.last)
    number = session.scalar(taken, execution_options={"synchronize_session": False})
    if number is None:
        number = 1
        session.execute(insert(Counter).values(**place, last=number))
    return number_text(series, day.year, number)


def in_order(head: Chain, day: date) -> None:
    """Raise `Conflict` when a document would be dated before the last one: dates follow the numbers."""
    if head.issued_on is not None and day < head.issued_on:
        raise Conflict(
            say("The last document is dated {day}: check the clock of this computer.", day=Day(head.issued_on))
        )


def append(session: Session, head: Chain, document: Document, content: Content) -> Document:
    """Write a document at the end of the chain, which must be held."""
    document.payload = to_text(content)
    document.position, document.previous_hash = head.length + 1, head.hash
    document.hash = hash_of(document.previous_hash, document.payload)
    session.add(document)
    head.length, head.hash, head.issued_on = document.position, document.hash, document.issued_on
    session.flush()
    return document
