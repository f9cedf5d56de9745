"""Issuing a document: everything it says is copied, numbered, hashed and booked in one transaction, or nothing is."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.billing import closed, ledger, seller
from fablab.billing.ledger import Booking
from fablab.billing.mentions import B2B, DEBITS
from fablab.billing.models import Account, EntryKind, Operation, Regime, SellerIdentity, VatRegime
from fablab.errors import Conflict, SentBefore
from fablab.invoicing import advances, aided, chain, own_checks, payments, telling
from fablab.invoicing.amounts import Priced, Sums, gross_first, net_first, unit_price
from fablab.invoicing.content import Buyer, Content, Deducted, Line, Mention, Seller
from fablab.invoicing.models import KIND_LABELS, Chain, Document, DocumentOrder, Kind
from fablab.money import spread
from fablab.words import Sentence, say

ENTRY_KINDS = {
    Kind.INVOICE: EntryKind.INVOICE,
    Kind.VOUCHER: EntryKind.INVOICE,
    Kind.DEPOSIT: EntryKind.INVOICE,
    Kind.CREDIT_NOTE: EntryKind.CREDIT_NOTE,
}


@dataclass(frozen=True)
class Item:
    """Something that was sold: its designation, how many, what all of them cost, and the order it comes from."""

    text: str
    quantity: int
    cents: int
    order_id: int | None = None


@dataclass(frozen=True)
class Draft:
    """An invoice before it is issued; a company's deducts the deposits of its orders.

    `paid` says that all of it is paid already: the buyer's wallet was charged for it, or by this method at once.
    """

    buyer: Buyer
    items: tuple[Item, ...]
    before_vat: bool = False
    delivered_on: date | None = None
    payment_days: int = 30
    po_number: str = ""
    language: str = "fr"
    company_id: int | None = None
    person_id: int | None = None
    paid: bool = False
    paid_by: str = ""
    kind: Kind = Kind.INVOICE


@dataclass(frozen=True)
class Command:
    """Who issues, when, and the key that makes the same command, sent twice, one document."""

    key: str
    by_id: int | None
    now: datetime


def issued_before(session: Session, command: Command, **about: object) -> Document | None:
    """Return the document this very command has issued already; the chain must be held.

    Raises `SentBefore` when that one is about something else.
    """
    found = session.scalar(select(Document.id).where(Document.key == command.key))
    if found is None:
        return None
    document = session.get_one(Document, found)
    if any(getattr(document, name) != value for name, value in about.items()):
        raise SentBefore
    return document


def issue(session: Session, draft: Draft, command: Command) -> Document:
    """Issue an invoice. Raises `Conflict` when it is about no money, or nobody has said who sells."""
    content = content_of(session, draft, seller.today(command.now))
    head = chain.hold(session)  # as late as possible: everybody else waits from here to the commit
    found = issued_before(session, command, kind=draft.kind, company_id=draft.company_id, person_id=draft.person_id)
    if found is not None:
        return found
    document = write(session, head, content, command, company_id=draft.company_id, person_id=draft.person_id)
    invoiced: Counter[int] = Counter()
    for item in draft.items:
        if item.order_id is not None:
            invoiced[item.order_id] += item.cents
    for order_id, cents in invoiced.items():
        session.add(DocumentOrder(document_id=document.id, order_id=order_id, amount_cents=cents))
    advances.write_down(session, document, content)
    if draft.paid and not draft.paid_by:
        payments.settle_from_charges(session, document, command.by_id)
    session.flush()
    if invoiced:
        aided.settle_orders(session, document, command.by_id)
    return document


def content_of(session: Session, draft: Draft, day: date) -> Content:
    """Return what an invoice would say on a day; it gets its number when it is issued."""
    identity, regime = seller.identity_on(session, day), _regime(session, draft, day)
    if regime.regime == Regime.STANDARD and not identity.vat_number:
        raise Conflict(say("An invoice with VAT needs the VAT number of the seller: enter it in the settings first."))
    sums = _sums(draft, regime.rate_bp)
    if sums.gross_cents <= 0:
        raise Conflict(say("There is nothing to invoice."))
    lines = tuple(
        Line(item.text, item.quantity, unit_price(net, item.quantity), net, regime.rate_bp)
        for item, net in zip(draft.items, sums.line_nets, strict=True)
    )
    deposits = _deposits(session, draft, sums, regime)
    before = sums.gross_cents if draft.paid else sum(each.gross_cents for each in deposits)
    return Content(
        kind=draft.kind,
        number="",
        issued_on=day,
        delivered_on=min(draft.delivered_on or day, day),
        due_on=day if draft.paid else day + timedelta(days=draft.payment_days),
        language=draft.language,
        seller=seller_of(identity),
        buyer=draft.buyer,
        regime=Regime(regime.regime),
        operation=Operation(regime.operation),
        lines=lines,
        rates=sums.rates,
        net_cents=sums.net_cents,
        vat_cents=sums.vat_cents,
        gross_cents=sums.gross_cents,
        paid_cents=before,
        mentions=mentions_on(session, regime, day, to_company=draft.buyer.is_company),
        po_number=draft.po_number,
        deposits=deposits,
        rounding=sums.rounding,
        paid_by=draft.paid_by,
    )


def _regime(session: Session, draft: Draft, day: date) -> VatRegime:
    """Return the VAT regime of an invoice: that of the day of delivery. A deposit comes before it."""
    if draft.kind == Kind.DEPOSIT or draft.delivered_on is None:
        return seller.regime_on(session, day)
    return seller.regime_of(session, min(draft.delivered_on, day), day) or seller.regime_on(session, day)


def _sums(draft: Draft, rate_bp: int) -> Sums:
    priced = [Priced(item.cents, rate_bp) for item in draft.items]
    return net_first(priced) if draft.before_vat else gross_first(priced)


def _deposits(session: Session, draft: Draft, sums: Sums, regime: VatRegime) -> tuple[Deducted, ...]:
    """Return the deposits an invoice deducts, each up to what its order costs with VAT."""
    if draft.company_id is None or draft.kind != Kind.INVOICE:
        return ()
    gross = spread(sums.gross_cents, [item.cents for item in draft.items])
    by_order: Counter[int] = Counter()
    for item, cents in zip(draft.items, gross, strict=True):
        if item.order_id is not None:
            by_order[item.order_id] += cents
    return advances.deducted(session, Regime(regime.regime), regime.rate_bp, by_order)


def seller_of(identity: SellerIdentity) -> Seller:
    """Return a copy of who sells."""
    names = [name for name in Seller.__dataclass_fields__ if name != "country"]
    return Seller(**{name: getattr(identity, name) for name in names})


def mentions_on(session: Session, regime: VatRegime | Content, day: date, *, to_company: bool) -> tuple[Mention, ...]:
    """Return copies of the legal mentions a document of this day, under a VAT regime, has to carry."""
    of_vat = [DEBITS] if regime.operation == Operation.SERVICES else []
    if regime.regime != Regime.STANDARD:
        of_vat = [str(regime.regime)]
    codes = [*of_vat, *(B2B if to_company else ()), "footer"]
    wordings = seller.mentions_on(session, day)
    return tuple(Mention(code, wordings[code]) for code in codes if wordings[code])


def write(
    session: Session,
    head: Chain,
    content: Content,
    command: Command,
    *,
    company_id: int | None,
    person_id: int | None,
    corrects: Document | None = None,
) -> Document:
    """Give a document its number, chain it and book it; the chain must be held.

    Raises `ValueError` when it says something that must never be issued: then the program is wrong, not a person.
    """
    chain.in_order(head, content.issued_on)
    closed.refuse_day(session, content.issued_on)
    structure = corrects.structure if corrects else seller.structure_on(session, content.issued_on)
    number = chain.next_number(session, structure, content.kind, content.issued_on)
    content = replace(content, number=number)
    for wrong in own_checks.findings(content):
        raise ValueError(str(wrong))
    document = Document(
        structure=structure,
        kind=content.kind,
        number=number,
        issued_on=content.issued_on,
        due_on=content.due_on,
        company_id=company_id,
        person_id=person_id,
        corrects_id=corrects.id if corrects else None,
        regime=content.regime,
        net_cents=content.net_cents,
        vat_cents=content.vat_cents,
        gross_cents=content.gross_cents,
        key=command.key,
        issued_at=command.now,
        issued_by_id=command.by_id,
    )
    chain.append(session, head, document, content)
    _book(session, document, content, corrects)
    telling.issued(session, document, content)
    return document


def _book(session: Session, document: Document, content: Content, corrects: Document | None) -> None:
    about = Kind(corrects.kind) if corrects else content.kind
    amounts = advances.booked(content, about)
    if corrects is not None and about == Kind.DEPOSIT:
        amounts.pop(Account.VAT_WAITING, None)
        left = advances.uncredited(session, corrects)
        moving = advances.vat_moving(session, corrects, advances.paid_cents(session, corrects), left)
        amounts |= {account: cents for account, _, cents in moving}
    booking = Booking(
        key=f"document-{document.position}",
        kind=ENTRY_KINDS[Kind(document.kind)],
        lines=[
            (account, document.person_id if account == Account.WALLET else None, cents)
            for account, cents in amounts.items()
        ],
        text=named(document),
        document_id=document.id,
        by_id=document.issued_by_id,
    )
    ledger.write(session, booking)


def named(document: Document) -> Sentence:
    """Return "Invoice F-2026-00001" as a sentence."""
    return say("{kind} {number}", kind=Sentence(KIND_LABELS[Kind(document.kind)]), number=document.number)


def plain_buyer(buyer: Buyer) -> dict[str, str]:
    """Return the fields of a private buyer, to fill a form again."""
    return {name: str(value) for name, value in asdict(buyer).items() if name in ("name", "street", "postcode", "city")}
