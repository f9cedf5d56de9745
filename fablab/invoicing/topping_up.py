"""Money for wallets and out of them again, with the documents the prepaid regime asks for.

Where a top-up is the sale (single-purpose vouchers), it is invoiced and paid in one transaction, and what is paid out
of such a wallet is credited. Everywhere else it is a booking alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.billing import ledger, prepaid, seller, vouchers
from fablab.billing.ledger import IN_CASH, Paid
from fablab.billing.models import LedgerEntry
from fablab.billing.vouchers import Voucher
from fablab.db import utcnow
from fablab.errors import SentBefore
from fablab.invoicing import addresses, chain, crediting, issuing, payments, queries
from fablab.invoicing.content import from_text
from fablab.invoicing.crediting import Credit
from fablab.invoicing.issuing import Command, Draft, Item
from fablab.invoicing.models import Document, Kind, Payment
from fablab.invoicing.payments import PaymentData
from fablab.languages import Language
from fablab.words import say

METHODS = {account: method for method, account in payments.ACCOUNTS.items()}


def top_up(
    session: Session, person: Person, amount_cents: int, by_id: int, key: str, paid: Paid = IN_CASH
) -> LedgerEntry:
    """Put money that was received at the desk into a wallet; the same key twice is one top-up.

    Raises `Invalid`, `SentBefore` when the key is that of something else, and `Conflict` when it has to be invoiced and
    nobody has said who sells.
    """
    if not prepaid.vat_due_at_top_up(session, seller.today(utcnow())):
        return _made_before(session, person, amount_cents, key, paid) or ledger.top_up(
            session, person, amount_cents, by_id, key, paid
        )
    chain.hold(session)
    ledger.lock_wallet(session, person.id)
    found = _made_before(session, person, amount_cents, key, paid)
    if found is not None:
        return found
    ledger.refuse_top_up(session, person, amount_cents, paid)
    return _invoice(session, person, amount_cents, Command(key, by_id, utcnow()), paid)


def receive(session: Session, person: Person, amount_cents: int, by_id: int, key: str, paid: Paid) -> LedgerEntry:
    """Book money for a wallet that has come already, whatever the wallet holds; the same key twice is one booking.

    Where it should be invoiced and cannot be, because nobody has said who sells, its VAT is due when it is used.
    """
    day = seller.today(utcnow())
    if not (prepaid.vat_due_at_top_up(session, day) and seller.can_invoice_vat(session, day)):
        return _made_before(session, person, amount_cents, key, paid) or ledger.receive(
            session, person, amount_cents, by_id, key, paid
        )
    chain.hold(session)
    ledger.lock_wallet(session, person.id)
    found = _made_before(session, person, amount_cents, key, paid)
    return found or _invoice(session, person, amount_cents, Command(key, by_id, utcnow()), paid)


def _made_before(session: Session, person: Person, cents: int, key: str, paid: Paid) -> LedgerEntry | None:
    """Return the booking this very top-up has had already, by an invoice or alone.

    Raises `SentBefore` when its key is that of something else.
    """
    document = session.scalar(select(Document).where(Document.key == key))
    if document is None:
        return ledger.made_before(session, person, cents, key, paid)
    data = PaymentData(METHODS[paid.account], cents, document.issued_on, paid.reference, key)
    if document.person_id != person.id or payments.made_before(session, document, data) is None:
        raise SentBefore
    return ledger.with_key(session, f"document-{document.position}")


def _invoice(session: Session, person: Person, cents: int, command: Command, paid: Paid) -> LedgerEntry:
    method, day = METHODS[paid.account], seller.today(command.now)
    language = addresses.language_of(person)
    text = Language(language).text(say("Prepaid credit for 3D prints in this place (single-purpose voucher)"))
    draft = Draft(
        buyer=addresses.buyer_of(session, person),
        items=(Item(text, 1, cents),),
        language=language,
        person_id=person.id,
        paid=True,
        paid_by=method,
        kind=Kind.VOUCHER,
    )
    made = issuing.issue(session, draft, command)
    session.add(Voucher(document_id=made.id, person_id=person.id, cents=cents, vat_cents=made.vat_cents))
    session.flush()
    payments.receive(session, made, PaymentData(method, cents, day, paid.reference, command.key), command.by_id)
    return session.scalars(select(LedgerEntry).where(LedgerEntry.key == f"document-{made.position}")).one()


def pay_out(session: Session, person: Person, amount_cents: int, by_id: int, key: str, paid: Paid) -> None:
    """Pay money of a wallet back to its person; the same key twice is one pay-out. What is reserved stays.

    What is left of vouchers goes first, the oldest first, each with a credit note. Raises `Invalid` naming the field,
    and `SentBefore` when the key is that of something else.
    """
    chain.hold(session)
    ledger.lock_wallet(session, person.id)
    if _paid_out_before(session, person, amount_cents, key, paid):
        return
    ledger.refuse_pay_out(session, person, amount_cents, paid)
    parts = vouchers.taken(vouchers.left(session, person.id), amount_cents)
    for number, part in enumerate(parts, start=1):
        _credit(session, session.get_one(Document, part.document_id), part.cents, f"{key}-{number}", by_id, paid)
    rest = amount_cents - vouchers.total(parts).cents
    if rest:
        ledger.pay_out(session, person, rest, by_id, key, paid)


def _paid_out_before(session: Session, person: Person, cents: int, key: str, paid: Paid) -> bool:
    """Tell whether this very pay-out was made already. Raises `SentBefore` when its key is that of another."""
    query = select(Payment.method, Document.person_id, Payment.amount_cents)
    query = query.join(Document, Document.id == Payment.document_id)
    parts = session.execute(query.where(Payment.key.startswith(f"{key}-", autoescape=True))).all()
    rest = cents + sum(part.amount_cents for part in parts)
    found = ledger.made_before(session, person, -rest, key, paid)
    if not parts:
        return found is not None
    others = {(part.method, part.person_id) for part in parts} - {(METHODS[paid.account], person.id)}
    if others or (rest and found is None):
        raise SentBefore
    return True


def _credit(session: Session, invoice: Document, cents: int, key: str, by_id: int, paid: Paid) -> None:
    """Credit a part of a voucher and pay it back."""
    command = Command(key, by_id, utcnow())
    reason = Language(from_text(invoice.payload).language).text(say("Paid out of the wallet"))
    note = crediting.issue(session, invoice, Credit(cents, reason), command)
    data = PaymentData(METHODS[paid.account], cents, note.issued_on, paid.reference, key)
    payments.pay(session, invoice, data, by_id, command.now)


@dataclass(frozen=True)
class PaidWith:
    """A top-up that paid for an order: its invoice, how much of it, and whether the person may look at the invoice."""

    document: Document
    cents: int
    may_be_seen: bool


def that_paid(session: Session, person: Person, order_id: int) -> list[PaidWith]:
    """Return the invoiced top-ups that paid for an order, the oldest first, as a person sees them."""
    found = [(session.get_one(Document, each.document_id), each.cents) for each in vouchers.of_order(session, order_id)]
    return [PaidWith(each, cents, queries.may_see(session, person, each)) for each, cents in found]
