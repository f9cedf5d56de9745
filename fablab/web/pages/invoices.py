"""Invoices and credit notes: the list, a document with its PDF, payments, and what a credit note would do."""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import date
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts import companies
from fablab.accounts.permissions import Permission
from fablab.billing import seller
from fablab.db import utcnow
from fablab.errors import Invalid
from fablab.invoicing import addresses, crediting, deposits, from_orders, issuing, payments, queries, sending
from fablab.invoicing.content import Buyer, Content, from_text
from fablab.invoicing.crediting import Consequence, Credit
from fablab.invoicing.issuing import Command
from fablab.invoicing.models import METHOD_LABELS, Document, Method
from fablab.invoicing.payments import PaymentData
from fablab.invoicing.pdfs import pdf_of
from fablab.invoicing.queries import STANDING_LABELS, Shown, Standing
from fablab.money import parse_euros
from fablab.orders import queries as order_queries
from fablab.payments import queries as card_queries
from fablab.payments.providers import provider
from fablab.press import PressMissing
from fablab.settings import settings
from fablab.web.auth import me, needs
from fablab.web.book_forms import BuyerForm, CreditForm, PaymentForm
from fablab.web.forms import saved
from fablab.web.language import choose, tr
from fablab.web.mail_forms import AgainForm
from fablab.web.typed import euros
from fablab.words import say

blueprint = Blueprint("invoices", __name__, url_prefix="/invoices")


def _today() -> date:
    return seller.today(utcnow())


def _command(key: str) -> Command:
    return Command(key, me().id, utcnow())


@blueprint.get("/")
@needs(Permission.ORDER)
def listed() -> Any:
    """Show the documents this person may see, and to bookkeepers what is to be invoiced."""
    state = request.args.get("state", "")
    standing = Standing(state) if state in set(Standing) else None
    with db.reading() as session:
        years = queries.years(session, me())
        year = request.args.get("year", type=int)
        shown = Shown(year if year in years else next(iter(years), _today().year), standing)
        owed, overdue = queries.owed_cents(session, me(), _today())
        keeps_books = me().may(Permission.KEEP_BOOKS)
        return render_template(
            "invoices/list.html",
            documents=queries.listed(session, me(), shown, _today()),
            shown=shown,
            years=years,
            open_cents=owed,
            overdue_cents=overdue,
            waiting=from_orders.waiting(session) if keeps_books else [],
            can_invoice=seller.can_invoice(session, _today()),
            standing_labels=STANDING_LABELS,
        )


# To be invoiced ------------------------------------------------------------------------------------------------------


@blueprint.get("/company/<public_id>")
@needs(Permission.KEEP_BOOKS)
def preview(public_id: str) -> Any:
    """Show what a company's invoice under one purchase order would say."""
    po_number = request.args.get("po", "")
    with db.reading() as session:
        company = companies.seen_by(session, me(), public_id)
        groups = [each for each in from_orders.waiting(session, company.id) if each.po_number == po_number]
        drafts = [issuing.content_of(session, each.draft, _today()) for each in groups]
    return render_template(
        "invoices/preview.html", company=company, po_number=po_number, drafts=drafts, key=secrets.token_hex(12)
    )


@blueprint.post("/company/<public_id>")
@needs(Permission.KEEP_BOOKS)
def invoice_company(public_id: str) -> Any:
    """Issue what was previewed; sent twice, it is issued once."""
    key = _key()
    with db.transaction() as session:
        company = companies.seen_by(session, me(), public_id)
        made = from_orders.invoice_company(session, company, request.form.get("po", ""), _command(key))
    return _print_and_show(*made)


def _key() -> str:
    key = request.form.get("key", "")
    if not 8 <= len(key) <= 40:
        raise Invalid(say("Please look at the preview first."))
    return key


def _print_and_show(*made: Document) -> Any:
    """Make the PDFs at once, so that each stays as it was on the day of issue; where it cannot be done, later."""
    with suppress(PressMissing):
        for each in made:
            pdf_of(each.id)
    if len(made) > 1:
        return redirect(url_for("invoices.listed"))
    return redirect(url_for("invoices.show", public_id=made[0].public_id))


@blueprint.get("/order/<public_id>")
@needs(Permission.ORDER)
def ask(public_id: str) -> Any:
    """Show the form with which a person asks for an invoice of an order that was paid from the wallet."""
    with db.reading() as session:
        order = order_queries.owned_by(session, me(), public_id)
        values = issuing.plain_buyer(addresses.buyer_of(session, me()))
    return render_template("invoices/ask.html", order=order, form=BuyerForm(**values, key=secrets.token_hex(12)))


@blueprint.post("/order/<public_id>")
@needs(Permission.ORDER)
def invoice_order(public_id: str) -> Any:
    """Issue the invoice of a member's order."""
    form = BuyerForm(request.form)
    made: list[Document] = []
    with db.reading() as session:
        order = order_queries.owned_by(session, me(), public_id)

    def act(session: Session) -> None:
        own = order_queries.owned_by(session, me(), public_id)
        buyer = Buyer(
            form.name.data.strip(), form.street.data.strip(), form.postcode.data.strip(), form.city.data.strip()
        )
        made.append(from_orders.invoice_member(session, own, buyer, choose(), _command(form.key.data)))

    if saved(form, act):
        return _print_and_show(made[0])
    return render_template("invoices/ask.html", order=order, form=form), 422


# One document --------------------------------------------------------------------------------------------------------


@blueprint.get("/<public_id>")
@needs(Permission.ORDER)
def show(public_id: str) -> Any:
    """Show a document, what was paid and credited, and to bookkeepers the forms."""
    return _page(public_id)


def _page(public_id: str, form: PaymentForm | None = None, again: AgainForm | None = None) -> str:
    with db.reading() as session:
        document = queries.seen_by(session, me(), public_id)
        invoice = document.corrects or document
        balance = queries.balance_cents(session, invoice)
        paid = queries.payments_of(session, invoice.id)
        return render_template(
            "invoices/show.html",
            document=document,
            deposit_order=deposits.order_of(session, document),
            deducted_by=deposits.deducted_by(session, document),
            invoice=invoice,
            content=from_text(document.payload),
            balance=balance,
            standing=queries.standing(session, invoice, _today()),
            standing_labels=STANDING_LABELS,
            method_labels=METHOD_LABELS,
            notes=queries.credit_notes(session, invoice.id),
            left=sum(each.gross_cents for each in queries.left_of(session, invoice)),
            payments=paid,
            reversed_ids={each.reverses_id for each in paid},
            form=form or _payment_form(invoice, balance),
            may_pay_by_card=balance > 0 and card_queries.may_pay(session, me(), invoice),
            card_key=secrets.token_hex(12),
            mails=sending.mails_of(session, document.id),
            again_form=again or _again_form(document),
            has_server=bool(settings().mail_server),
        )


def _again_form(document: Document) -> AgainForm | None:
    if document.company is None or not me().may(Permission.KEEP_BOOKS):
        return None
    return AgainForm(email=document.company.contact_email, key=secrets.token_hex(12))


def _payment_form(invoice: Document, balance: int, data: Any = None) -> PaymentForm:
    values = {"amount": euros(abs(balance)), "received_on": _today(), "key": secrets.token_hex(12)}
    form = PaymentForm(data, **values)
    possible = {Method.WALLET: balance < 0 and invoice.person_id is not None, Method.ONLINE: balance < 0 and provider()}
    methods = [each for each in Method if possible.get(each, True)]
    form.method.choices = [(each.value, tr(METHOD_LABELS[each])) for each in methods]
    return form


@blueprint.get("/<public_id>/document.pdf")
@needs(Permission.ORDER)
def pdf(public_id: str) -> Any:
    """Give a document as PDF, with its data for machines inside (Factur-X)."""
    with db.reading() as session:
        document = queries.seen_by(session, me(), public_id)
    answer = Response(pdf_of(document.id), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{document.number}.pdf"'
    return answer


@blueprint.post("/<public_id>/send")
@needs(Permission.KEEP_BOOKS)
def send_again(public_id: str) -> Any:
    """Send a company's document by mail once more; pressed twice, it is sent once."""
    form = AgainForm(request.form)

    def act(session: Session) -> None:
        document = queries.seen_by(session, me(), public_id)
        sending.again(session, document, form.email.data, form.key.data, me().id, utcnow())

    if saved(form, act):
        return redirect(url_for("invoices.show", public_id=public_id))
    return _page(public_id, again=form), 422


@blueprint.post("/<public_id>/payments")
@needs(Permission.KEEP_BOOKS)
def pay(public_id: str) -> Any:
    """Book a payment, or money that is paid back; sent twice, it is booked once."""
    with db.reading() as session:
        invoice = queries.seen_by(session, me(), public_id)
        form = _payment_form(invoice, queries.balance_cents(session, invoice), request.form)

    def act(session: Session) -> None:
        data = PaymentData(
            Method(form.method.data),
            parse_euros(form.amount.data, "amount"),
            form.received_on.data,
            form.reference.data or "",
            f"form-{invoice.id}-{form.key.data}",
        )
        payments.pay(session, queries.seen_by(session, me(), public_id), data, me().id, utcnow())

    if saved(form, act):
        return redirect(url_for("invoices.show", public_id=public_id))
    return _page(public_id, form), 422


@blueprint.post("/<public_id>/payments/<payment_id>/reverse")
@needs(Permission.KEEP_BOOKS)
def reverse(public_id: str, payment_id: str) -> Any:
    """Take back a payment that was typed wrong."""
    with db.transaction() as session:
        invoice = queries.seen_by(session, me(), public_id)
        payments.reverse(session, queries.payment(session, invoice, payment_id), me().id)
    return redirect(url_for("invoices.show", public_id=public_id))


# Credit notes --------------------------------------------------------------------------------------------------------


@blueprint.get("/<public_id>/credit")
@needs(Permission.KEEP_BOOKS)
def credit(public_id: str) -> Any:
    """Show the form of a credit note, and with an amount in the address what it would do."""
    with db.reading() as session:
        invoice = queries.seen_by(session, me(), public_id)
        left = sum(each.gross_cents for each in queries.left_of(session, invoice))
        if "amount" not in request.args:
            form = CreditForm(amount=euros(left), key=secrets.token_hex(12))
            return _credit_page(invoice, left, form)
        form, effect = CreditForm(request.args), None
        if form.validate():
            try:
                effect = crediting.consequence(session, invoice, _credit(form))
            except Invalid as problem:
                if not form.put(problem):
                    raise
        return _credit_page(invoice, left, form, effect), 200 if effect else 422


def _credit(form: CreditForm) -> Credit:
    return Credit(parse_euros(form.amount.data, "amount"), form.reason.data, form.invoice_again.data)


def _credit_page(invoice: Document, left: int, form: CreditForm, effect: Consequence | None = None) -> str:
    return render_template(
        "invoices/credit.html", invoice=invoice, content=_content(invoice), left=left, form=form, effect=effect
    )


def _content(document: Document) -> Content:
    return from_text(document.payload)


@blueprint.post("/<public_id>/credit")
@needs(Permission.KEEP_BOOKS)
def issue_credit(public_id: str) -> Any:
    """Issue the credit note whose consequence was shown; sent twice, it is issued once."""
    form = CreditForm(request.form)
    made: list[Document] = []
    with db.reading() as session:
        invoice = queries.seen_by(session, me(), public_id)
        left = sum(each.gross_cents for each in queries.left_of(session, invoice))

    def act(session: Session) -> None:
        found = queries.seen_by(session, me(), public_id)
        made.append(crediting.issue(session, found, _credit(form), _command(f"credit-{found.id}-{form.key.data}")))

    if saved(form, act):
        return _print_and_show(made[0])
    return _credit_page(invoice, left, form), 422
