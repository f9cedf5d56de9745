"""The review desk: what waits for a person's look, the oldest first, with three verbs; and the rules that bring it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.billing import paying, reviewing
from fablab.errors import Invalid
from fablab.money import parse_euros
from fablab.orders import queries, review
from fablab.orders.review_models import ANSWERS, Review, ReviewRules, Verdict
from fablab.quotes import issuing
from fablab.slicing.report import MeshReport
from fablab.web import talk
from fablab.web.auth import me, needs, whoever
from fablab.web.forms import saved
from fablab.web.review_forms import ReviewRulesForm, VerdictForm
from fablab.web.typed import euros
from fablab.words import say

blueprint = Blueprint("review", __name__, url_prefix="/review")


@dataclass(frozen=True)
class Request:
    """What lies on the desk, with the sizes of its parts in mm, and the form for it: fresh, or as it was sent."""

    review: Review
    sizes: dict[int, tuple[float, float, float]]
    missing_cents: int
    form: VerdictForm


@blueprint.app_context_processor
def counts() -> dict[str, Any]:
    """Let the layout show how many requests wait, for those who may look at them."""
    return {"requests_waiting": _waiting}


def _waiting() -> int:
    person = whoever()
    if person is None or not person.may(Permission.RUN_BOARD):
        return 0
    with db.reading() as session:
        return review.waiting(session)


@blueprint.get("/")
@needs(Permission.RUN_BOARD)
def show() -> Any:
    """Show the desk."""
    with db.reading() as session:
        return render_template("review/show.html", **_desk(session))


@blueprint.get("/list")
@needs(Permission.RUN_BOARD)
def listed() -> Any:
    """Show the part of the desk that changes."""
    with db.reading() as session:
        return render_template("review/_list.html", **_desk(session))


def _desk(session: Session, public_id: str | None = None, form: VerdictForm | None = None) -> dict[str, Any]:
    requests = [
        Request(
            each,
            {line.id: MeshReport.from_json(line.model_file.report).size_mm for line in each.order.lines},
            0 if each.order.wants_quote else paying.missing_cents(session, each.order, each.order.price_cents or 0),
            form if form is not None and each.order.public_id == public_id else VerdictForm(),
        )
        for each in review.desk(session)
    ]
    return {"requests": requests, "unread": talk.unread_of_orders(session)}


@blueprint.post("/<public_id>")
@needs(Permission.RUN_BOARD)
def decide(public_id: str) -> Any:
    """Accept a request, send it back to be changed, or decline it."""
    form = VerdictForm(request.form)
    if form.verdict.data not in ANSWERS:
        raise Invalid(say("A request can be accepted, sent back to be changed, or declined."))

    def act(session: Session) -> None:
        order = queries.seen_by(session, me(), public_id)
        reviewing.decide(session, order, Verdict(form.verdict.data), form.reason.data or "", me(), issuing.write)

    if saved(form, act):
        return redirect(url_for("review.show"))
    with db.reading() as session:
        return render_template("review/show.html", **_desk(session, public_id, form)), 422


@blueprint.get("/rules")
@needs(Permission.SET_UP)
def rules() -> Any:
    """Show which orders somebody looks at first."""
    with db.reading() as session:
        now = review.rules_of(session)
    return render_template("review/rules.html", form=ReviewRulesForm(obj=now, price=euros(now.price_cents)))


@blueprint.post("/rules")
@needs(Permission.SET_UP)
def set_rules() -> Any:
    """Let other rules hold."""
    form = ReviewRulesForm(request.form)

    def save(session: Session) -> None:
        wanted = ReviewRules(
            size_mm=form.size_mm.data,
            price_cents=parse_euros(form.price.data, "price"),
            warnings=form.warnings.data,
            first_order=form.first_order.data,
            company=form.company.data,
            attestation=form.attestation.data,
        )
        review.set_rules(session, wanted)

    if saved(form, save):
        return redirect(url_for("setup.show"))
    return render_template("review/rules.html", form=form), 422
