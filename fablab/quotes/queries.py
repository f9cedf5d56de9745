"""Questions about quotes: where each stands, and who may see and answer it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session

from fablab.accounts import companies
from fablab.accounts.models import CompanyMember, CompanyRole, Person
from fablab.accounts.permissions import Permission
from fablab.errors import NotFound
from fablab.orders import queries as order_queries
from fablab.orders.models import Order, OrderState
from fablab.quotes.content import from_text
from fablab.quotes.models import Quote, QuoteAnswer, QuoteLink, Reply, Standing

MOST_LISTED = 200


@dataclass(frozen=True)
class Listed:
    """A quote on the list."""

    quote: Quote
    buyer_name: str
    standing: Standing


def standing(session: Session, quote: Quote, today: date) -> Standing:
    """Return where a quote stands. One whose order has gone another way meanwhile was withdrawn."""
    answer = session.get(QuoteAnswer, quote.id)
    if answer is not None:
        return Standing(Reply(answer.reply).value)
    if quote.valid_until < today:
        return Standing.EXPIRED
    newest = session.scalar(select(Quote.id).where(Quote.order_id == quote.order_id).order_by(Quote.version.desc()))
    return Standing.OPEN if quote.order.state == OrderState.OFFERED and newest == quote.id else Standing.WITHDRAWN


def seen_by(session: Session, person: Person, public_id: str) -> Quote:
    """Return a quote this person may see: of their own order, of their company, any for who works here.

    Raises `NotFound` otherwise.
    """
    found = session.scalar(select(Quote).where(Quote.public_id == public_id))
    if found is None or not may_see(session, person, found):
        raise NotFound
    return found


def answered_by(session: Session, person: Person, public_id: str) -> Quote:
    """Return a quote this person may answer; raises `NotFound`."""
    found = seen_by(session, person, public_id)
    if not may_answer(session, person, found):
        raise NotFound
    return found


def may_see(session: Session, person: Person, quote: Quote) -> bool:
    """Tell whether a person may see a quote."""
    works_here = person.may(Permission.KEEP_BOOKS) or person.may(Permission.RUN_BOARD)
    return works_here or quote.order.person_id == person.id or companies.acts_for(session, person, quote.company_id)


def may_answer(session: Session, person: Person, quote: Quote) -> bool:
    """Tell whether a person may answer a quote: who decides about its order, or a buyer of its company."""
    if order_queries.decides(person, quote.order):
        return quote.company_id is None or companies.acts_for(session, person, quote.company_id, CompanyRole.BUYER)
    return companies.acts_for(session, person, quote.company_id, CompanyRole.BUYER)


def listed(session: Session, person: Person, today: date) -> list[Listed]:
    """Return the quotes a person may see, newest first."""
    query = select(Quote).where(_visible(person)).order_by(Quote.id.desc()).limit(MOST_LISTED)
    return [_listed(session, each, today) for each in session.scalars(query)]


def _listed(session: Session, quote: Quote, today: date) -> Listed:
    return Listed(quote, from_text(quote.payload).content.buyer.name, standing(session, quote, today))


def of_order(session: Session, order_id: int, today: date) -> list[Listed]:
    """Return the quotes of an order, newest first."""
    query = select(Quote).where(Quote.order_id == order_id).order_by(Quote.version.desc())
    return [_listed(session, each, today) for each in session.scalars(query)]


def _visible(person: Person) -> ColumnElement[bool]:
    if person.may(Permission.KEEP_BOOKS) or person.may(Permission.RUN_BOARD):
        return true()
    own = Quote.order_id.in_(select(Order.id).where(Order.person_id == person.id))
    theirs = select(CompanyMember.company_id).where(CompanyMember.person_id == person.id)
    return or_(own, Quote.company_id.in_(theirs))


def links_of(session: Session, quote: Quote) -> Sequence[QuoteLink]:
    """Return the links that were sent to a quote, oldest first."""
    return session.scalars(select(QuoteLink).where(QuoteLink.quote_id == quote.id).order_by(QuoteLink.id)).all()


def link(session: Session, public_id: str) -> QuoteLink | None:
    """Return a link by its public id."""
    return session.scalar(select(QuoteLink).where(QuoteLink.public_id == public_id))
