"""Questions about card payments online."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import case, or_, select
from sqlalchemy.orm import Session

from fablab.accounts import companies
from fablab.accounts.models import Person
from fablab.accounts.permissions import Permission
from fablab.errors import NotFound
from fablab.invoicing.models import Document
from fablab.payments.models import CardEvent, CardPayment, CardState
from fablab.payments.services import UNSETTLED, dealt_with_id

MOST_SHOWN = 100
MOST_AT_ONCE = 50
LOOK_EVERY = timedelta(minutes=2)


def seen_by(session: Session, person: Person, public_id: str) -> CardPayment:
    """Return a card payment of this person, or any for bookkeepers. Raises `NotFound`."""
    found = session.scalar(select(CardPayment).where(CardPayment.public_id == public_id))
    if found is None or not (found.person_id == person.id or person.may(Permission.KEEP_BOOKS)):
        raise NotFound
    return found


def dealt_with(session: Session, payment: CardPayment) -> CardEvent | None:
    """Return what somebody has done about a payment that did not match."""
    return session.get(CardEvent, dealt_with_id(payment.id))


def may_pay(session: Session, person: Person, invoice: Document) -> bool:
    """Tell whether an invoice is this person's to pay: their own, or one of a company they act for."""
    if invoice.company_id is not None:
        return companies.acts_for(session, person, invoice.company_id)
    return invoice.person_id == person.id


def begun_top_ups(session: Session, person_id: int) -> Sequence[CardPayment]:
    """Return the top-ups a person has begun to pay and not ended, the newest first."""
    query = select(CardPayment).where(
        CardPayment.person_id == person_id, CardPayment.document_id.is_(None), CardPayment.state.in_(UNSETTLED)
    )
    return session.scalars(query.order_by(CardPayment.id.desc())).all()


def newest(session: Session) -> Sequence[CardPayment]:
    """Return what has to be looked at, then the newest payments."""
    first = case((CardPayment.state == CardState.WRONG, 0), else_=1)
    return session.scalars(select(CardPayment).order_by(first, CardPayment.id.desc()).limit(MOST_SHOWN)).all()


def to_look_at(session: Session, now: datetime) -> Sequence[int]:
    """Return the open payments nobody has heard of for a while, the longest first."""
    since = now - LOOK_EVERY
    query = select(CardPayment.id).where(
        CardPayment.state == CardState.OPEN,
        CardPayment.created_at < since,
        or_(CardPayment.looked_at.is_(None), CardPayment.looked_at < since),
    )
    longest = CardPayment.looked_at.asc().nulls_first()
    return session.scalars(query.order_by(longest, CardPayment.id).limit(MOST_AT_ONCE)).all()


def any_unsettled(session: Session) -> bool:
    """Tell whether some payment may still come."""
    return session.scalar(select(CardPayment.id).where(CardPayment.state.in_(UNSETTLED)).limit(1)) is not None


def open_of(session: Session, person_id: int) -> bool:
    """Tell whether a card payment of a person may still come, or has to be looked at."""
    unclear = CardPayment.state.in_((*UNSETTLED, CardState.WRONG))
    return (
        session.scalar(select(CardPayment.id).where(CardPayment.person_id == person_id, unclear).limit(1)) is not None
    )
