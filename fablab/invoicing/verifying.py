"""Checking the books from end to end: chain, numbers, documents against their content, ledger, payments, wallets.

Everything is read in the order of the chain, so the first finding is the first broken link. Nothing is changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Row, func, or_, select, union
from sqlalchemy.orm import Session

from fablab.billing import ledger, projects
from fablab.billing.models import Account, LedgerEntry, LedgerLine
from fablab.invoicing import (
    advances,
    aided,
    chain,
    checking_deposits,
    checking_payments,
    checking_vouchers,
    own_checks,
)
from fablab.invoicing.content import Content, from_text
from fablab.invoicing.deposit_models import Deposit
from fablab.invoicing.models import SERIES, Chain, Counter, Document, DocumentOrder, Kind
from fablab.orders.models import Order
from fablab.words import Euros, Sentence, say

COLUMNS = [
    column for column in Document.__table__.columns if column.key not in ("public_id", "issued_at", "issued_by_id")
]
REPEATED = ("kind", "number", "issued_on", "due_on", "regime", "net_cents", "vat_cents", "gross_cents")
AT_ONCE = 2_000


@dataclass
class Seen:
    """What was seen so far along the chain."""

    position: int = 0
    hash: str = chain.START
    day: date | None = None
    last: dict[tuple[str, str, int], int] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)
    numbers: dict[int, str] = field(default_factory=dict)
    kinds: dict[int, Kind] = field(default_factory=dict)
    owners: dict[int, tuple[int | None, int | None]] = field(default_factory=dict)


def findings(session: Session) -> Iterator[Sentence]:
    """Tell what is wrong, in the order of the chain: nothing, if the books are as they were written."""
    booked = _booked(session)
    seen = Seen()
    query = select(*COLUMNS).order_by(Document.position).execution_options(yield_per=AT_ONCE)
    for row in session.execute(query):
        yield from _link(row, seen)
        try:
            content = from_text(row.payload)
        except ValueError:
            yield say("{number} cannot be read any more.", number=row.number)
            continue
        yield from _says(row, content, seen)
        yield from _is_booked(row, content, seen, booked.pop(row.id, {}))
    yield from _end(session, seen)
    for document_id in booked:
        yield say("Bookings belong to document {id}, which is not in the chain.", id=document_id)
    yield from checking_payments.findings(session, seen.numbers)
    yield from _orders(session, seen)
    yield from _owners(session)
    yield from checking_deposits.findings(session, seen.left)
    yield from aided.findings(session)
    yield from checking_vouchers.findings(session)
    yield from _ledger(session)


def _link(row: Row[tuple[object, ...]], seen: Seen) -> Iterator[Sentence]:
    """Check a document's place in the chain, its hash, its number and its date."""
    if row.position != seen.position + 1:
        yield say(
            "Before {number}, document {position} of the chain is missing.",
            number=row.number,
            position=seen.position + 1,
        )
    if row.previous_hash != seen.hash:
        yield say("{number} does not follow the document before it: the chain is broken here.", number=row.number)
    if chain.hash_of(row.previous_hash, row.payload) != row.hash:
        yield say("{number} was changed after it was issued: its hash is another one.", number=row.number)
    place = (row.structure, SERIES[Kind(row.kind)], row.issued_on.year)
    expected = seen.last.get(place, 0) + 1
    if row.number != chain.number_text(place[1], place[2], expected):
        wanted = chain.number_text(place[1], place[2], expected)
        yield say(
            "{number} stands where {wanted} belongs: numbers have a gap or a duplicate.",
            number=row.number,
            wanted=wanted,
        )
    if seen.day is not None and row.issued_on < seen.day:
        yield say("{number} is dated before the document before it.", number=row.number)
    seen.position, seen.hash, seen.day = row.position, row.hash, row.issued_on
    seen.last[place] = expected
    seen.numbers[row.id] = row.number


def _says(row: Row[tuple[object, ...]], content: Content, seen: Seen) -> Iterator[Sentence]:
    """Check what a document says: its columns, its sums, its VAT, and that credit notes stay within their invoice."""
    wrong = [name for name in REPEATED if getattr(content, name) != getattr(row, name)]
    wrong += _mistied(row, content, seen)
    if wrong:
        yield say(
            "{number}: what the list says differs from the document ({fields}).",
            number=row.number,
            fields=", ".join(wrong),
        )
    yield from own_checks.findings(content)
    seen.kinds[row.id] = content.kind
    if content.kind != Kind.CREDIT_NOTE:
        seen.left[row.id] = row.gross_cents
        return
    seen.left[row.corrects_id] = seen.left.get(row.corrects_id, 0) - row.gross_cents
    if seen.left[row.corrects_id] < 0:
        yield say("{number}: more is credited than the invoice was about.", number=row.number)


def _mistied(row: Row[tuple[object, ...]], content: Content, seen: Seen) -> Iterator[str]:
    """Name the columns that tie a document to something else than it says: its invoice, its company or its person.

    A credit note goes to whom its invoice went, and nothing goes to a company and to a person.
    """
    if seen.numbers.get(row.corrects_id) != (content.corrects.number if content.corrects else None):
        yield "corrects_id"
    company_id, person_id = seen.owners.setdefault(row.corrects_id or row.id, (row.company_id, row.person_id))
    if row.company_id != company_id or content.buyer.is_company != (row.company_id is not None):
        yield "company_id"
    if row.person_id != person_id or None not in (row.company_id, row.person_id):
        yield "person_id"


def _booked(session: Session) -> dict[int, dict[Account, int]]:
    """Return what was booked when each document was issued, by account."""
    query = (
        select(LedgerEntry.document_id, LedgerLine.account, func.sum(LedgerLine.amount_cents))
        .join(LedgerLine, LedgerLine.entry_id == LedgerEntry.id)
        .where(LedgerEntry.document_id.is_not(None), LedgerEntry.kind.in_(("invoice", "credit_note")))
        .group_by(LedgerEntry.document_id, LedgerLine.account)
    )
    booked: dict[int, dict[Account, int]] = defaultdict(dict)
    for document_id, account, amount in session.execute(query):
        booked[int(document_id or 0)][Account(account)] = amount
    return dict(booked)


def _is_booked(
    row: Row[tuple[object, ...]], content: Content, seen: Seen, booked: dict[Account, int]
) -> Iterator[Sentence]:
    about = seen.kinds.get(row.corrects_id or row.id, content.kind)
    wanted = advances.booked(content, about)
    if about == Kind.DEPOSIT and content.kind == Kind.CREDIT_NOTE:  # its VAT waited or was due, as far as it was paid
        waited, due = booked.pop(Account.VAT_WAITING, 0), booked.pop(Account.VAT, 0)
        booked = {**booked, **({Account.VAT_WAITING: waited + due} if waited + due else {})}
    if booked != wanted:
        yield say("{number}: the ledger does not say what the document says.", number=row.number)


def _end(session: Session, seen: Seen) -> Iterator[Sentence]:
    """Check that nothing is missing at the end of the chain."""
    head = session.get_one(Chain, 1)
    if (head.length, head.hash) != (seen.position, seen.hash):
        yield say(
            "The chain ends at document {found}, but {issued} were issued: the end is missing or was replaced.",
            found=seen.position,
            issued=head.length,
        )
    for counter in session.scalars(select(Counter)):
        last = seen.last.get((counter.structure, counter.series, counter.year), 0)
        if counter.last != last:
            yield say(
                "The series {series}-{year} has {found} documents, but its counter says {counted}.",
                series=counter.series,
                year=str(counter.year),
                found=last,
                counted=counter.last,
            )


def _orders(session: Session, seen: Seen) -> Iterator[Sentence]:
    """Check that no order was invoiced for more than its price, and that a document is about what its orders cost."""
    amount = func.sum(DocumentOrder.amount_cents)
    parts = select(DocumentOrder.document_id, amount, Document.net_cents, Document.gross_cents)
    parts = parts.join(Document, Document.id == DocumentOrder.document_id)
    for document_id, cents, net, gross in session.execute(
        parts.group_by(DocumentOrder.document_id, Document.net_cents, Document.gross_cents)
    ):
        if cents > 0 and cents not in (net, gross):
            yield say("{number}: its orders cost something else.", number=seen.numbers.get(document_id, "?"))
    orders = select(DocumentOrder.order_id, amount, Order.price_cents).join(Order, Order.id == DocumentOrder.order_id)
    for order_id, cents, price in session.execute(orders.group_by(DocumentOrder.order_id, Order.price_cents)):
        if not 0 <= cents <= (price or 0):
            yield say(
                "Order {order} was invoiced for {cents} at a price of {price}.",
                order=order_id,
                cents=Euros(cents),
                price=Euros(price or 0),
            )


def _owners(session: Session) -> Iterator[Sentence]:
    """Check that documents go to those whose orders they are about."""
    about = union(
        select(DocumentOrder.document_id, DocumentOrder.order_id), select(Deposit.document_id, Deposit.order_id)
    ).subquery()
    not_theirs = or_(
        Order.company_id.is_distinct_from(Document.company_id),
        Document.company_id.is_(None) & Order.person_id.is_distinct_from(Document.person_id),
    )
    query = select(Document.number, Document.position).join(about, about.c.document_id == Document.id)
    query = query.join(Order, Order.id == about.c.order_id).where(not_theirs).distinct().order_by(Document.position)
    for number, _ in session.execute(query):
        yield say("{number}: its orders are those of somebody else.", number=number)


def _ledger(session: Session) -> Iterator[Sentence]:
    """Check that every booking balances, and that no wallet or reservation is below nothing."""
    for entry_id in ledger.unbalanced(session):
        yield say("Booking {entry} does not balance.", entry=entry_id)
    holders = (
        select(LedgerLine.holder_id, LedgerLine.account)
        .where(LedgerLine.account.in_((Account.WALLET, Account.RESERVED)))
        .group_by(LedgerLine.holder_id, LedgerLine.account)
        .having(func.sum(LedgerLine.amount_cents) > 0)
    )
    for holder_id, account in session.execute(holders):
        yield say("Person {holder} has less than nothing on the account {account}.", holder=holder_id, account=account)
    for project_id in projects.below_nothing(session):
        yield say("Project {project} has less than nothing left or reserved.", project=project_id)
    empty = select(LedgerEntry.id).where(~select(LedgerLine.id).where(LedgerLine.entry_id == LedgerEntry.id).exists())
    for entry_id in session.scalars(empty):
        yield say("Booking {entry} has no lines.", entry=entry_id)


def counted(session: Session) -> tuple[int, int]:
    """Return how many documents and bookings there are."""
    documents = session.scalar(select(func.count(Document.id))) or 0
    return documents, session.scalar(select(func.count(LedgerEntry.id))) or 0
