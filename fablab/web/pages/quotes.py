"""Quotes: ask for one from a draft, the list, a quote with its PDF and its answer; and the same for who has a link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.billing import seller
from fablab.db import utcnow
from fablab.orders import queries as orders
from fablab.quotes import answering, issuing, links, paper, queries
from fablab.quotes.answering import Signature
from fablab.quotes.content import from_text
from fablab.quotes.models import STANDING_LABELS, Quote, QuoteAnswer, QuoteLink
from fablab.settings import settings
from fablab.web.auth import me, needs, open_to_all
from fablab.web.editing import attested, edited_line, keep_what_is_asked_once, seen_cents, wanted_now
from fablab.web.forms import PageForm, saved
from fablab.web.limits import limiter
from fablab.web.quote_forms import AcceptForm, LinkForm, RefuseForm

blueprint = Blueprint("quotes", __name__)

OPENINGS = "60 per minute"
"""How often one address may open or answer quotes by their links."""


def _today() -> date:
    return seller.today(utcnow())


@blueprint.get("/quotes/")
@needs(Permission.ORDER)
def listed() -> Any:
    """Show the quotes this person may see."""
    with db.reading() as session:
        found = queries.listed(session, me(), _today())
    return render_template("quotes/list.html", quotes=found, labels=STANDING_LABELS)


@blueprint.post("/quotes/order/<public_id>")
@needs(Permission.ORDER)
def ask(public_id: str) -> Any:
    """Write a quote for a draft at the price that was seen, or lay it on the desk when a rule says so."""
    wanted, seen = wanted_now(), seen_cents()
    with db.transaction() as session:
        order = orders.owned_by(session, me(), public_id)
        keep_what_is_asked_once(session, order)
        issuing.ask(session, order, {edited_line(order).id: wanted}, seen, me(), attested=attested())
        quote = issuing.latest(session, order) if order.state == "offered" else None
    if quote is None:
        return redirect(url_for("orders.show", public_id=public_id))
    return redirect(url_for("quotes.show", public_id=quote.public_id))


# One quote, signed in ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forms:
    """The forms of a quote's page: fresh, or as they were sent."""

    accept: AcceptForm
    refuse: RefuseForm
    link: LinkForm


def _forms(name: str, quote: Quote) -> Forms:
    po_number = quote.order.po_number or ""
    return Forms(AcceptForm(name=name, po_number=po_number), RefuseForm(name=name), LinkForm())


@blueprint.get("/quotes/<public_id>")
@needs(Permission.ORDER)
def show(public_id: str) -> Any:
    """Show a quote, and the forms for those who may answer it."""
    return _page(public_id)


def _page(public_id: str, sent: PageForm | None = None) -> str:
    with db.reading() as session:
        quote = queries.seen_by(session, me(), public_id)
        return render_template(
            "quotes/show.html",
            **_facts(session, quote, _with(_forms(me().name, quote), sent)),
            may_answer=queries.may_answer(session, me(), quote),
            versions=[each for each in queries.of_order(session, quote.order_id, _today()) if each.quote != quote],
            links=[(each, links.url(each)) for each in queries.links_of(session, quote)],
            has_server=bool(settings().mail_server),
        )


def _with(forms: Forms, sent: PageForm | None) -> Forms:
    """Put a form as it was sent in the place of a fresh one."""
    kinds = {AcceptForm: "accept", RefuseForm: "refuse", LinkForm: "link"}
    return Forms(**{**vars(forms), **({kinds[type(sent)]: sent} if sent is not None else {})})


def _facts(session: Session, quote: Quote, forms: Forms) -> dict[str, Any]:
    offered = from_text(quote.payload)
    return {
        "quote": quote,
        "offered": offered,
        "content": offered.content,
        "standing": queries.standing(session, quote, _today()),
        "labels": STANDING_LABELS,
        "answer": session.get(QuoteAnswer, quote.id),
        "forms": forms,
    }


@blueprint.get("/quotes/<public_id>/quote.pdf")
@needs(Permission.ORDER)
def pdf(public_id: str) -> Any:
    """Give a quote as PDF."""
    with db.reading() as session:
        quote = queries.seen_by(session, me(), public_id)
    return _pdf(quote)


def _pdf(quote: Quote) -> Response:
    answer = Response(paper.pdf_of(quote), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{quote.number}.pdf"'
    return answer


def _mine(session: Session, public_id: str) -> Quote:
    """Return a quote this person may answer; others are told no as if it did not exist."""
    return queries.answered_by(session, me(), public_id)


@blueprint.post("/quotes/<public_id>/accept")
@needs(Permission.ORDER)
def accept(public_id: str) -> Any:
    """Accept a quote: its order is made."""
    form = AcceptForm(request.form)

    def act(session: Session) -> None:
        signature = Signature(form.name.data, me())
        answering.accept(session, _mine(session, public_id), signature, form.po_number.data or "", utcnow())

    return _done(public_id, form, act)


@blueprint.post("/quotes/<public_id>/refuse")
@needs(Permission.ORDER)
def refuse(public_id: str) -> Any:
    """Refuse a quote."""
    form = RefuseForm(request.form)

    def act(session: Session) -> None:
        signature = Signature(form.name.data, me())
        answering.refuse(session, _mine(session, public_id), signature, form.reason.data or "", utcnow())

    return _done(public_id, form, act)


@blueprint.post("/quotes/<public_id>/send")
@needs(Permission.ORDER)
def send(public_id: str) -> Any:
    """Send somebody a link to a quote."""
    form = LinkForm(request.form)

    def act(session: Session) -> None:
        links.send(session, _mine(session, public_id), form.name.data, form.email.data, me(), utcnow())

    return _done(public_id, form, act)


def _done(public_id: str, form: PageForm, act: Callable[[Session], object]) -> Any:
    if saved(form, act):
        return redirect(url_for("quotes.show", public_id=public_id))
    return _page(public_id, form), 422


@blueprint.post("/quotes/<public_id>/change")
@needs(Permission.ORDER)
def change(public_id: str) -> Any:
    """Withdraw a quote, so that its order can be changed."""
    with db.transaction() as session:
        quote = _mine(session, public_id)
        answering.withdraw(session, quote, me(), utcnow())
    return redirect(url_for("orders.show", public_id=quote.order.public_id))


# By a personal link --------------------------------------------------------------------------------------------------


@blueprint.get("/q/<link>/<signature>")
@open_to_all
@limiter.limit(OPENINGS)
def by_link(link: str, signature: str) -> Any:
    """Show a quote to who has a link to it."""
    return _public_page(link, signature)


def _public_page(link: str, signature: str, sent: PageForm | None = None) -> str:
    with db.reading() as session:
        opened = links.shown(session, link, signature, utcnow())
        facts = _facts(session, opened.quote, _with(_forms(opened.name, opened.quote), sent))
        return render_template("quotes/public.html", **facts, opened=opened, signature=signature)


@blueprint.get("/q/<link>/<signature>/quote.pdf")
@open_to_all
@limiter.limit(OPENINGS)
def pdf_by_link(link: str, signature: str) -> Any:
    """Give a quote as PDF to who has a link to it."""
    with db.reading() as session:
        return _pdf(links.shown(session, link, signature, utcnow()).quote)


@blueprint.post("/q/<link>/<signature>/accept")
@open_to_all
@limiter.limit(OPENINGS)
def accept_by_link(link: str, signature: str) -> Any:
    """Accept a quote by a personal link, which is checked again at this moment."""
    form = AcceptForm(request.form)

    def act(session: Session, opened: QuoteLink, signed: Signature) -> None:
        answering.accept(session, opened.quote, signed, form.po_number.data or "", utcnow())

    return _done_by_link(link, signature, form, act)


@blueprint.post("/q/<link>/<signature>/refuse")
@open_to_all
@limiter.limit(OPENINGS)
def refuse_by_link(link: str, signature: str) -> Any:
    """Refuse a quote by a personal link."""
    form = RefuseForm(request.form)

    def act(session: Session, opened: QuoteLink, signed: Signature) -> None:
        answering.refuse(session, opened.quote, signed, form.reason.data or "", utcnow())

    return _done_by_link(link, signature, form, act)


def _done_by_link(
    link: str,
    signature: str,
    form: AcceptForm | RefuseForm,
    act: Callable[[Session, QuoteLink, Signature], None],
) -> Any:
    def signed(session: Session) -> None:
        opened = links.opened(session, link, signature)
        act(session, opened, Signature(form.name.data, None, opened))

    if saved(form, signed):
        return redirect(url_for("quotes.by_link", link=link, signature=signature))
    return _public_page(link, signature, form), 422
