"""A member's orders: drop a file, choose, see the price, confirm, follow, cancel."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from fablab import db, files
from fablab.accounts import companies, projects
from fablab.accounts.models import CompanyRole, Person
from fablab.accounts.permissions import Permission
from fablab.accounts.project_models import Project
from fablab.billing import (
    baskets,
    by_hand,
    failures,
    ledger,
    offering,
    payers,
    receipts,
    reviewing,
    seller,
    tariffs,
    urgency,
)
from fablab.billing import projects as budgets
from fablab.billing import services as billing
from fablab.billing.baskets import OrderOffer
from fablab.billing.by_hand import Asked
from fablab.billing.offers import Check
from fablab.billing.pricing import NoPrice, Price, Rules
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid, NotFound, Problem
from fablab.filament import queries as filament
from fablab.invoicing import from_orders, topping_up
from fablab.invoicing import queries as documents
from fablab.invoicing.amounts import vat_of
from fablab.invoicing.queries import STANDING_LABELS
from fablab.jobs import queries as jobs
from fablab.jobs import spools
from fablab.orders import lines, queries, review, services, timeline
from fablab.orders.models import EDITABLE, Order, OrderLine, OrderState
from fablab.orders.services import Payer, Wanted
from fablab.orders.shelf import PickUp
from fablab.quotes import models as quote_models
from fablab.quotes import queries as quotes
from fablab.settings import settings
from fablab.slicing.choices import Quality
from fablab.slicing.findings import Finding
from fablab.slicing.profiles import BrokenProfile, machine_profiles
from fablab.slicing.report import MeshReport
from fablab.slicing.samples import write_samples
from fablab.web import talk, uploads
from fablab.web.auth import me, needs
from fablab.web.editing import (
    attested,
    edited_line,
    keep_what_is_asked_once,
    payer_choice,
    seen_cents,
    urgent,
    wanted_now,
)
from fablab.web.limits import by_person, limiter, upload_limit
from fablab.web.pages.parts import findings_of
from fablab.web.reply import wants_json
from fablab.web.top_ups import top_up_form
from fablab.words import Sentence

log = logging.getLogger(__name__)

blueprint = Blueprint("orders", __name__, url_prefix="/orders")

INFILLS = (10, 15, 20, 30, 50, 100)


@blueprint.get("/")
@needs(Permission.ORDER)
def mine() -> Any:
    """Show the drop zone and the person's own orders."""
    with db.reading() as session:
        found = queries.of_person(session, me().id)
        balance = ledger.balance_cents(session, me().id)
        unread = talk.unread_of_orders(session)
        good = {order.id: services.good_copies(session, order) for order in found if order.state != OrderState.DRAFT}
    samples = sorted(_samples()) if settings().demo else []
    facts = {"orders": found, "good": good, "unread": unread, "balance": balance, "samples": samples}
    return render_template("orders/mine.html", **facts, limit_mb=settings().max_upload_mb)


@blueprint.post("/")
@needs(Permission.ORDER)
@limiter.limit(upload_limit, key_func=by_person)
def upload() -> Any:
    """Take files, measure them in a child process, and start a draft; nothing is kept when one of them is bad."""
    with uploads.measured(request.files.getlist("file")) as sent, db.transaction() as session:
        order = uploads.draft_of(session, me().id, sent)
    return _created(order)


@blueprint.post("/sample/<name>")
@needs(Permission.ORDER)
def try_sample(name: str) -> Any:
    """Start a draft with one of the generated sample parts."""
    path = _samples().get(name)
    if path is None:
        raise NotFound
    with (
        path.open("rb") as stream,
        uploads.measured([FileStorage(stream, path.name)]) as sent,
        db.transaction() as session,
    ):
        order = uploads.draft_of(session, me().id, sent)
    return _created(order)


@blueprint.get("/sample/<name>")
@needs(Permission.ORDER)
def sample(name: str) -> Any:
    """Give one of the generated sample parts to download."""
    path = _samples().get(name)
    if path is None:
        raise NotFound
    return send_file(path.absolute(), mimetype="model/stl", as_attachment=True, download_name=path.name)


def _samples() -> dict[str, Path]:
    folder = settings().data_dir.absolute() / "samples"
    if not folder.exists():
        write_samples(folder)
    return {path.stem: path for path in folder.glob("*.stl")}


def _created(order: Order) -> Any:
    address = url_for("orders.show", public_id=order.public_id)
    return (jsonify(location=address), 201) if wants_json() else redirect(address)


@blueprint.get("/<public_id>")
@needs(Permission.ORDER)
def show(public_id: str) -> Any:
    """Show an order: a draft with its choices and price, or the way of the print."""
    with db.reading() as session:
        order = queries.seen_by(session, me(), public_id)
        if order.state not in EDITABLE or (order.state != OrderState.DRAFT and not queries.decides(me(), order)):
            return render_template("orders/show.html", talk=talk.of_order(session, order), **_progress(session, order))
        if not queries.decides(me(), order):
            raise NotFound
        line = edited_line(order)
        wanted, problem = _chosen(session, order, line)
    _ask_check(public_id, {line.id: wanted})
    with db.reading() as session:
        order = queries.owned_by(session, me(), public_id)
        return _show_draft(session, order, edited_line(order), wanted, problem)


@blueprint.get("/<public_id>/live")
@needs(Permission.ORDER)
def live(public_id: str) -> Any:
    """Show the part of an order's page that changes."""
    with db.reading() as session:
        order = queries.seen_by(session, me(), public_id)
        return render_template("orders/_progress.html", **_progress(session, order))


@blueprint.get("/<public_id>/price")
@needs(Permission.ORDER)
def price(public_id: str) -> Any:
    """Show the price of the choices in the address."""
    with db.reading() as session:
        order = queries.owned_by(session, me(), public_id)
        return render_template("orders/_price.html", **_priced(session, order, edited_line(order), wanted_now()))


@blueprint.post("/<public_id>/check")
@needs(Permission.ORDER)
def check(public_id: str) -> Any:
    """Let the price of the choices in the address be checked by a real slice, and show it as far as it is known."""
    wanted = wanted_now()
    with db.reading() as session:
        line = edited_line(queries.owned_by(session, me(), public_id))
    _ask_check(public_id, {line.id: wanted})
    with db.reading() as session:
        order = queries.owned_by(session, me(), public_id)
        return render_template("orders/_price.html", **_priced(session, order, edited_line(order), wanted))


def _ask_check(public_id: str, edited: Mapping[int, Wanted]) -> None:
    """Ask for a check unless it was asked for already; what has no price needs none."""
    try:
        with db.reading() as session:
            check = offering.order_offer(session, queries.owned_by(session, me(), public_id), edited).check
        if check in (Check.NOT_ASKED, Check.UNKNOWN):
            with db.transaction() as session:
                offering.ask_check(session, queries.owned_by(session, me(), public_id), edited, utcnow())
    except (Invalid, Conflict, BrokenProfile) as problem:
        log.debug("nothing to check for %s: %s", public_id, problem)


@blueprint.post("/<public_id>/confirm")
@needs(Permission.ORDER)
def confirm(public_id: str) -> Any:
    """Confirm the price that was seen: the print goes into the queue, or first to the desk when a rule says so."""
    wanted, seen = wanted_now(), seen_cents()
    with db.transaction() as session:
        order = queries.owned_by(session, me(), public_id)
        keep_what_is_asked_once(session, order)
        reviewing.submit(session, order, {edited_line(order).id: wanted}, seen, me(), attested=attested())
    return redirect(url_for("orders.show", public_id=public_id))


@blueprint.post("/<public_id>/confirm-again")
@needs(Permission.ORDER)
def confirm_again(public_id: str) -> Any:
    """Confirm the new price of an order whose preparation showed that it costs more."""
    with db.transaction() as session:
        billing.confirm_again(session, queries.owned_by(session, me(), public_id), seen_cents(), me())
    return redirect(url_for("orders.show", public_id=public_id))


@blueprint.post("/<public_id>/cancel")
@needs(Permission.ORDER)
def cancel(public_id: str) -> Any:
    """Cancel an order before printing; the reservation is given back."""
    with db.transaction() as session:
        billing.cancel(session, queries.stopped_by(session, me(), public_id), me())
    return redirect(url_for("orders.show", public_id=public_id))


@blueprint.get("/<public_id>/model.stl")
@needs(Permission.ORDER)
def model(public_id: str) -> Any:
    """Give the part that is printed, an STL, for the preview and to download."""
    with db.reading() as session:
        line = edited_line(queries.seen_by(session, me(), public_id))
    path = files.path_of(line.model_sha256)
    answer = send_file(
        path,
        mimetype="model/stl",
        as_attachment=True,
        download_name=f"{Path(line.file_name).stem}.stl",
        etag=line.model_sha256,
    )
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _chosen(session: Session, order: Order, line: OrderLine) -> tuple[Wanted, Sentence | None]:
    """Return the choices in the address, or those kept for the part, and what is wrong with those in the address."""
    kept = lines.chosen(line) or baskets.usual(session, line, order.person_id)
    if "filament" not in request.args:
        return kept, None
    try:
        return wanted_now(), None
    except Problem as wrong:
        return kept, wrong.sentence


def _show_draft(session: Session, order: Order, line: OrderLine, wanted: Wanted, problem: Sentence | None) -> Any:
    report = MeshReport.from_json(line.model_file.report)
    profiles = offering.fitting_profiles(session, report)
    payer_companies = companies.of_person(session, order.person, CompanyRole.BUYER)
    return render_template(
        "orders/draft.html",
        report=report,
        findings=_worth_telling(findings_of(session, line), wanted),
        wanted=wanted,
        colours=filament.colours(session, spools.held_mg(session), order.person_id),
        materials=list(filament.materials(session)),
        profiles=profiles,
        bed=(profiles or list(machine_profiles().values()))[0].bed_mm,
        infills=INFILLS,
        qualities=Quality,
        problem=problem,
        companies=payer_companies,
        projects=projects.of_person(session, order.person),
        may_be_urgent=urgency.is_offered(session, order, to_companies=bool(payer_companies)),
        urgent=urgent(order),
        payer_choice=payer_choice(order),
        review=review.latest(session, order.id),
        talk=talk.of_order(session, order),
        asks_attestation=review.rules_of(session).attestation,
        attested=attested() or order.attested_at is not None,
        is_owner=True,
        cash=top_up_form(),
        receipts=receipts.of_wallet(session, order.person_id) if order.person.is_walk_in else [],
        today=seller.today(utcnow()),
        wanted_on=request.args.get("wanted_on") or order.wanted_on,
        limit_mb=settings().max_upload_mb,
        **_priced(session, order, line, wanted),
    )


def _worth_telling(findings: list[Finding], wanted: Wanted) -> list[Finding]:
    """Return the findings without those that supports, which are chosen, have settled."""
    return [each for each in findings if not (each.action and each.action.supports and wanted.choices.supports)]


def _priced(session: Session, order: Order, line: OrderLine, wanted: Wanted) -> dict[str, Any]:
    offer: OrderOffer | None = None
    no_price: Sentence | None = None
    facts: dict[str, Any] = {"order": order, "line": line, "choices": {"line": line.id, **_in_address(order, wanted)}}
    try:
        payer = payers.payer_of(session, payer_choice(order), order.person)
        version = tariffs.holding_for(session, order, payer.company_id if payer else None)
        offer = offering.order_offer(session, order, {line.id: wanted}, version, Asked(payer, urgent(order)))
        facts |= _paid_by(session, offer, payer)
        rules = Rules.from_json(version.rules)
        facts["free_failures"] = rules.free_failures
        facts["failure_terms"] = failures.terms_for(session, rules, order.person_id, payer)
        facts["why_reviewed"] = _why_reviewed(session, order, offer, payer)
        facts |= _by_hand(session, offer)
    except Problem as problem:
        no_price = problem.sentence
        facts |= {"may_ask_price": isinstance(problem, NoPrice), "message": request.values.get("message", "")}
    balance = ledger.balance_cents(session, order.person_id)
    facts |= {"may_quote": seller.can_invoice(session, seller.today(utcnow())), "quote_days": settings().quote_days}
    return {**facts, "offer": offer, "no_price": no_price, "balance": balance}


def _by_hand(session: Session, offer: OrderOffer) -> dict[str, Any]:
    """Return who has set the price, if a person has, and until when it can be confirmed."""
    hand = by_hand.behind(session, offer.price.to_json())
    return {"hand": hand, "hand_until": by_hand.until(hand)} if hand else {}


def _paid_by(session: Session, offer: OrderOffer, payer: Payer | None) -> dict[str, Any]:
    """Return who pays, if not the person: with the VAT on top for a company, with what is left for a project."""
    if payer is not None and payer.project_id is not None:
        left = budgets.budget_of(session, payer.project_id).left_cents
        return {"payer": payer, "vat_cents": 0, "project": session.get(Project, payer.project_id), "left_cents": left}
    if payer is None or not payer.before_vat:
        return {"payer": payer, "vat_cents": 0}
    rate_bp = seller.regime_on(session, seller.today(utcnow())).rate_bp
    return {"payer": payer, "vat_cents": vat_of(offer.price.total_cents, rate_bp)}


def _why_reviewed(session: Session, order: Order, offer: OrderOffer, payer: Payer | None) -> list[Sentence]:
    if offer.price.hand_id is not None:
        return []  # who has set its price has looked at it
    cents = offer.price.total_cents
    company = payer is not None and payer.company_id is not None
    return reviewing.why_reviewed(session, order, cents, me(), attested=attested(), company=company)


def _in_address(order: Order, wanted: Wanted) -> dict[str, Any]:
    """Return choices as the fields of an address, so that a part of the page can be fetched again for the same ones."""
    choices = wanted.choices
    fields = {
        "filament": f"{choices.material}|{wanted.colour_name or ''}",
        "quality": choices.quality.value,
        "infill": choices.infill_percent,
        "quantity": wanted.quantity,
    }
    chosen = {
        "payer": payer_choice(order).key,
        "po_number": payer_choice(order).po_number,
        "attested": "y" if attested() else "",
        "urgent": "y" if urgent(order) else "",
    }
    chosen["wanted_on"] = request.values.get("wanted_on", "")
    fields |= {name: value for name, value in chosen.items() if value}
    return {**fields, "supports": "y"} if choices.supports else fields


def _progress(session: Session, order: Order) -> dict[str, Any]:
    plates = jobs.of_order(session, order.id)
    reasons = {line.job.id: line.why for line in jobs.queue(session, utcnow())}
    return {
        "order": order,
        "steps": timeline.of_order(session, order),
        "sizes": {line.id: MeshReport.from_json(line.model_file.report).size_mm for line in order.lines},
        "good": {line.id: services.good_of(session, line) for line in order.lines},
        "price": Price.from_json(order.price) if order.price else None,
        "hand": by_hand.behind(session, order.price),
        "failed": failures.of_order(session, order.id),
        "pick_up": session.get(PickUp, order.id),
        "plates": [(job, jobs.live_attempt_of(session, job.id), reasons.get(job.id)) for job in plates],
        "charged": ledger.charged_cents(session, order.id),
        "reserved": ledger.reserved_cents(session, order.id),
        "balance": ledger.balance_cents(session, me().id),
        "can_cancel": services.can_be_cancelled(session, order) and queries.may_stop(session, me(), order),
        "documents": documents.of_order(session, me(), order.id, seller.today(utcnow())),
        "standing_labels": STANDING_LABELS,
        "quotes": quotes.of_order(session, order.id, seller.today(utcnow())),
        "quote_labels": quote_models.STANDING_LABELS,
        "vouchers": topping_up.that_paid(session, me(), order.id),
        "may_ask_invoice": _may_ask_invoice(session, order),
        "is_owner": queries.decides(me(), order),
        "review": review.latest(session, order.id),
        "profile": machine_profiles().get(order.line.machine_profile or ""),
    }


def _may_ask_invoice(session: Session, order: Order) -> bool:
    """Tell whether this person may ask for an invoice: of their own order, paid and not invoiced yet."""
    if not _owns(order, me()) or order.company_id is not None:
        return False
    return from_orders.to_invoice_cents(session, order) > 0 and seller.can_invoice(session, seller.today(utcnow()))


def _owns(order: Order, person: Person) -> bool:
    return order.person_id == person.id
