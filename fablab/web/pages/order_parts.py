"""The parts of a draft: add files, look at another part, take one out; and order the same again."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.errors import NotFound
from fablab.orders import lines, queries
from fablab.orders.models import Order, OrderState
from fablab.web import uploads
from fablab.web.auth import me, needs
from fablab.web.editing import back_to_draft, edited_line, line_id, to_part, wanted_now
from fablab.web.limits import by_person, limiter, upload_limit

blueprint = Blueprint("order_parts", __name__, url_prefix="/orders")


@blueprint.post("/<public_id>/parts")
@needs(Permission.ORDER)
@limiter.limit(upload_limit, key_func=by_person)
def add(public_id: str) -> Any:
    """Take more files into a draft, keep what is chosen for the part looked at, and look at the first new one."""
    with db.reading() as session:
        queries.owned_by(session, me(), public_id)
    with uploads.measured(request.files.getlist("file")) as sent, db.transaction() as session:
        order = queries.owned_by(session, me(), public_id)
        _keep(session, order)
        added = [lines.add(session, order, each.incoming, each.part, each.name) for each in sent]
        return to_part(public_id, added[0].id)


@blueprint.post("/<public_id>/parts/look")
@needs(Permission.ORDER)
def look(public_id: str) -> Any:
    """Keep what is chosen for the part that is looked at, and look at another one."""
    with db.transaction() as session:
        order = queries.owned_by(session, me(), public_id)
        _keep(session, order)
        return to_part(public_id, lines.part_of(order, line_id("other")).id)


@blueprint.post("/<public_id>/parts/remove")
@needs(Permission.ORDER)
def remove(public_id: str) -> Any:
    """Take a part out of a draft; what is chosen for the others stays."""
    with db.transaction() as session:
        order = queries.owned_by(session, me(), public_id)
        gone, edited = line_id("other"), edited_line(order)
        if gone is None:
            raise NotFound
        lines.remove(session, order, gone)
        if edited.id == gone:
            return to_part(public_id, order.line.id)
    return back_to_draft(public_id)


@blueprint.post("/<public_id>/again")
@needs(Permission.ORDER)
def again(public_id: str) -> Any:
    """Start a draft with the parts and choices of an earlier order, at today's price."""
    with db.transaction() as session:
        order = queries.seen_by(session, me(), public_id)
        if order.state == OrderState.DRAFT:
            return redirect(url_for("orders.show", public_id=public_id))
        made = lines.again(session, order, me().id)
        return redirect(url_for("orders.show", public_id=made.public_id))


def _keep(session: Session, order: Order) -> None:
    lines.keep_wish(session, order, edited_line(order).id, wanted_now())
