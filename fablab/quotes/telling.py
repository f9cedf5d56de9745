"""Who is told of quotes: the person who asked for one, and everybody who buys for the company that pays."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fablab.accounts import companies
from fablab.accounts.models import CompanyRole, Person
from fablab.notices import services as notices
from fablab.notices.kinds import Kind
from fablab.notices.services import News
from fablab.quotes.models import Quote, Reply
from fablab.words import Day, Euros


def issued(session: Session, quote: Quote) -> None:
    """Tell that a quote was written."""
    _tell(session, quote, Kind.QUOTE, amount=Euros(quote.gross_cents), day=Day(quote.valid_until))


def answered(session: Session, quote: Quote, reply: Reply, name: str, reason: str = "") -> None:
    """Tell how a quote was answered, and by whom."""
    if reply == Reply.ACCEPTED:
        _tell(session, quote, Kind.QUOTE_ACCEPTED, name=name, amount=Euros(quote.gross_cents))
    else:
        _tell(session, quote, Kind.QUOTE_REFUSED, name=name, reason=reason)


def ending(session: Session, quote: Quote) -> None:
    """Remind that a quote ends soon."""
    _tell(session, quote, Kind.QUOTE_ENDS, amount=Euros(quote.gross_cents), day=Day(quote.valid_until))


def ended(session: Session, quote: Quote) -> None:
    """Tell that a quote has ended without an answer."""
    _tell(session, quote, Kind.QUOTE_EXPIRED, day=Day(quote.valid_until))


def _tell(session: Session, quote: Quote, kind: Kind, **params: object) -> None:
    news = News(kind, f"{kind}-{quote.id}", f"/quotes/{quote.public_id}", {"number": quote.number, **params})
    for person in people(session, quote):
        notices.tell(session, person, news)


def people(session: Session, quote: Quote) -> list[Person]:
    """Return who is told of a quote."""
    found = {quote.order.person_id: quote.order.person}
    if quote.company_id is not None:
        for member in companies.people_of(session, quote.company_id):
            if member.role == CompanyRole.BUYER:
                found[member.person_id] = member.person
    return list(found.values())
