"""Checking deposits: what invoices say they deduct is what is noted, and nothing is deducted or credited twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.invoicing.content import Content, from_text
from fablab.invoicing.deposit_models import Deduction, Deposit
from fablab.invoicing.models import Document, Kind
from fablab.words import Euros, Sentence, say

Noted = Counter[tuple[int, str]]


def findings(session: Session, left: Mapping[int, int]) -> Iterator[Sentence]:
    """Tell what is wrong with deposits; `left` is what credit notes have left of each invoice."""
    yield from _noted(session)
    taken = select(Deduction.deposit_id, func.sum(Deduction.net_cents + Deduction.vat_cents))
    for deposit_id, cents in session.execute(taken.group_by(Deduction.deposit_id)):
        if not 0 <= cents <= left.get(deposit_id, 0):
            number = session.get_one(Document, deposit_id).number
            yield say(
                "{number}: {taken} were deducted of a deposit of {left}.",
                number=number,
                taken=Euros(int(cents)),
                left=Euros(left.get(deposit_id, 0)),
            )
    alone = select(Document.number).where(Document.kind == Kind.DEPOSIT)
    alone = alone.where(Document.id.not_in(select(Deposit.document_id)))
    for number in session.scalars(alone):
        yield say("{number}: nobody knows which order this deposit is for.", number=number)


def _noted(session: Session) -> Iterator[Sentence]:
    """Compare the deductions that are noted with those that documents state."""
    noted: Noted = Counter()
    query = select(Deduction, Document.number).join(Document, Document.id == Deduction.deposit_id)
    for each, number in session.execute(query):
        noted[each.document_id, number] += each.net_cents + each.vat_cents
    written = select(Document).where(Document.id.in_({document_id for document_id, _ in noted}))
    stated: Noted = Counter()
    for document in session.scalars(written):
        content = from_text(document.payload)
        stated.update({(document.id, number): cents for number, cents in _stated(content).items()})
    for document_id, number in sorted(noted.keys() | stated.keys()):
        if noted[document_id, number] != stated[document_id, number]:
            yield say(
                "{number}: what it deducts of deposit {deposit} is not what is noted.",
                number=session.get_one(Document, document_id).number,
                deposit=number,
            )


def _stated(content: Content) -> Counter[str]:
    sign = -1 if content.kind == Kind.CREDIT_NOTE else 1
    sums: Counter[str] = Counter()
    for each in content.deposits:
        sums[each.number] += sign * each.gross_cents
    return sums
