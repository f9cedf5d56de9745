"""Deposits as the books hold them: what is left of one, what may be deducted, and how much of its VAT is due yet.

VAT of a deposit falls due when it is paid. Until then it waits on an account of its own, and so does the deposit
itself, as an advance received, until an invoice deducts it. What an invoice does not deduct of it is credited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from fablab.billing import prepaid
from fablab.billing.models import Account, LedgerEntry, LedgerLine, Regime
from fablab.errors import Conflict
from fablab.invoicing.amounts import RateSum, minus, part_of
from fablab.invoicing.content import Content, Deducted, from_text
from fablab.invoicing.deposit_models import Deduction, Deposit
from fablab.invoicing.models import Document, Kind, Payment
from fablab.money import share
from fablab.words import say


@dataclass(frozen=True)
class Open:
    """A deposit that is not used up: what neither credit notes nor invoices took of it, and what of that is paid."""

    document: Document
    content: Content
    left: tuple[RateSum, ...]
    paid_cents: int

    @property
    def left_cents(self) -> int:
        """What is left, with VAT."""
        return _gross(self.left)

    @property
    def deductible_cents(self) -> int:
        """What an invoice may deduct: only what was paid."""
        return min(self.paid_cents, self.left_cents)


def _gross(rates: Sequence[RateSum]) -> int:
    return sum(each.gross_cents for each in rates)


def of_order(session: Session, order_id: int) -> list[Open]:
    """Return the deposits of an order that are not used up, oldest first."""
    query = select(Document).join(Deposit, Deposit.document_id == Document.id).where(Deposit.order_id == order_id)
    found = [_open(session, each) for each in session.scalars(query.order_by(Document.position))]
    return [each for each in found if each.left]


def _open(session: Session, deposit: Document) -> Open:
    left = tuple(each for each in minus(uncredited(session, deposit), used(session, deposit)) if each.gross_cents)
    paid = paid_cents(session, deposit) - _gross(used(session, deposit))
    return Open(deposit, from_text(deposit.payload), left, max(paid, 0))


def uncredited(session: Session, deposit: Document) -> tuple[RateSum, ...]:
    """Return what credit notes have left of a deposit invoice, by rate, deducted or not."""
    left = from_text(deposit.payload).rates
    for note in session.scalars(select(Document).where(Document.corrects_id == deposit.id)):
        left = minus(left, from_text(note.payload).rates)
    return left


def used(session: Session, deposit: Document) -> tuple[RateSum, ...]:
    """Return what invoices deducted of a deposit, by rate."""
    return _by_rate(session, Deduction.deposit_id == deposit.id)


def _by_rate(session: Session, condition: ColumnElement[bool]) -> tuple[RateSum, ...]:
    sums = select(Deduction.rate_bp, func.sum(Deduction.net_cents), func.sum(Deduction.vat_cents))
    rows = session.execute(sums.where(condition).group_by(Deduction.rate_bp).order_by(Deduction.rate_bp.desc()))
    return tuple(RateSum(rate_bp, int(net), int(vat)) for rate_bp, net, vat in rows)


def paid_cents(session: Session, deposit: Document) -> int:
    """Return what was paid for a document and not paid back."""
    return session.scalar(select(func.sum(Payment.amount_cents)).where(Payment.document_id == deposit.id)) or 0


def deducted(session: Session, regime: Regime, rate_bp: int, by_order: Mapping[int, int]) -> tuple[Deducted, ...]:
    """Return what an invoice deducts of the paid deposits of its orders, each up to what the order costs with VAT.

    Raises `Conflict` when one was invoiced under another VAT regime.
    """
    parts = []
    for order_id, cents in by_order.items():
        rest = cents
        for each in of_order(session, order_id):
            takes = min(each.deductible_cents, rest)
            if takes <= 0:
                continue
            if each.content.regime != regime or any(rate.rate_bp != rate_bp for rate in each.left):
                raise Conflict(
                    say(
                        "Deposit {number} was invoiced under another VAT regime: write a credit note for it first.",
                        number=each.document.number,
                    )
                )
            part = part_of(each.content.rates, each.left, takes)
            parts.append(Deducted(each.document.number, each.document.issued_on, part))
            rest -= takes
    return tuple(parts)


def write_down(session: Session, document: Document, content: Content) -> None:
    """Note what a document deducts; a credit note gives it back."""
    sign = -1 if document.kind == Kind.CREDIT_NOTE else 1
    for each in content.deposits:
        query = select(Document.id).where(Document.structure == document.structure, Document.number == each.number)
        deposit_id = session.scalars(query).one()
        for rate in each.rates:
            amounts = {"net_cents": sign * rate.net_cents, "vat_cents": sign * rate.vat_cents}
            session.add(Deduction(document_id=document.id, deposit_id=deposit_id, rate_bp=rate.rate_bp, **amounts))
    session.flush()


def deducted_in(session: Session, invoice: Document) -> tuple[Deducted, ...]:
    """Return the deposits an invoice deducts and no credit note gave back."""
    notes = session.scalars(select(Document).where(Document.corrects_id == invoice.id))
    back = {each.number for note in notes for each in from_text(note.payload).deposits}
    return tuple(each for each in from_text(invoice.payload).deposits if each.number not in back)


def vat_moving(session: Session, deposit: Document, paid: int, left: Sequence[RateSum]) -> prepaid.Lines:
    """Return the lines that bring the VAT of a deposit to what is due once so much is paid and so much left of it."""
    if deposit.kind != Kind.DEPOSIT:
        return []
    gross, vat = _gross(left), sum(each.vat_cents for each in left)
    delivered = sum(each.vat_cents for each in used(session, deposit))  # due, whether the deposit was paid or not
    due = max(share(vat, min(max(paid, 0), gross), gross) if gross else 0, min(delivered, vat))
    waits, is_due = _standing_at(session, deposit, Account.VAT_WAITING), _standing_at(session, deposit, Account.VAT)
    lines: prepaid.Lines = [(Account.VAT_WAITING, None, waits - (vat - due)), (Account.VAT, None, is_due - due)]
    return [line for line in lines if line[2]]


def _standing_at(session: Session, deposit: Document, account: Account) -> int:
    """Return how much VAT of a deposit stands on an account."""
    ids = select(Document.id).where((Document.id == deposit.id) | (Document.corrects_id == deposit.id))
    total = (
        select(func.sum(LedgerLine.amount_cents))
        .join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
        .where(LedgerEntry.document_id.in_(ids), LedgerLine.account == account)
    )
    return -(session.scalar(total) or 0)


def booked(content: Content, about: Kind) -> dict[Account, int]:
    """Return what an invoice of this kind, or a credit note about one, moves when it is issued, by account.

    A credit note for a deposit moves VAT that waits. What an invoice deducts is no debt any more: it leaves the
    advances, and its VAT was due before. A voucher's money stands in the wallet until it is used, its VAT is due.
    """
    sign = -1 if content.kind == Kind.CREDIT_NOTE else 1
    if about == Kind.VOUCHER:
        amounts = {Account.RECEIVABLE: content.gross_cents, Account.WALLET: -content.gross_cents}
        amounts |= {Account.VAT_PREPAID: content.vat_cents, Account.VAT: -content.vat_cents}
        return {account: sign * amount for account, amount in amounts.items() if amount}
    of_deposit = about == Kind.DEPOSIT
    net = sum(each.net_cents for each in content.deposits)
    vat = sum(each.vat_cents for each in content.deposits)
    amounts = {
        Account.RECEIVABLE: content.gross_cents - net - vat,
        Account.ADVANCES if of_deposit else Account.SALES: -content.net_cents,
        Account.VAT_WAITING if of_deposit else Account.VAT: vat - content.vat_cents,
    }
    amounts[Account.ADVANCES] = amounts.get(Account.ADVANCES, 0) + net
    return {account: sign * amount for account, amount in amounts.items() if amount}
