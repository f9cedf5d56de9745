"""Credit notes: what one would do, shown before it is issued; together they never exceed the invoice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fablab.billing import ledger, seller, vouchers
from fablab.billing.vouchers import Part
from fablab.errors import Conflict, Invalid
from fablab.invoicing import advances, aided, chain, issuing, payments, queries
from fablab.invoicing.amounts import RateSum, part_of
from fablab.invoicing.content import Content, Corrects, Line, from_text
from fablab.invoicing.issuing import Command
from fablab.invoicing.models import Document, DocumentOrder, Kind
from fablab.languages import Language
from fablab.money import half_up, spread
from fablab.words import Euros, Sentence, say

LONGEST_REASON = 200


@dataclass(frozen=True)
class Credit:
    """What is to be credited: an amount with VAT, why, and whether the orders are to be invoiced again."""

    gross_cents: int
    reason: str
    invoice_again: bool = False


@dataclass(frozen=True)
class Consequence:
    """What a credit note would do: its sums by rate, and what is owed afterwards (negative: to be paid back)."""

    rates: tuple[RateSum, ...]
    gross_cents: int
    balance_after_cents: int
    takes_all: bool

    @property
    def net_cents(self) -> int:
        """The credited amount before VAT."""
        return sum(each.net_cents for each in self.rates)

    @property
    def vat_cents(self) -> int:
        """The credited VAT."""
        return sum(each.vat_cents for each in self.rates)


def consequence(session: Session, invoice: Document, credit: Credit) -> Consequence:
    """Return what a credit note would do. Raises `Invalid` naming the field, or `Conflict`."""
    if invoice.kind == Kind.CREDIT_NOTE:
        raise Conflict(say("A credit note corrects an invoice, not another credit note."))
    left = queries.left_of(session, invoice)
    rest = sum(each.gross_cents for each in left)
    if rest == 0:
        raise Conflict(say("This invoice was credited in full already."))
    if credit.gross_cents <= 0:
        raise Invalid(say("A credit note is about more than nothing."), field="amount")
    if credit.gross_cents > rest:
        raise Invalid(say("Only {rest} of this invoice is left to credit.", rest=Euros(rest)), field="amount")
    if not 1 <= len(credit.reason.strip()) <= LONGEST_REASON:
        raise Invalid(say("Please say why, in at most {most} signs.", most=LONGEST_REASON), field="reason")
    takes_all = credit.gross_cents == rest
    if credit.invoice_again and not takes_all:
        raise Invalid(
            say("Orders can be invoiced again only when all that is left is credited."), field="invoice_again"
        )
    if credit.invoice_again and invoice.kind == Kind.DEPOSIT:
        raise Invalid(say("A deposit is credited, and another one asked for on its own page."), field="invoice_again")
    if invoice.kind == Kind.VOUCHER:
        _refuse_of_voucher(session, invoice, credit)
    balance = queries.balance_cents(session, invoice) - credit.gross_cents
    if credit.invoice_again:
        balance += min(payments.settled_cents(session, invoice), credit.gross_cents)
        balance += sum(each.gross_cents for each in advances.deducted_in(session, invoice))
    part = part_of(from_text(invoice.payload).rates, left, credit.gross_cents)
    return Consequence(part, credit.gross_cents, balance, takes_all)


def _refuse_of_voucher(session: Session, invoice: Document, credit: Credit) -> None:
    """Raise `Invalid` when the wallet does not have free what a voucher is to be credited."""
    if credit.invoice_again:
        raise Invalid(say("A top-up is paid out of the wallet, and made again there."), field="invoice_again")
    free = ledger.balance_cents(session, invoice.person_id or 0)
    if credit.gross_cents > free:
        raise Invalid(say("Only {free} of it is free in the wallet.", free=Euros(free)), field="amount")


def issue(session: Session, invoice: Document, credit: Credit, command: Command) -> Document:
    """Issue a credit note; what is credited of a voucher leaves the wallet. Raises like `consequence`."""
    head = chain.hold(session)
    found = issuing.issued_before(session, command, corrects_id=invoice.id)
    if found is not None:
        return found
    if invoice.kind == Kind.VOUCHER and invoice.person_id is not None:
        ledger.lock_wallet(session, invoice.person_id)
    effect = consequence(session, invoice, credit)
    content = _content(session, invoice, credit, effect, seller.today(command.now))
    owner = {"company_id": invoice.company_id, "person_id": invoice.person_id}
    note = issuing.write(session, head, content, command, corrects=invoice, **owner)
    if invoice.kind == Kind.VOUCHER:
        entry = ledger.with_key(session, f"document-{note.position}")
        assert entry is not None
        vouchers.note(session, entry.id, [Part(invoice.id, note.gross_cents, note.vat_cents)])
    if credit.invoice_again:
        _give_back_orders(session, invoice, note)
        advances.write_down(session, note, content)
        payments.unsettle(session, invoice, note.gross_cents, command.by_id)
    aided.settle_orders(session, invoice, command.by_id)
    return note


def credit_rests(session: Session, order_ids: Iterable[int], reason: Sentence, command: Command) -> list[Document]:
    """Credit what is left of the deposits of orders: nothing of it is owed or to be deducted any more."""
    notes = []
    for order_id in order_ids:
        for each in advances.of_order(session, order_id):
            text = Language(each.content.language).text(reason)
            own = replace(command, key=f"deposit-{each.document.id}-{command.key}")
            notes.append(issue(session, each.document, Credit(each.left_cents, text), own))
    return notes


def _content(session: Session, invoice: Document, credit: Credit, effect: Consequence, day: date) -> Content:
    original = from_text(invoice.payload)
    reason = " ".join(credit.reason.split())
    whole = effect.takes_all and effect.gross_cents == original.gross_cents
    return replace(
        original,
        kind=Kind.CREDIT_NOTE,
        number="",
        issued_on=day,
        due_on=day,
        delivered_on=day,
        lines=original.lines if whole else _lines(original, effect.rates, reason),
        rates=effect.rates,
        net_cents=effect.net_cents,
        vat_cents=effect.vat_cents,
        gross_cents=effect.gross_cents,
        paid_cents=0,
        paid_by="",
        corrects=Corrects(original.number, original.issued_on, reason),
        deposits=advances.deducted_in(session, invoice) if credit.invoice_again else (),
        mentions=issuing.mentions_on(session, original, day, to_company=original.buyer.is_company),
    )


def _lines(original: Content, rates: tuple[RateSum, ...], reason: str) -> tuple[Line, ...]:
    words = Language(original.language)
    text = words.text(say("Partial credit on invoice {number}: {reason}", number=original.number, reason=reason))
    return tuple(Line(text, 1, each.net_cents * 100, each.net_cents, each.rate_bp) for each in rates)


def _give_back_orders(session: Session, invoice: Document, note: Document) -> None:
    """Let the orders of an invoice be invoiced again, without what was credited of it before."""
    standing = select(DocumentOrder.order_id, func.sum(DocumentOrder.amount_cents))
    standing = standing.where(DocumentOrder.document_id == invoice.id).group_by(DocumentOrder.order_id)
    rows = session.execute(standing.order_by(DocumentOrder.order_id))
    invoiced = {order_id: int(cents) for order_id, cents in rows}
    again = half_up(Decimal(sum(invoiced.values())) * note.gross_cents / invoice.gross_cents)
    for order_id, cents in zip(invoiced, spread(again, list(invoiced.values())), strict=True):
        session.add(DocumentOrder(document_id=note.id, order_id=order_id, amount_cents=-cents))
    session.flush()
