"""Asking for a card payment online, and booking it once when the money has come, whatever order messages come in."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.billing import ledger, prepaid, seller
from fablab.billing.ledger import Paid
from fablab.billing.models import Account
from fablab.errors import Conflict, Invalid, SentBefore
from fablab.invoicing import chain, topping_up
from fablab.invoicing import payments as invoice_payments
from fablab.invoicing import queries as documents
from fablab.invoicing.models import Document, Kind, Method
from fablab.invoicing.payments import PaymentData
from fablab.payments.models import CardEvent, CardPayment, CardState
from fablab.payments.port import Event, NotReached, Outcome, Seen
from fablab.payments.providers import provider
from fablab.words import Euros, say

SMALLEST_CENTS = 100  # below, fees eat the payment; Stripe takes none below 50
LARGEST_CENTS = 1_000_000
LASTS = timedelta(hours=1)  # Stripe: at least 30 minutes, at most 24 hours
GIVEN_UP_AFTER = timedelta(days=1)
STILL_GOOD = timedelta(minutes=10)
LONGEST_NOTE = 500
UNSETTLED = (CardState.NEW, CardState.OPEN)


def top_up(session: Session, person: Person, amount_cents: int, key: str, now: datetime) -> CardPayment:
    """Ask for a top-up of a person's own wallet. Sent twice it is one.

    Raises `Invalid` naming the field, and `SentBefore` when the key is that of something else.
    """
    ledger.lock_wallet(session, person.id)
    found = _with_key(session, person, key)
    if found is not None:
        if (found.document_id, found.amount_cents) != (None, amount_cents):
            raise SentBefore
        return found
    if amount_cents < SMALLEST_CENTS:
        raise Invalid(say("A payment by card is at least {least}.", least=Euros(SMALLEST_CENTS)), field="amount")
    limit = prepaid.rules_on(session, seller.today(now)).cap_cents
    held, asked = ledger.held_cents(session, person.id), _asked_cents(session, person.id)
    if held + amount_cents > limit:
        raise Invalid(say("A wallet may hold at most {limit}.", limit=Euros(limit)), field="amount")
    if held + asked + amount_cents > limit:
        sentence = say(
            "With the {asked} you have begun to pay, the wallet would hold more than {limit}: pay or end that first.",
            asked=Euros(asked),
            limit=Euros(limit),
        )
        raise Invalid(sentence, field="amount")
    return _ask(session, person, None, amount_cents, key, now)


def _asked_cents(session: Session, person_id: int) -> int:
    """Return what this person may still pay into the wallet by checkouts that are not settled."""
    query = select(func.sum(CardPayment.amount_cents)).where(
        CardPayment.person_id == person_id, CardPayment.document_id.is_(None), CardPayment.state.in_(UNSETTLED)
    )
    return session.scalar(query) or 0


def pay_invoice(session: Session, invoice: Document, person: Person, key: str, now: datetime) -> CardPayment:
    """Ask for the payment of all that is due on an invoice; this person's open one about it is gone on with.

    Raises `Conflict` when nothing is due, and `SentBefore` when the key is that of something else.
    """
    chain.hold(session)
    found = _with_key(session, person, key)
    if found is not None:
        if found.document_id != invoice.id:
            raise SentBefore
        return found
    balance = documents.balance_cents(session, invoice)
    if invoice.kind == Kind.CREDIT_NOTE or balance <= 0:
        raise Conflict(say("Nothing is due on this invoice any more."))
    if not SMALLEST_CENTS <= balance <= LARGEST_CENTS:
        sentence = say(
            "A payment by card is between {least} and {most}.", least=Euros(SMALLEST_CENTS), most=Euros(LARGEST_CENTS)
        )
        raise Conflict(sentence)
    begun = select(CardPayment).where(
        CardPayment.document_id == invoice.id,
        CardPayment.person_id == person.id,
        CardPayment.amount_cents == balance,
        CardPayment.state.in_(UNSETTLED),
        CardPayment.until > now + STILL_GOOD,
    )
    return session.scalars(begun.limit(1)).first() or _ask(session, person, invoice, balance, key, now)


def _with_key(session: Session, person: Person, key: str) -> CardPayment | None:
    return session.scalar(select(CardPayment).where(CardPayment.key == f"{person.id}-{key}"[:80]))


def _ask(
    session: Session, person: Person, invoice: Document | None, cents: int, key: str, now: datetime
) -> CardPayment:
    taken_by = provider()
    if taken_by is None:
        raise Conflict(say("Payments by card online are not offered here."))
    made = CardPayment(
        key=f"{person.id}-{key}"[:80],
        person_id=person.id,
        document_id=invoice.id if invoice else None,
        amount_cents=cents,
        provider=taken_by.name,
        created_at=now,
        until=now + LASTS,
    )
    session.add(made)
    session.flush()
    session.refresh(made)
    return made


def opened(session: Session, payment_id: int, seen: Seen) -> None:
    """Note the checkout that was opened at the provider."""
    payment = _held(session, payment_id)
    if payment.state == CardState.NEW:
        payment.state, payment.provider_id, payment.url, payment.problem = CardState.OPEN, seen.id, seen.url, None
        session.flush()


def not_opened(session: Session, payment_id: int, problem: NotReached) -> None:
    """Note why no checkout was opened; it can be tried again."""
    payment = _held(session, payment_id)
    if payment.state == CardState.NEW:
        payment.problem = problem.sentence
        session.flush()


def heard(session: Session, event: Event, now: datetime) -> None:
    """Act on a message of the provider: once, and only if it is about a checkout of ours."""
    payment_id = session.scalar(
        select(CardPayment.id).where(
            (CardPayment.provider_id == event.seen.id)
            | (CardPayment.provider_id.is_(None) & (CardPayment.public_id == event.seen.reference))
        )
    )
    if payment_id is None:
        return
    payment = _held(session, payment_id)
    if session.get(CardEvent, event.id) is not None:
        return
    session.add(CardEvent(id=event.id[:120], card_payment_id=payment.id, kind=event.kind, at=now))
    settle(session, payment.id, event.seen, now)


def settle(session: Session, payment_id: int, seen: Seen, now: datetime) -> CardPayment:
    """Book a checkout that was paid, once; note one that has ended. Money that has come is booked in any case."""
    payment = _held(session, payment_id)
    payment.looked_at = now
    payment.provider_id = payment.provider_id or seen.id
    if payment.state not in (CardState.PAID, CardState.WRONG, CardState.DEALT_WITH):
        if seen.outcome == Outcome.ENDED:
            payment.state = CardState.ENDED
        elif seen.outcome == Outcome.PAID:
            _paid(session, payment, seen, now)
    session.flush()
    return payment


def _paid(session: Session, payment: CardPayment, seen: Seen, now: datetime) -> None:
    payment.settled_at = now
    if (seen.id, seen.amount_cents, seen.currency) == (payment.provider_id, payment.amount_cents, "eur"):
        payment.state, payment.problem = CardState.PAID, None
        _book(session, payment, now)
        return
    payment.state = CardState.WRONG
    payment.problem = say(
        "{asked} were asked for, the payment service says {paid}: nothing was booked.",
        asked=Euros(payment.amount_cents),
        paid=f"{seen.amount_cents / 100:.2f} {seen.currency.upper()[:3]}",
    )


def _book(session: Session, payment: CardPayment, now: datetime) -> None:
    key, reference = f"online-{payment.id}", (payment.provider_id or "")[-24:]
    if payment.document_id is None:
        paid = Paid(Account.ONLINE, reference)
        topping_up.receive(session, payment.person, payment.amount_cents, payment.person_id, key, paid)
        return
    invoice = session.get_one(Document, payment.document_id)
    data = PaymentData(Method.ONLINE, payment.amount_cents, seller.today(now), reference, key)
    invoice_payments.receive(session, invoice, data, payment.person_id)


def not_seen(session: Session, payment_id: int, problem: NotReached, now: datetime) -> None:
    """Note that the provider does not show an open checkout; long after its end it is given up."""
    payment = _held(session, payment_id)
    if payment.state == CardState.OPEN:
        payment.looked_at, payment.problem = now, problem.sentence
        if now > payment.until + GIVEN_UP_AFTER:
            payment.state = CardState.ENDED
        session.flush()


def drop(session: Session, payment_id: int) -> CardPayment:
    """End a payment whose checkout was never opened."""
    payment = _held(session, payment_id)
    if payment.state == CardState.NEW:
        payment.state = CardState.ENDED
        session.flush()
    return payment


def give_up_unopened(session: Session, now: datetime) -> None:
    """End the payments whose checkout could not be opened in time: nobody got a page to pay on."""
    late = select(CardPayment.id).where(CardPayment.state == CardState.NEW, CardPayment.until < now)
    for payment_id in session.scalars(late):
        drop(session, payment_id)


def deal_with(session: Session, payment_id: int, note: str, by: Person, now: datetime) -> None:
    """Write down what was done about a payment that did not match; sent twice, it is written once.

    Raises `Invalid` without a note, `Conflict` when there is nothing to look at.
    """
    payment = _held(session, payment_id)
    if payment.state == CardState.DEALT_WITH:
        return
    if payment.state != CardState.WRONG:
        raise Conflict(say("There is nothing to look at about this payment."))
    kept = " ".join(note.split())
    if not 1 <= len(kept) <= LONGEST_NOTE:
        raise Invalid(say("Please say what was done, in at most {most} signs.", most=LONGEST_NOTE), field="note")
    done = {"id": dealt_with_id(payment.id), "kind": "dealt_with", "note": kept}
    session.add(CardEvent(card_payment_id=payment.id, at=now, by_id=by.id, **done))
    payment.state = CardState.DEALT_WITH
    session.flush()


def dealt_with_id(payment_id: int) -> str:
    """Return the id of what was written down about a payment that did not match."""
    return f"dealt-with-{payment_id}"


def _held(session: Session, payment_id: int) -> CardPayment:
    """Return a payment that nobody else looks at until the end of this transaction."""
    session.execute(select(CardPayment.id).where(CardPayment.id == payment_id).with_for_update())
    return session.get_one(CardPayment, payment_id, populate_existing=True)
