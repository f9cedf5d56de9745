"""Checking vouchers: each is what the invoice of its top-up says, and nothing of it is used twice."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.billing import ledger, vouchers
from fablab.billing.vouchers import Voucher
from fablab.invoicing.models import Document, Kind
from fablab.words import Euros, Sentence, say


def findings(session: Session) -> Iterator[Sentence]:
    """Tell what is wrong with vouchers."""
    noted = {each.document_id: each for each in session.scalars(select(Voucher))}
    for document in session.scalars(select(Document).where(Document.kind == Kind.VOUCHER)):
        found = noted.pop(document.id, None)
        said = (document.person_id, document.gross_cents, document.vat_cents)
        if found is None or (found.person_id, found.cents, found.vat_cents) != said:
            yield say("{number}: what is noted of this top-up is not what its invoice says.", number=document.number)
        else:
            yield from _used(session, document, found)
    for document_id in noted:
        yield say("A voucher belongs to document {id}, which is no invoice of a top-up.", id=document_id)
    for person_id in session.scalars(select(Voucher.person_id).group_by(Voucher.person_id)):
        left, held = vouchers.left_cents(session, person_id), ledger.held_cents(session, person_id)
        if left > held:
            yield say(
                "Person {holder} has {left} left of vouchers, and only {held} in the wallet.",
                holder=person_id,
                left=Euros(left),
                held=Euros(held),
            )


def _used(session: Session, document: Document, voucher: Voucher) -> Iterator[Sentence]:
    left = vouchers.left_of(session, voucher)
    credited = session.scalar(select(func.sum(Document.gross_cents)).where(Document.corrects_id == document.id)) or 0
    if not 0 <= left.vat_cents <= left.cents <= voucher.cents - credited:
        yield say("{number}: more was used of this top-up than it was about.", number=document.number)
