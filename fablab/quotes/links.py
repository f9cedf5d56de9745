"""Personal links to a quote, for whoever decides and has no account: signed, good as long as the quote is."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab import vault
from fablab.accounts.models import Person
from fablab.accounts.services import EMAIL
from fablab.billing import seller
from fablab.db import new_public_id
from fablab.errors import Conflict, Invalid, NotFound
from fablab.languages import Language
from fablab.notices import services as notices
from fablab.notices.models import Mail
from fablab.notices.services import Outsider
from fablab.quotes import content, queries
from fablab.quotes.models import Quote, QuoteAnswer, QuoteLink, Standing
from fablab.settings import settings
from fablab.words import Day, Euros, Sentence, say

MOST_LINKS = 10


def send(session: Session, quote: Quote, name: str, email: str, by: Person, now: datetime) -> QuoteLink:
    """Send somebody a link with which they read and answer a quote. Sent again to the same address it is the same one.

    Raises `Invalid` naming the field, `Conflict` when the quote cannot be answered any more.
    """
    name, email = " ".join(name.split()), email.strip().lower()
    if not 1 <= len(name) <= 120:
        raise Invalid(say("Please give a name of at most 120 letters."), field="name")
    if not EMAIL.fullmatch(email) or len(email) > 254:
        raise Invalid(say("“{email}” is not an e-mail address.", email=email[:80]), field="email")
    if queries.standing(session, quote, seller.today(now)) != Standing.OPEN:
        raise Conflict(say("This quote cannot be answered any more: please ask for a new one."))
    known = session.scalar(select(QuoteLink).where(QuoteLink.quote_id == quote.id, QuoteLink.email == email))
    if known is not None:
        return known
    sent = session.scalar(select(func.count(QuoteLink.id)).where(QuoteLink.quote_id == quote.id)) or 0
    if sent >= MOST_LINKS:
        raise Conflict(say("This quote was sent to {most} people already.", most=MOST_LINKS))
    return _write(session, QuoteLink(quote_id=quote.id, name=name, email=email, at=now, by_id=by.id), quote, by, now)


def _write(session: Session, link: QuoteLink, quote: Quote, by: Person, now: datetime) -> QuoteLink:
    link.public_id = new_public_id()
    offered = content.from_text(quote.payload)
    words = Language(offered.content.language)
    first = say(
        "{name} sends you quote {number} of {place}: {amount} in all, valid until {day}.",
        name=by.name,
        number=quote.number,
        place=offered.content.seller.name,
        amount=Euros(quote.gross_cents),
        day=Day(quote.valid_until),
    )
    link.mail_id = _mail(session, link, offered.content.language, _subject(quote, words), first, now, waits=False).id
    session.add(link)
    session.flush()
    session.refresh(link)
    return link


def remind(session: Session, link: QuoteLink, now: datetime) -> None:
    """Remind whoever got a link that the quote ends soon."""
    quote = link.quote
    words = Language(content.from_text(quote.payload).content.language)
    first = say("Quote {number} is valid until {day}.", number=quote.number, day=Day(quote.valid_until))
    _mail(session, link, words.code, words.text(say("Quote {number} ends soon", number=quote.number)), first, now)


def _subject(quote: Quote, words: Language) -> str:
    return words.text(say("Quote {number}: your agreement is asked for", number=quote.number))


def _mail(
    session: Session,
    link: QuoteLink,
    language: str,
    subject: str,
    first: Sentence,
    now: datetime,
    *,
    waits: bool = True,
) -> Mail:
    words = Language(language)
    paragraphs = [
        say("Hello {name},", name=link.name),
        first,
        say("Read it, download it as PDF, accept or refuse it here, without an account: {address}", address=url(link)),
        say("This link is for you alone. It opens the quote as long as it can be answered."),
    ]
    body = "\n\n".join(words.text(each) for each in paragraphs)
    return notices.write_to(session, Outsider(link.name, link.email, language), subject, body, now, waits=waits)


def url(link: QuoteLink) -> str:
    """Return the whole address of a link."""
    return f"{settings().public_url.rstrip('/')}{path(link)}"


def path(link: QuoteLink) -> str:
    """Return the path of a link: its name, and the signature that proves that we wrote it."""
    return f"/q/{link.public_id}/{_signature(link.public_id)}"


def opened(session: Session, public_id: str, signature: str) -> QuoteLink:
    """Return the link of an address. Raises `NotFound` in words when it is not one we wrote."""
    found = queries.link(session, public_id)
    if found is None or not hmac.compare_digest(signature.encode(), _signature(public_id).encode()):
        raise NotFound(say("This link is not complete: open it from the mail once more."))
    return found


def shown(session: Session, public_id: str, signature: str, now: datetime) -> QuoteLink:
    """Return the link of an address that opens its quote: as long as that can be answered, or was by this link.

    Raises `NotFound` in words otherwise.
    """
    link = opened(session, public_id, signature)
    answer = session.get(QuoteAnswer, link.quote_id)
    if answer is not None and answer.link_id == link.id:
        return link
    if queries.standing(session, link.quote, seller.today(now)) != Standing.OPEN:
        raise NotFound(say("This quote cannot be answered any more: ask for a new one, this link opens nothing now."))
    return link


def _signature(public_id: str) -> str:
    return hmac.new(vault.derived("quote-link"), public_id.encode(), hashlib.sha256).hexdigest()[:40]
