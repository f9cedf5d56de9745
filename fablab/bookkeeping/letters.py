"""What leaves the system as text: the digests of closings, so that a copy outside proves that nothing was rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fablab.bookkeeping.models import Closing
from fablab.bookkeeping.periods import name
from fablab.bookkeeping.statement import from_text
from fablab.languages import Language
from fablab.words import Euros, Sentence, say


@dataclass(frozen=True)
class Letter:
    """A mail: its subject and its text, paragraphs parted by empty lines."""

    subject: str
    text: str


def of_closings(closings: Sequence[Closing], place: str, language: Language) -> Letter:
    """Return the mail that carries the digests of one closing or of several, in their order, out of the system."""
    first, last = closings[0].position, closings[-1].position
    subject = _title(closings[0], place)
    if first != last:
        subject = say("{place}: closings {first} to {last}", place=place, first=first, last=last)
    keep = say("Keep this message: the books can only be rewritten in a way that no longer matches it.")
    paragraphs = ["\n".join(language.text(line) for line in _lines(each, place)) for each in closings]
    return Letter(language.text(subject), "\n\n".join([*paragraphs, language.text(keep)]) + "\n")


def _title(closing: Closing, place: str) -> Sentence:
    said = from_text(closing.payload)
    period = name(said.span, said.first_on)
    return say("{place}: closing {number}, {period}", place=place, number=closing.position, period=period)


def _lines(closing: Closing, place: str) -> tuple[Sentence, ...]:
    said = from_text(closing.payload)
    turnover = sum(each.credit_cents - each.debit_cents for each in said.period if each.account == "sales")
    return (
        _title(closing, place),
        say("Bookings: {count}; sales: {sales}", count=said.bookings, sales=Euros(turnover)),
        say("Documents issued so far: {count}", count=said.documents),
        say("Digest of this closing: {digest}", digest=closing.hash),
        say("Digest of the closing before: {digest}", digest=closing.previous_hash),
    )
