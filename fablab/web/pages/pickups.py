"""Pick-up: what waits on the shelf, handing it out by code or name, labels for the bags, and the rules of the shelf."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from wtforms import IntegerField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from fablab import db, press
from fablab.accounts.permissions import Permission
from fablab.db import utcnow
from fablab.errors import Invalid
from fablab.orders import handing, shelf
from fablab.orders import services as orders
from fablab.orders.handing import RulesData
from fablab.orders.shelf import PickUp
from fablab.web.auth import me, needs
from fablab.web.forms import PageForm, saved
from fablab.web.label_sheet import qr

blueprint = Blueprint("pickups", __name__)


class ShelfForm(PageForm):
    """The places of the shelf, and when people are reminded."""

    places = TextAreaField(
        lazy_gettext("Places, one a line"), [InputRequired(), Length(max=2000)], render_kw={"rows": 8}
    )
    remind_after_days = IntegerField(lazy_gettext("Days after which people are reminded"), [NumberRange(1, 365)])
    most_reminders = IntegerField(lazy_gettext("How many times at most"), [NumberRange(0, 20)])


@blueprint.get("/pick-up/")
@needs(Permission.RUN_BOARD)
def waiting() -> Any:
    """Show what waits on the shelf, or only what a code or a name finds."""
    return render_template("pickups/list.html", **_list())


@blueprint.get("/pick-up/list")
@needs(Permission.RUN_BOARD)
def listed() -> Any:
    """Show the list alone."""
    return render_template("pickups/_list.html", **_list())


def _list() -> dict[str, Any]:
    wanted = request.args.get("wanted", "")[:120]
    with db.reading() as session:
        return {
            "rows": [(row, orders.good_copies(session, row.order)) for row in handing.waiting(session, wanted)],
            "wanted": wanted,
            "to_call": {row.order_id for row in handing.to_remind(session, utcnow())},
        }


@blueprint.get("/p/<public_id>")
@needs(Permission.RUN_BOARD)
def scanned(public_id: str) -> Any:
    """Show the order whose label a phone has scanned, with its big actions."""
    with db.reading() as session:
        return _page(session, handing.of_order(session, public_id))


def _page(session: Session, row: PickUp, problem: Any = None) -> Any:
    return render_template(
        "pickups/show.html",
        row=row,
        copies=orders.good_copies(session, row.order),
        places=shelf.places(session),
        problem=problem,
        reason=request.form.get("reason", ""),
    )


@blueprint.post("/pick-up/<public_id>/hand-out")
@needs(Permission.RUN_BOARD)
def hand_out(public_id: str) -> Any:
    """Hand an order over; pressed twice it is handed over once. One pressed on the board leads back to it."""
    with db.transaction() as session:
        handing.hand_out(session, handing.of_order(session, public_id), me().id)
    if "board" in request.args:
        return redirect(url_for("board.show"))
    return redirect(url_for("pickups.scanned", public_id=public_id))


@blueprint.post("/pick-up/<public_id>/place")
@needs(Permission.RUN_BOARD)
def put_elsewhere(public_id: str) -> Any:
    """Note that an order lies in another place."""
    with db.transaction() as session:
        handing.put_elsewhere(session, handing.of_order(session, public_id), request.form.get("place", ""))
    return redirect(url_for("pickups.scanned", public_id=public_id))


@blueprint.post("/pick-up/<public_id>/abandon")
@needs(Permission.RUN_BOARD)
def abandon(public_id: str) -> Any:
    """Take an order that nobody collects off the shelf."""
    try:
        with db.transaction() as session:
            handing.abandon(session, handing.of_order(session, public_id), request.form.get("reason", ""), me().id)
    except Invalid as problem:
        with db.reading() as session:
            return _page(session, handing.of_order(session, public_id), problem.sentence), 422
    return redirect(url_for("pickups.scanned", public_id=public_id))


@blueprint.get("/pick-up/<public_id>/label.pdf")
@needs(Permission.RUN_BOARD)
def label(public_id: str) -> Any:
    """Give the label for the bag of an order."""
    with db.reading() as session:
        row = handing.of_order(session, public_id)
        code = qr(url_for("pickups.scanned", public_id=public_id, _external=True))
        copies = orders.good_copies(session, row.order)
    pdf = press.printed(render_template("pickups/label.html", row=row, code=code, copies=copies))
    return send_file(io.BytesIO(pdf), mimetype="application/pdf", download_name=f"{row.code}.pdf")


@blueprint.get("/pick-up/rules")
@needs(Permission.SET_UP)
def rules() -> Any:
    """Show the rules of the shelf."""
    with db.reading() as session:
        return render_template("pickups/rules.html", form=ShelfForm(obj=shelf.rules(session)))


@blueprint.post("/pick-up/rules")
@needs(Permission.SET_UP)
def set_rules() -> Any:
    """Let new rules hold for the shelf."""
    form = ShelfForm(request.form)

    def save(session: Session) -> None:
        data = RulesData(form.places.data, form.remind_after_days.data, form.most_reminders.data)
        handing.set_rules(session, data)

    if saved(form, save):
        return redirect(url_for("setup.show"))
    return render_template("pickups/rules.html", form=form), 422
