"""Everything a person can be told. A new kind is one word, one entry here, and one call of `services.tell`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fablab.words import N_


class Group(StrEnum):
    """Kinds that a person chooses mails for together."""

    ESSENTIAL = "essential"
    ORDERS = "orders"
    PICK_UP = "pick_up"
    MESSAGES = "messages"
    MONEY = "money"


GROUP_LABELS: dict[Group, str] = {
    Group.ESSENTIAL: N_("Prices to confirm, questions and invoices"),
    Group.ORDERS: N_("How my orders get on"),
    Group.PICK_UP: N_("Parts to collect, and reminders"),
    Group.MESSAGES: N_("Messages from the volunteers"),
    Group.MONEY: N_("Payments received"),
}
ALWAYS = frozenset({Group.ESSENTIAL})
"""Groups whose mails nobody can decline: somebody waits for the answer, or the law asks for the mail."""


class Pace(StrEnum):
    """How soon mails come."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    NEVER = "never"


PACE_LABELS: dict[Pace, str] = {
    Pace.AT_ONCE: N_("At once"),
    Pace.DAILY: N_("Once a day, together"),
    Pace.NEVER: N_("No mail"),
}


class Kind(StrEnum):
    """What a notice is about."""

    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    CHANGES = "changes"
    DECLINED = "declined"
    HAND_PRICE = "hand_price"
    MESSAGE = "message"
    NEW_PRICE = "new_price"
    READY = "ready"
    PRINTED_AGAIN = "printed_again"
    FAILED = "failed"
    FAILED_PAID = "failed_paid"
    ON_HOLD = "on_hold"
    CANCELLED = "cancelled"
    REMINDER = "reminder"
    ABANDONED = "abandoned"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    REFUNDED = "refunded"
    REPRINTED = "reprinted"
    REFUND_REFUSED = "refund_refused"
    QUOTE = "quote"
    QUOTE_ACCEPTED = "quote_accepted"
    QUOTE_REFUSED = "quote_refused"
    QUOTE_ENDS = "quote_ends"
    QUOTE_EXPIRED = "quote_expired"


@dataclass(frozen=True)
class Wording:
    """The group of a kind, and its English title and text with the names of what is put in."""

    group: Group
    title: str
    text: str


WORDINGS: dict[Kind, Wording] = {
    Kind.CONFIRMED: Wording(
        Group.ORDERS,
        N_("“{file}” is confirmed"),
        N_("The order is confirmed for {price}. You are told when the parts are ready."),
    ),
    Kind.ACCEPTED: Wording(
        Group.ORDERS,
        N_("“{file}” is accepted"),
        N_("Somebody looked at your order, and it is confirmed for {price}. They say: {reason}"),
    ),
    Kind.CHANGES: Wording(
        Group.ESSENTIAL,
        N_("“{file}”: please change something"),
        N_("Somebody looked at your order and asks for a change before it is made: {reason}"),
    ),
    Kind.DECLINED: Wording(
        Group.ESSENTIAL,
        N_("“{file}” is declined"),
        N_("Your order is not made, and nothing is charged for it. Reason: {reason}"),
    ),
    Kind.HAND_PRICE: Wording(
        Group.ESSENTIAL,
        N_("“{file}”: the place has set a price"),
        N_("Your order can be made for {price}. It waits until you confirm it. They say: {reason}"),
    ),
    Kind.MESSAGE: Wording(
        Group.MESSAGES,
        N_("{name} wrote to you about “{subject}”"),
        N_("“{text}”"),
    ),
    Kind.NEW_PRICE: Wording(
        Group.ESSENTIAL,
        N_("“{file}”: a new price to confirm"),
        N_("Preparing the print showed that it costs {price}. Nothing is printed before you say yes."),
    ),
    Kind.READY: Wording(
        Group.PICK_UP,
        N_("“{file}” is ready to collect"),
        N_("Your parts wait for you at {place}. Say this code when you come: {code}."),
    ),
    Kind.PRINTED_AGAIN: Wording(
        Group.ORDERS,
        N_("“{file}” is printed again"),
        N_("A try failed. It is made again free of charge; you have nothing to do."),
    ),
    Kind.ON_HOLD: Wording(
        Group.ESSENTIAL,
        N_("“{file}” is on hold"),
        N_("A volunteer has put your print on hold to look at it first. It is not lost; you can ask at the place."),
    ),
    Kind.FAILED: Wording(
        Group.ORDERS,
        N_("“{file}” cannot be printed like this"),
        N_("Copies that failed because of the file: {copies}. You pay nothing for them. Ask the place what to change."),
    ),
    Kind.FAILED_PAID: Wording(
        Group.ORDERS,
        N_("“{file}” cannot be printed like this"),
        N_(
            "Copies that failed because of the file: {copies}. What was printed of them costs {amount}. Ask the place "
            "what to change."
        ),
    ),
    Kind.CANCELLED: Wording(
        Group.ORDERS,
        N_("“{file}” is cancelled"),
        N_("The order is cancelled. What was still reserved for it is free again."),
    ),
    Kind.REMINDER: Wording(
        Group.PICK_UP,
        N_("“{file}” still waits for you"),
        N_("Your parts have been ready for a while, at {place}. Say this code when you come: {code}."),
    ),
    Kind.ABANDONED: Wording(
        Group.PICK_UP,
        N_("“{file}” is not kept any longer"),
        N_("The parts were taken off the shelf. Reason: {reason}"),
    ),
    Kind.INVOICE: Wording(
        Group.ESSENTIAL,
        N_("Invoice {number}"),
        N_("Invoice {number} over {amount} was issued. The PDF is on its page."),
    ),
    Kind.CREDIT_NOTE: Wording(
        Group.ESSENTIAL,
        N_("Credit note {number}"),
        N_("Credit note {number} over {amount} was issued. The PDF is on its page."),
    ),
    Kind.PAYMENT: Wording(
        Group.MONEY,
        N_("Payment received for {number}"),
        N_("{amount} was received for invoice {number}. Thank you."),
    ),
    Kind.REFUNDED: Wording(
        Group.ESSENTIAL,
        N_("“{file}”: {amount} given back"),
        N_("Your request was accepted: {amount} were given back for this order. {reason}"),
    ),
    Kind.REPRINTED: Wording(
        Group.ESSENTIAL,
        N_("“{file}” is printed again"),
        N_("Your request was accepted: it is printed again free of charge. {reason}"),
    ),
    Kind.REFUND_REFUSED: Wording(
        Group.ESSENTIAL,
        N_("“{file}”: your request was refused"),
        N_("The place cannot give money back or print it again. Reason: {reason}"),
    ),
    Kind.QUOTE: Wording(
        Group.ESSENTIAL,
        N_("Quote {number}"),
        N_("Quote {number} over {amount} is written. It can be answered until {day}."),
    ),
    Kind.QUOTE_ACCEPTED: Wording(
        Group.ESSENTIAL,
        N_("Quote {number} is accepted"),
        N_("{name} has accepted it: the order is made for {amount}."),
    ),
    Kind.QUOTE_REFUSED: Wording(
        Group.ESSENTIAL,
        N_("Quote {number} is refused"),
        N_("{name} has refused it. The order is a draft again, which can be changed. {reason}"),
    ),
    Kind.QUOTE_ENDS: Wording(
        Group.ESSENTIAL,
        N_("Quote {number} ends soon"),
        N_("It is about {amount} and can be answered until {day}."),
    ),
    Kind.QUOTE_EXPIRED: Wording(
        Group.ORDERS,
        N_("Quote {number} has expired"),
        N_("It was valid until {day}. The order is a draft again: a new quote has the prices of today."),
    ),
}
