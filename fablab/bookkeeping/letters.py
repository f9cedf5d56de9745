"""What leaves the system as text: the digest of a closing, so that a copy outside proves that nothing was rewritten."""

from __future__ import annotations

from dataclasses import dataclass

from fablab.bookkeeping.models import Closing
from fablab.bookkeeping.periods import name
from fablab.bookkeeping.statement import from_text
from fablab.languages import Language
from fablab.words import Euros, say


@dataclass(frozen=True)
class Letter:
    """A mail: its subject and its text."""

    subject: str
    text: str


def of_closing(closing: Closing, place: str, language: Language) -> Letter:
    """Return the mail that carries the digest of a closing out of the system."""
    said = from_text(closing.payload)
    period = name(said.span, said.first_on)
    turnover = sum(each.credit_cents - each.debit_cents for each in said.period if each.account == "sales")
    lines = (
        say("{place}: closing {number}, {period}", place=place, number=closing.position, period=period),
        say("Bookings: {count}; sales: {sales}", count=said.bookings, sales=Euros(turnover)),
        say("Documents issued so far: {count}", count=said.documents),
        say("Digest of this closing: {digest}", digest=closing.hash),
        say("Digest of the closing before: {digest}", digest=closing.previous_hash),
        say("Keep this message: the books can only be rewritten in a way that no longer matches it."),
    )
    texts = [language.text(each) for each in lines]
    return Letter(texts[0], "\n".join(texts) + "\n")
