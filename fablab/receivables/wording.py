"""What a reminder says, level by level, in the language of the company; the law's indemnities in each."""

from __future__ import annotations

from fablab.invoicing.content import Content
from fablab.invoicing.covering import how_to_pay, signature
from fablab.languages import Language
from fablab.settings import settings
from fablab.words import Euros, Sentence, say


def subject(content: Content, level: int) -> str:
    """Return the subject of a reminder."""
    words = Language(content.language)
    subjects = {
        1: say("Reminder: invoice {number}", number=content.number),
        2: say("Second reminder: invoice {number}", number=content.number),
        3: say("Last reminder: invoice {number}", number=content.number),
    }
    return words.text(subjects[level])


def body(content: Content, level: int, owed_cents: int) -> str:
    """Return the text of a reminder: paragraphs parted by empty lines."""
    words = Language(content.language)
    paragraphs = [
        say("Hello,"),
        _asks(level),
        say(
            "Invoice {number} of {issued}, over {gross}: {owed} were due on {due}.",
            number=content.number,
            issued=words.day(content.issued_on),
            gross=Euros(content.gross_cents),
            owed=Euros(owed_cents),
            due=words.day(content.due_on),
        ),
        *how_to_pay(content, words),
        *_law(content),
        say("The invoice is attached once more."),
        say("If you have paid in the meantime, or something is wrong with the invoice, please just tell us."),
    ]
    signed = [words.text(each) for each in paragraphs]
    return "\n\n".join([*signed, signature(content)])


def _asks(level: int) -> Sentence:
    if level == 1:
        return say("It may have escaped you: according to our books, an invoice is still open.")
    if level == 2:
        return say("We have reminded you already, and the invoice is still open. Please pay it within eight days.")
    return say(
        "In spite of our reminders this invoice is not paid. This is our last reminder before we hand the claim over "
        "for recovery: please pay within eight days of this message."
    )


def _law(content: Content) -> list[Sentence]:
    """Name the penalties as the invoice does, and the indemnity that the law fixes for companies."""
    late = [each.text for each in content.mentions if each.code == "late_penalty"]
    indemnity = say(
        "The law (art. L441-10 II and D441-5 of the French commercial code) gives us, for every invoice a company pays "
        "late, a fixed indemnity of €40 for the costs of recovery, due without reminder, besides penalties for late "
        "payment."
    )
    return [indemnity, *[Sentence("{text}", {"text": text}) for text in late]]


def days() -> tuple[int, ...]:
    """Return after how many days overdue each level is sent. Raises `ValueError` when they do not rise."""
    found = tuple(int(each) for each in settings().overdue_days.split(","))
    if list(found) != sorted(set(found)):
        raise ValueError("FABLAB_OVERDUE_DAYS must be three numbers, each larger than the one before")
    return found
