"""Somebody is here with a file and has no e-mail: a volunteer orders for them, and takes cash at the desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts import services as accounts
from fablab.accounts.permissions import Permission
from fablab.errors import NotFound, Problem
from fablab.orders import queries
from fablab.orders.models import Order
from fablab.web import uploads
from fablab.web.auth import me, needs
from fablab.web.forms import check, saved
from fablab.web.language import tr
from fablab.web.limits import by_person, limiter, upload_limit
from fablab.web.top_ups import book, top_up_form
from fablab.web.uploads import Measured
from fablab.web.walk_in_form import WalkInForm
from fablab.words import say

blueprint = Blueprint("walk_in", __name__, url_prefix="/walk-in")


@blueprint.get("/")
@needs(Permission.RUN_BOARD)
def new() -> Any:
    """Show the form."""
    return render_template("walk_in.html", form=WalkInForm())


@blueprint.post("/")
@needs(Permission.RUN_BOARD)
@limiter.limit(upload_limit, key_func=by_person)
def receive() -> Any:
    """Make an account without an e-mail and start a draft of this person with their file; a bad file keeps nothing."""
    form = WalkInForm(request.form)
    sent = request.files.getlist("file")
    if not form.validate():
        wrong = [] if any(each.filename for each in sent) else [tr(say("Please choose a file first."))]
        return render_template("walk_in.html", form=form, file_errors=wrong), 422
    made: list[Order] = []
    try:
        with uploads.measured(sent) as parts:
            if saved(form, lambda session: made.append(_draft(session, form, parts))):
                return redirect(url_for("orders.show", public_id=made[0].public_id))
    except Problem as problem:
        return render_template("walk_in.html", form=form, file_errors=[tr(problem.sentence)]), problem.status
    return render_template("walk_in.html", form=form), 422


def _draft(session: Session, form: WalkInForm, parts: Sequence[Measured]) -> Order:
    person = accounts.receive(session, form.name.data, form.contact.data)
    return uploads.draft_of(session, person.id, parts)


@blueprint.post("/<public_id>/cash")
@needs(Permission.RUN_BOARD)
def pay(public_id: str) -> Any:
    """Put money into the wallet of who has no e-mail; sent twice, it is booked once."""
    form = top_up_form(request.form)
    check(form)
    with db.transaction() as session:
        person = queries.owned_by(session, me(), public_id).person
        if not person.is_walk_in:
            raise NotFound
        book(session, person, form, me().id)
    return redirect(url_for("orders.show", public_id=public_id))
