"""What the payment service pays out to the bank, less its fee: entered by the treasurer from its statement."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.billing import closed, ledger
from fablab.billing.ledger import Booking
from fablab.billing.models import Account, EntryKind, LedgerLine
from fablab.errors import Invalid
from fablab.words import Euros, say


def held_cents(session: Session) -> int:
    """Return what the payment service holds for us, as the ledger says."""
    total = select(func.sum(LedgerLine.amount_cents)).where(LedgerLine.account == Account.ONLINE)
    return session.scalar(total) or 0


def book(session: Session, arrived_cents: int, fee_cents: int, reference: str, by_id: int, key: str) -> None:
    """Book a payout: what arrived at the bank, and the fee that was kept. Sent twice, it is one. Raises `Invalid`."""
    closed.hold(session)
    booking_key = f"payout-{key}"
    held = held_cents(session) - ledger.booked_cents(session, booking_key, Account.ONLINE)
    if arrived_cents < 0 or fee_cents < 0 or arrived_cents + fee_cents == 0:
        raise Invalid(say("Enter what arrived and the fee: neither is less than nothing."), field="arrived")
    if arrived_cents + fee_cents > held:
        raise Invalid(say("The payment service holds {held}.", held=Euros(held)), field="arrived")
    amounts = {Account.BANK: arrived_cents, Account.CARD_FEES: fee_cents, Account.ONLINE: -arrived_cents - fee_cents}
    lines = [(account, None, cents) for account, cents in amounts.items() if cents]
    text = say("Paid out by the payment service")
    if reference.strip():
        text = say("{how} · {reference}", how=text, reference=" ".join(reference.split())[:80])
    ledger.post(session, Booking(booking_key, EntryKind.PAYOUT, lines, text, by_id=by_id))
