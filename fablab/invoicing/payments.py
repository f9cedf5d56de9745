"""Payments and part payments of invoices, refunds, and taking back a payment that was typed wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from fablab.billing import closed, ledger, prepaid, seller
from fablab.billing.ledger import Booking
from fablab.billing.models import Account, EntryKind, LedgerEntry
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid, SentBefore
from fablab.invoicing import advances, chain, queries, telling
from fablab.invoicing.deposit_models import Deduction, Deposit
from fablab.invoicing.models import Document, DocumentOrder, Kind, Method, Payment
from fablab.money import share, spread
from fablab.words import Euros, say

ACCOUNTS = {
    Method.TRANSFER: Account.BANK,
    Method.CARD: Account.CARD,
    Method.CHEQUE: Account.CHEQUE,
    Method.CASH: Account.CASH,
    Method.WALLET: Account.WALLET,
    Method.ONLINE: Account.ONLINE,
}


@dataclass(frozen=True)
class PaymentData:
    """A payment as a bookkeeper enters it; the key makes the same one, sent twice, one payment."""

    method: Method
    amount_cents: int
    received_on: date
    reference: str
    key: str


def pay(session: Session, invoice: Document, data: PaymentData, by_id: int | None, now: datetime) -> Payment:
    """Book money that came for an invoice, or that was paid back when too much had come.

    Raises `Invalid` naming the field, or `Conflict`, as `SentBefore` when the key is that of another payment.
    """
    chain.hold(session)
    found = made_before(session, invoice, data)
    if found is not None:
        return found
    if invoice.kind == Kind.CREDIT_NOTE:
        raise Conflict(say("A payment belongs to an invoice, not to a credit note."))
    balance = queries.balance_cents(session, invoice)
    _must_be_possible(session, invoice, data, balance, seller.today(now))
    closed.refuse_received(session, data.received_on)
    sign = 1 if balance > 0 else -1
    amount = sign * data.amount_cents
    account = ACCOUNTS[data.method]
    holder = invoice.person_id if data.method == Method.WALLET else None
    payment = _write(session, invoice, data, amount, [(account, holder, amount)], by_id)
    telling.paid(session, invoice, payment)
    return payment


def receive(session: Session, invoice: Document, data: PaymentData, by_id: int | None) -> Payment:
    """Book money that has come already, whatever is still due: what is too much is then to be paid back."""
    chain.hold(session)
    found = made_before(session, invoice, data)
    if found is not None:
        return found
    payment = _write(
        session, invoice, data, data.amount_cents, [(ACCOUNTS[data.method], None, data.amount_cents)], by_id
    )
    telling.paid(session, invoice, payment)
    return payment


def made_before(session: Session, invoice: Document, data: PaymentData) -> Payment | None:
    """Return the payment that was made with this key already; raises `SentBefore` when it is another one."""
    found = session.scalar(select(Payment).where(Payment.key == data.key))
    asked = (invoice.id, data.method, data.amount_cents)
    if found is not None and (found.document_id, found.method, abs(found.amount_cents)) != asked:
        raise SentBefore
    return found


def _must_be_possible(session: Session, invoice: Document, data: PaymentData, balance: int, day: date) -> None:
    if balance == 0:
        raise Conflict(say("Nothing is due on this invoice any more."))
    if data.amount_cents <= 0:
        raise Invalid(say("A payment is more than nothing."), field="amount")
    if data.amount_cents > abs(balance):
        sentence = say("Only {due} is due.", due=Euros(balance))
        if balance < 0:
            sentence = say("Only {due} is to be paid back.", due=Euros(-balance))
        raise Invalid(sentence, field="amount")
    if data.received_on > day:
        raise Invalid(say("This day has not come yet."), field="received_on")
    if data.method == Method.WALLET:
        _refuse_wallet(invoice, balance)
    if data.method == Method.ONLINE and balance > 0:
        raise Invalid(say("A payment by card online is noted by itself when it comes."), field="method")
    if data.method == Method.CASH:
        _cash_must_be_possible(session, invoice, data.amount_cents, paid_back=balance < 0)


def _cash_must_be_possible(session: Session, invoice: Document, cents: int, *, paid_back: bool) -> None:
    if paid_back:
        ledger.must_be_in_drawer(session, cents)
    elif _cash_of(session, invoice) + cents > ledger.MOST_CASH_CENTS:
        most = Euros(ledger.MOST_CASH_CENTS)
        raise Invalid(say("At most {most} of a sale may be paid in cash.", most=most), field="method")


def _refuse_wallet(invoice: Document, balance: int) -> None:
    """Raise `Invalid` unless money of this invoice can be paid back into a wallet."""
    if balance > 0 or invoice.person_id is None:
        raise Invalid(say("Into the wallet money can only be paid back, and only to a person."), field="method")
    if invoice.kind == Kind.VOUCHER:
        sentence = say("This money was taken out of the wallet: it is paid back in cash or to the bank.")
        raise Invalid(sentence, field="method")


def _cash_of(session: Session, invoice: Document) -> int:
    """Return what was paid in cash for the sale of an invoice: on it, and on the deposits of the same sale."""
    deducted = select(Deduction.deposit_id).where(Deduction.document_id == invoice.id)
    order_id = select(Deposit.order_id).where(Deposit.document_id == invoice.id)
    others = select(Deposit.document_id).where(Deposit.order_id.in_(order_id))
    sale = or_(Payment.document_id == invoice.id, Payment.document_id.in_(deducted), Payment.document_id.in_(others))
    return session.scalar(select(func.sum(Payment.amount_cents)).where(sale, Payment.method == Method.CASH)) or 0


def settle_from_charges(session: Session, invoice: Document, by_id: int | None) -> Payment:
    """Book that an invoice was paid by what the wallet was charged for its orders, when their parts were good."""
    data = PaymentData(Method.WALLET, invoice.gross_cents, invoice.issued_on, "", f"settled-{invoice.position}")
    vat = sum(_vat_of(session, each) for each in _orders_of(session, invoice))
    lines: prepaid.Lines = [(Account.SALES, None, invoice.gross_cents - vat), (Account.VAT, None, vat)]
    return _write(session, invoice, data, invoice.gross_cents, lines, by_id)


def _orders_of(session: Session, invoice: Document) -> Sequence[DocumentOrder]:
    return session.scalars(select(DocumentOrder).where(DocumentOrder.document_id == invoice.id)).all()


def _vat_of(session: Session, invoiced: DocumentOrder) -> int:
    """Return the VAT that was taken when the wallet was charged for what is invoiced: the invoice books it again."""
    charged = ledger.to_invoice_cents(session, invoiced.order_id)
    return share(ledger.vat_of_charges(session, invoiced.order_id), invoiced.amount_cents, charged) if charged else 0


def settled_cents(session: Session, invoice: Document) -> int:
    """Return what was paid by charges of the wallet and not taken back."""
    found = session.scalar(select(Payment).where(Payment.key == f"settled-{invoice.position}"))
    return found.amount_cents if found is not None and not is_reversed(session, found) else 0


def unsettle(session: Session, invoice: Document, cents: int, by_id: int | None) -> None:
    """Take back at most so much of what `settle_from_charges` booked: that is to be invoiced again."""
    key = f"settled-{invoice.position}"
    found = session.scalar(select(Payment).where(Payment.key == key))
    if found is not None and not is_reversed(session, found):
        _reverse(session, found, f"un{key}", by_id, min(cents, found.amount_cents))


def reverse(session: Session, payment: Payment, by_id: int | None) -> Payment:
    """Take back a payment that was typed wrong, by its exact opposite. Raises `Conflict` when that was done already."""
    chain.hold(session)
    if payment.reverses_id is not None or is_reversed(session, payment):
        raise Conflict(say("This payment was taken back already."))
    if payment.amount_cents > 0 and session.get_one(Document, payment.document_id).kind == Kind.VOUCHER:
        raise Conflict(say("This money is in the wallet: pay it out there instead."))
    if payment.key.startswith("settled-"):
        raise Conflict(say("The wallet paid this when the parts were good: write a credit note instead."))
    return _reverse(session, payment, f"reversal-{payment.id}", by_id, payment.amount_cents)


def moved(payment: Payment) -> dict[Account, int]:
    """Return what a payment moves of money and of what is owed: charges of a wallet settle out of sales."""
    owed = {Account.RECEIVABLE: -payment.amount_cents}
    if payment.key.startswith(("settled-", "unsettled-")):
        return owed
    return {ACCOUNTS[Method(payment.method)]: payment.amount_cents, **owed}


def is_reversed(session: Session, payment: Payment) -> bool:
    """Tell whether a payment was taken back."""
    return session.scalar(select(Payment.id).where(Payment.reverses_id == payment.id)) is not None


def _reverse(session: Session, payment: Payment, key: str, by_id: int | None, cents: int) -> Payment:
    """Book the opposite of so much of a payment. Raises `Conflict` when a wallet does not hold it any more."""
    invoice = session.get_one(Document, payment.document_id)
    entry = session.get_one(LedgerEntry, payment.entry_id)
    kept = {Account.RECEIVABLE}
    if invoice.kind == Kind.DEPOSIT:
        kept |= {Account.VAT, Account.VAT_WAITING}  # follow from what is paid then
    day = seller.today(utcnow())
    data = PaymentData(Method(payment.method), abs(cents), day, payment.reference, key)
    moved = [line for line in entry.lines if line.account not in kept]
    back = spread(abs(cents), [abs(line.amount_cents) for line in moved])
    lines: prepaid.Lines = [
        (Account(line.account), line.holder_id, -part if line.amount_cents > 0 else part)
        for line, part in zip(moved, back, strict=True)
    ]
    _refuse_from_empty_wallets(session, lines)
    return _write(session, invoice, data, -cents, lines, by_id, reverses_id=payment.id)


def _refuse_from_empty_wallets(session: Session, lines: prepaid.Lines) -> None:
    for account, person_id, cents in lines:
        if account != Account.WALLET or person_id is None or cents <= 0:
            continue
        ledger.lock_wallet(session, person_id)
        left = ledger.balance_cents(session, person_id)
        if left < cents:
            raise Conflict(say("Only {left} of it are still in the wallet: it was spent.", left=Euros(left)))


def _write(
    session: Session,
    invoice: Document,
    data: PaymentData,
    amount_cents: int,
    money: prepaid.Lines,
    by_id: int | None,
    *,
    reverses_id: int | None = None,
) -> Payment:
    for holder_id in (holder for _, holder, _ in money if holder is not None):
        ledger.lock_wallet(session, holder_id)
    paid = advances.paid_cents(session, invoice) + amount_cents
    vat = advances.vat_moving(session, invoice, paid, advances.uncredited(session, invoice))
    booking = Booking(
        key=f"payment-{data.key}"[:80],
        kind=EntryKind.PAYMENT if amount_cents > 0 else EntryKind.REFUND,
        lines=[*(line for line in money if line[2]), *vat, (Account.RECEIVABLE, None, -amount_cents)],
        text=say("Invoice {number}", number=invoice.number),
        document_id=invoice.id,
        by_id=by_id,
    )
    payment = Payment(
        document_id=invoice.id,
        entry_id=ledger.post(session, booking).id,
        reverses_id=reverses_id,
        method=data.method,
        amount_cents=amount_cents,
        received_on=data.received_on,
        reference=" ".join(data.reference.split())[:80],
        key=data.key,
        by_id=by_id,
    )
    session.add(payment)
    session.flush()
    return payment
