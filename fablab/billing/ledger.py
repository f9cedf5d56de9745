"""The append-only double-entry ledger. A balance is a sum of lines; nothing is ever changed or taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab import bus
from fablab.accounts.models import Person
from fablab.billing import closed, prepaid, seller, vouchers
from fablab.billing.models import Account, EntryKind, LedgerEntry, LedgerLine
from fablab.billing.vouchers import Part
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid, SentBefore
from fablab.money import spread
from fablab.words import N_, Euros, Sentence, say


@dataclass(frozen=True)
class Booking:
    """A booking to be made: its key, kind and text, and the amounts by account and holder."""

    key: str
    kind: EntryKind
    lines: Sequence[tuple[Account, int | None, int]]
    text: Sentence
    order_id: int | None = None
    by_id: int | None = None
    document_id: int | None = None


def post(session: Session, booking: Booking) -> LedgerEntry:
    """Write a booking. The same key twice is one booking. Raises like `write`."""
    found = session.scalar(select(LedgerEntry.id).where(LedgerEntry.key == booking.key))
    return session.get_one(LedgerEntry, found) if found is not None else write(session, booking)


def write(session: Session, booking: Booking) -> LedgerEntry:
    """Write a booking whose key nobody can have used before, such as one of a new document; `post` writes the others.

    Raises `ValueError` when it does not balance, `Conflict` when its day is closed.
    """
    if sum(amount for _, _, amount in booking.lines) != 0 or not booking.lines:
        raise ValueError(f"the booking {booking.key} does not balance")
    entry = LedgerEntry(
        at=closed.moment_to_book(session),
        key=booking.key,
        kind=booking.kind,
        text=booking.text,
        order_id=booking.order_id,
        document_id=booking.document_id,
        by_id=booking.by_id,
        lines=[
            LedgerLine(account=account, holder_id=holder_id, amount_cents=amount)
            for account, holder_id, amount in booking.lines
        ],
    )
    session.add(entry)
    session.flush()
    for holder_id in {holder for _, holder, _ in booking.lines if holder is not None}:
        bus.tell(session, f"wallet-{holder_id}")
    return entry


def balance_cents(session: Session, person_id: int, account: Account = Account.WALLET) -> int:
    """Return what a person has in the wallet (or reserved from it), in cents."""
    total = select(func.sum(LedgerLine.amount_cents)).where(
        LedgerLine.account == account, LedgerLine.holder_id == person_id
    )
    return -(session.scalar(total) or 0)


def reserved_cents(session: Session, order_id: int) -> int:
    """Return what is still reserved for an order, in cents."""
    total = (
        select(func.sum(LedgerLine.amount_cents))
        .join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
        .where(LedgerEntry.order_id == order_id, LedgerLine.account == Account.RESERVED)
    )
    return -(session.scalar(total) or 0)


def charged_cents(session: Session, order_id: int) -> int:
    """Return what was charged for an order so far, without what was given back, in cents."""
    return sum(sold_by_account(session, order_id).values())


def vat_of_charges(session: Session, order_id: int) -> int:
    """Return how much of what was charged for an order was taken for VAT at once, in cents; not that of vouchers."""
    sold = sold_by_account(session, order_id)
    of_vouchers = vouchers.total(vouchers.of_order(session, order_id)).vat_cents
    return sold.get(Account.VAT, 0) + sold.get(Account.VAT_PREPAID, 0) - of_vouchers


def to_invoice_cents(session: Session, order_id: int) -> int:
    """Return what was charged for an order without what vouchers paid: that stands on the invoices of top-ups."""
    return charged_cents(session, order_id) - vouchers.total(vouchers.of_order(session, order_id)).cents


def sold_by_account(session: Session, order_id: int) -> dict[Account, int]:
    """Return where the wallet's money for an order is: sales and VAT, without what was given back, in cents."""
    query = (
        select(LedgerLine.account, func.sum(LedgerLine.amount_cents))
        .join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
        .where(LedgerEntry.order_id == order_id, LedgerEntry.kind.in_((EntryKind.CHARGE, EntryKind.REFUND)))
        .where(LedgerLine.account.not_in((Account.WALLET, Account.RESERVED)))
        .group_by(LedgerLine.account)
        .order_by(LedgerLine.account)
    )
    return {Account(account): -cents for account, cents in session.execute(query)}


def refunded_cents(session: Session, order_id: int) -> int:
    """Return what of an order's charges was booked back into the wallet, in cents."""
    total = (
        select(func.sum(LedgerLine.amount_cents))
        .join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
        .where(LedgerEntry.order_id == order_id, LedgerEntry.kind == EntryKind.REFUND)
        .where(LedgerLine.account == Account.WALLET)
    )
    return -(session.scalar(total) or 0)


def receivable_cents(session: Session, document_ids: Collection[int]) -> int:
    """Return what is still owed for some documents together (an invoice and its credit notes), in cents."""
    total = (
        select(func.sum(LedgerLine.amount_cents))
        .join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
        .where(LedgerEntry.document_id.in_(document_ids), LedgerLine.account == Account.RECEIVABLE)
    )
    return session.scalar(total) or 0


def booked_cents(session: Session, key: str, account: Account) -> int:
    """Return what the booking with a key moved on an account: nothing when there is none."""
    total = (
        select(func.sum(LedgerLine.amount_cents))
        .join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
        .where(LedgerEntry.key == key, LedgerLine.account == account)
    )
    return session.scalar(total) or 0


def entries_of(session: Session, order_id: int) -> int:
    """Return how many bookings an order has; it numbers the next one."""
    return session.scalar(select(func.count(LedgerEntry.id)).where(LedgerEntry.order_id == order_id)) or 0


def lock_wallet(session: Session, person_id: int) -> None:
    """Let only one transaction at a time look at and move this person's money."""
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True))


@dataclass(frozen=True)
class Paid:
    """How money for a wallet came: into which account, and the number of the cheque or the transfer."""

    account: Account = Account.CASH
    reference: str = ""


MOST_CASH_CENTS = 100_000  # CMF D112-3: neither businesses nor people who live in France pay more in cash

TOP_UP_TEXTS: dict[Account, str] = {
    Account.CASH: N_("Cash at the desk"),
    Account.CARD: N_("Card terminal at the desk"),
    Account.CHEQUE: N_("Cheque at the desk"),
    Account.BANK: N_("Bank transfer"),
}
RECEIVED_TEXTS = {**TOP_UP_TEXTS, Account.ONLINE: N_("Card, online")}
IN_CASH = Paid()


def top_up(
    session: Session, person: Person, amount_cents: int, by_id: int, key: str, paid: Paid = IN_CASH
) -> LedgerEntry:
    """Put money that was received into a wallet, without an invoice; the same key twice is one top-up.

    Raises `Invalid`, and `SentBefore` when the key is that of something else.
    """
    lock_wallet(session, person.id)
    found = made_before(session, person, amount_cents, key, paid)
    if found is not None:
        return found
    refuse_top_up(session, person, amount_cents, paid)
    return receive(session, person, amount_cents, by_id, key, paid)


def refuse_top_up(session: Session, person: Person, amount_cents: int, paid: Paid) -> None:
    """Raise `Invalid` when so much cannot be put into a wallet at the desk; the wallet must be locked."""
    if amount_cents <= 0:
        raise Invalid(say("A top-up is more than nothing."), field="amount")
    if paid.account not in TOP_UP_TEXTS:
        raise ValueError(f"nobody pays by {paid.account} at the desk")
    if paid.account == Account.CASH and amount_cents > MOST_CASH_CENTS:
        raise Invalid(say("At most {most} of a sale may be paid in cash.", most=Euros(MOST_CASH_CENTS)), field="amount")
    limit = prepaid.rules_on(session, seller.today(utcnow())).cap_cents
    if held_cents(session, person.id) + amount_cents > limit:
        raise Invalid(say("A wallet may hold at most {limit}.", limit=Euros(limit)), field="amount")


def with_key(session: Session, key: str) -> LedgerEntry | None:
    """Return the booking with a key, if there is one."""
    return session.scalar(select(LedgerEntry).where(LedgerEntry.key == key))


def made_before(session: Session, person: Person, cents: int, key: str, paid: Paid) -> LedgerEntry | None:
    """Return the booking with a key, if there is one.

    Raises `SentBefore` when it did not put so much into this person's wallet; less than nothing: took it out.
    """
    found = with_key(session, key)
    lines = {(paid.account, None, cents), (Account.WALLET, person.id, -cents)}
    if found is not None and not lines <= {(each.account, each.holder_id, each.amount_cents) for each in found.lines}:
        raise SentBefore
    return found


def receive(session: Session, person: Person, amount_cents: int, by_id: int, key: str, paid: Paid) -> LedgerEntry:
    """Book money for a wallet that has come already, whatever the wallet holds; the same key twice is one booking."""
    lock_wallet(session, person.id)
    lines: prepaid.Lines = [(paid.account, None, amount_cents), (Account.WALLET, person.id, -amount_cents)]
    return post(session, Booking(key, EntryKind.TOP_UP, lines, _top_up_text(paid), by_id=by_id))


PAY_OUT_TEXTS: dict[Account, str] = {
    Account.CASH: N_("Paid out in cash"),
    Account.BANK: N_("Paid out by bank transfer"),
}


def pay_out(session: Session, person: Person, amount_cents: int, by_id: int, key: str, paid: Paid) -> LedgerEntry:
    """Pay money of a wallet that is no voucher back to its person; the same key twice is one booking.

    VAT of an older top-up goes back with it. Raises `Invalid` naming the field, also when the drawer does not hold what
    is to be paid in cash, and `SentBefore` when the key is that of something else.
    """
    lock_wallet(session, person.id)
    found = made_before(session, person, -amount_cents, key, paid)
    if found is not None:
        return found
    refuse_pay_out(session, person, amount_cents, paid)
    held = held_cents(session, person.id)
    if amount_cents > held - vouchers.left_cents(session, person.id):
        raise ValueError("a voucher is paid out with a credit note")
    older = prepaid.vat_to_pay_out(session, person.id, amount_cents, held)
    lines: prepaid.Lines = [(Account.WALLET, person.id, amount_cents), (paid.account, None, -amount_cents)]
    if older:
        lines += [(Account.VAT, None, older), (Account.VAT_PREPAID, None, -older)]
    text, reference = say(PAY_OUT_TEXTS[paid.account]), " ".join(paid.reference.split())[:80]
    said = say("{how} · {reference}", how=text, reference=reference) if reference else text
    return post(session, Booking(key, EntryKind.REFUND, lines, said, by_id=by_id))


def refuse_pay_out(session: Session, person: Person, amount_cents: int, paid: Paid) -> None:
    """Raise `Invalid` when so much cannot be paid out of a wallet: what is reserved stays. It must be locked."""
    if paid.account not in PAY_OUT_TEXTS:
        raise ValueError(f"nobody is paid by {paid.account}")
    left = balance_cents(session, person.id)
    if not 0 < amount_cents <= left:
        raise Invalid(say("Between €0.01 and what is free in the wallet, {left}.", left=Euros(left)), field="amount")
    if paid.account == Account.CASH:
        must_be_in_drawer(session, amount_cents)


def cash_cents(session: Session) -> int:
    """Return what the cash drawer holds, in cents."""
    total = select(func.sum(LedgerLine.amount_cents)).where(LedgerLine.account == Account.CASH)
    return session.scalar(total) or 0


def must_be_in_drawer(session: Session, amount_cents: int) -> None:
    """Let nobody else book until the end of this transaction. Raises `Invalid` when the drawer does not hold so much.

    Wallets are locked before, never after: so nobody waits for somebody who waits for them.
    """
    closed.hold(session)
    held = cash_cents(session)
    if amount_cents > held:
        raise Invalid(say("The drawer holds {held}.", held=Euros(held)), field="amount")


def _top_up_text(paid: Paid) -> Sentence:
    text, reference = say(RECEIVED_TEXTS[paid.account]), " ".join(paid.reference.split())[:80]
    return say("{how} · {reference}", how=text, reference=reference) if reference else text


def held_cents(session: Session, person_id: int) -> int:
    """Return what a person has in the wallet, with what is reserved, in cents."""
    return balance_cents(session, person_id) + balance_cents(session, person_id, Account.RESERVED)


def reserve(session: Session, person_id: int, order_id: int, amount_cents: int, key: str, text: Sentence) -> None:
    """Set money aside for an order. Raises `Conflict` when the wallet does not hold enough."""
    lock_wallet(session, person_id)
    missing = amount_cents - balance_cents(session, person_id)
    if missing > 0:
        raise Conflict(
            say(
                "{missing} are missing in your wallet: top it up at the desk, then confirm again.",
                missing=Euros(missing),
            )
        )
    lines = [(Account.WALLET, person_id, amount_cents), (Account.RESERVED, person_id, -amount_cents)]
    post(session, Booking(key, EntryKind.RESERVATION, lines, text, order_id=order_id, by_id=person_id))


def release(session: Session, person_id: int, order_id: int, key: str, text: Sentence, by_id: int | None) -> None:
    """Give back whatever is still reserved for an order."""
    lock_wallet(session, person_id)
    amount = reserved_cents(session, order_id)
    if amount:
        lines = [(Account.RESERVED, person_id, amount), (Account.WALLET, person_id, -amount)]
        post(session, Booking(key, EntryKind.RELEASE, lines, text, order_id=order_id, by_id=by_id))


def charge(
    session: Session, person_id: int, order_id: int, amount_cents: int, key: str, text: Sentence, by_id: int
) -> None:
    """Turn a part of an order's reservation into a sale. Raises `Conflict` rather than charge more than is reserved."""
    if amount_cents < 0:
        raise ValueError(f"{amount_cents} cents would be charged for order {order_id}")
    lock_wallet(session, person_id)
    if amount_cents > reserved_cents(session, order_id):
        raise Conflict(say("More would be charged than was confirmed: this needs a person who knows the ledger."))
    if amount_cents and with_key(session, key) is None:
        sold = prepaid.sale(session, person_id, amount_cents, held_cents(session, person_id))
        lines = [(Account.RESERVED, person_id, amount_cents), *sold.lines]
        made = write(session, Booking(key, EntryKind.CHARGE, lines, text, order_id=order_id, by_id=by_id))
        vouchers.note(session, made.id, sold.parts)


def give_back(
    session: Session, person_id: int, order_id: int, amount_cents: int, key: str, text: Sentence, by_id: int
) -> None:
    """Book a part of what was charged for an order back into the wallet, from sales and VAT alike.

    What vouchers paid is a voucher again. Raises `Conflict` rather than give back more than was charged.
    """
    lock_wallet(session, person_id)
    if with_key(session, key) is not None:
        return
    sold = sold_by_account(session, order_id)
    charged = sum(sold.values())
    if amount_cents > charged:
        raise Conflict(say("Nothing that was charged for this order is left to give back."))
    parts = vouchers.given_back(session, order_id, amount_cents, charged)
    back = _from_sales(sold, vouchers.total(vouchers.of_order(session, order_id)), vouchers.total(parts), amount_cents)
    lines: prepaid.Lines = [(account, None, cents) for account, cents in back.items() if cents]
    lines.append((Account.WALLET, person_id, -amount_cents))
    made = write(session, Booking(key, EntryKind.REFUND, lines, text, order_id=order_id, by_id=by_id))
    vouchers.note(session, made.id, parts, sign=-1)


def _from_sales(sold: dict[Account, int], used: Part, back: Part, amount_cents: int) -> dict[Account, int]:
    """Return what leaves each account when an amount is given back, and so much of it to vouchers."""
    of_vouchers = {Account.SALES: used.cents - used.vat_cents, Account.VAT_PREPAID: used.vat_cents}
    others = {account: cents - of_vouchers.get(account, 0) for account, cents in sold.items()}
    rest = amount_cents - back.cents
    shares = dict(zip(others, spread(rest, list(others.values())), strict=True)) if rest else {}
    to_vouchers = {Account.SALES: back.cents - back.vat_cents, Account.VAT_PREPAID: back.vat_cents}
    return {account: shares.get(account, 0) + to_vouchers.get(account, 0) for account in sold | to_vouchers}


@dataclass(frozen=True)
class WalletLine:
    """One line of a wallet's history: what happened, what it changed, and the balance after it."""

    entry: LedgerEntry
    wallet_cents: int
    reserved_cents: int
    balance_cents: int


def history(session: Session, person_id: int) -> list[WalletLine]:
    """Return a wallet's history, newest first; every cent of the balance is on a line."""
    theirs = select(LedgerLine.entry_id).where(LedgerLine.holder_id == person_id)
    query = select(LedgerEntry).where(LedgerEntry.id.in_(theirs)).order_by(LedgerEntry.id)
    balance, lines = 0, []
    for entry in session.scalars(query):
        wallet = _of(entry, Account.WALLET, person_id)
        balance += wallet
        lines.append(WalletLine(entry, wallet, _of(entry, Account.RESERVED, person_id), balance))
    return lines[::-1]


def _of(entry: LedgerEntry, account: Account, person_id: int) -> int:
    return -sum(line.amount_cents for line in entry.lines if line.account == account and line.holder_id == person_id)


def unbalanced(session: Session) -> list[int]:
    """Return the entries whose lines do not sum to zero: there are none."""
    sums = select(LedgerLine.entry_id).group_by(LedgerLine.entry_id).having(func.sum(LedgerLine.amount_cents) != 0)
    return list(session.scalars(sums))
