"""Going to the provider: no transaction is open meanwhile, and what was seen is noted in one of its own."""

from __future__ import annotations

from collections.abc import Callable

from fablab import db
from fablab.db import utcnow
from fablab.languages import Language
from fablab.payments import queries, services
from fablab.payments.models import CardPayment, CardState
from fablab.payments.port import CardPayments, Checkout, NotReached, Refused, Seen
from fablab.payments.providers import provider
from fablab.settings import settings
from fablab.words import Sentence, say


def open_checkout(payment: CardPayment, email: str, language: str) -> None:
    """Open the checkout of a new payment; asked twice, the provider gives the same one. Why not is noted with it."""
    taken_by = provider()
    if taken_by is None or payment.state != CardState.NEW:
        return
    wanted = Checkout(
        reference=payment.public_id,
        amount_cents=payment.amount_cents,
        what=Language(language).text(_what(payment)),
        email=email,
        language=language,
        return_url=f"{settings().public_url.rstrip('/')}/pay/{payment.public_id}",
        until=payment.until,
    )
    try:
        seen = taken_by.open(wanted)
    except NotReached as problem:
        with db.transaction() as session:
            services.not_opened(session, payment.id, problem)
        return
    with db.transaction() as session:
        services.opened(session, payment.id, seen)


def _what(payment: CardPayment) -> Sentence:
    place = settings().place_name
    if payment.document is None:
        return say("Top-up of the wallet, {place}", place=place)
    return say("Invoice {number}, {place}", number=payment.document.number, place=place)


def look(payment: CardPayment) -> CardPayment:
    """Return a payment as it is by now: an open one is looked at, and settled. Raises `NotReached`."""
    return _ask(payment, lambda taken_by, checkout_id: taken_by.look(checkout_id))


def end(payment: CardPayment) -> CardPayment:
    """Let a payment be paid no more, and return what became of it. Raises `NotReached`."""
    if payment.state == CardState.NEW:
        with db.transaction() as session:
            return services.drop(session, payment.id)
    return _ask(payment, lambda taken_by, checkout_id: taken_by.end(checkout_id))


def _ask(payment: CardPayment, ask: Callable[[CardPayments, str], Seen]) -> CardPayment:
    taken_by = provider()
    if taken_by is None or payment.state != CardState.OPEN or payment.provider_id is None:
        return payment
    seen = ask(taken_by, payment.provider_id)
    with db.transaction() as session:
        return services.settle(session, payment.id, seen, utcnow())


def look_at_open() -> None:
    """Look at the payments nobody has heard of for a while: messages get lost, and people close their browsers."""
    with db.transaction() as session:
        services.give_up_unopened(session, utcnow())
    with db.reading() as session:
        waiting = [session.get_one(CardPayment, each) for each in queries.to_look_at(session, utcnow())]
    for payment in waiting:
        try:
            look(payment)
        except Refused as problem:
            with db.transaction() as session:
                services.not_seen(session, payment.id, problem, utcnow())
        except NotReached:
            return  # it would not answer about the others either; the next round begins with them
