"""What the mail says that carries a document, in the language of the document."""

from __future__ import annotations

from fablab.invoicing.content import Content
from fablab.invoicing.models import Kind
from fablab.languages import Language
from fablab.words import Euros, Sentence, say


def subject(content: Content) -> str:
    """Return the subject."""
    who = {"number": content.number, "seller": content.seller.name}
    subjects = {
        Kind.INVOICE: say("Invoice {number} from {seller}", **who),
        Kind.DEPOSIT: say("Deposit invoice {number} from {seller}", **who),
        Kind.CREDIT_NOTE: say("Credit note {number} from {seller}", **who),
    }
    return Language(content.language).text(subjects[content.kind])


def body(content: Content) -> str:
    """Return the text: paragraphs parted by empty lines."""
    words = Language(content.language)
    paragraphs = [say("Hello,"), _what(content, words)]
    if content.po_number:
        paragraphs.append(say("Your purchase order: {number}.", number=content.po_number))
    paragraphs += _payable(content, words) if content.kind != Kind.CREDIT_NOTE else []
    paragraphs += [
        say("The attached PDF carries its data for accounting software (Factur-X): please keep it as a file."),
        say("If something is wrong with it, please just tell us."),
    ]
    return "\n\n".join([*map(words.text, paragraphs), signature(content)])


def signature(content: Content) -> str:
    """Return who writes, line by line."""
    return "\n".join(filter(None, (content.seller.name, content.seller.email)))


def how_to_pay(content: Content, words: Language) -> list[Sentence]:
    """Say how an invoice is paid, where it is known."""
    if not content.seller.iban:
        return []
    iban = words.iban(content.seller.iban)
    return [say("By bank transfer to IBAN {iban}, with the reference {number}.", iban=iban, number=content.number)]


def _what(content: Content, words: Language) -> Sentence:
    facts = {
        "number": content.number,
        "issued": words.day(content.issued_on),
        "gross": Euros(content.gross_cents),
    }
    if content.corrects is not None:
        more = {"invoice": content.corrects.number, "reason": content.corrects.reason}
        return say(
            "Please find attached credit note {number} of {issued}, over {gross}. "
            "It corrects invoice {invoice}: {reason}",
            **facts,
            **more,
        )
    if content.kind == Kind.DEPOSIT:
        return say("Please find attached deposit invoice {number} of {issued}, over {gross}.", **facts)
    return say("Please find attached invoice {number} of {issued}, over {gross}.", **facts)


def _payable(content: Content, words: Language) -> list[Sentence]:
    if content.due_cents <= 0:
        return [say("Nothing is left to pay.")]
    due = say("To be paid: {due}, by {day}.", due=Euros(content.due_cents), day=words.day(content.due_on))
    return [due, *how_to_pay(content, words)]
