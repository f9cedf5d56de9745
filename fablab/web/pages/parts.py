"""The part of an order: its pictures, the file that was sent, and what its owner has changed about it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, send_file
from sqlalchemy.orm import Session

from fablab import db, files
from fablab.accounts.permissions import Permission
from fablab.billing import offering
from fablab.errors import Conflict, NotFound
from fablab.orders import intake, queries, services
from fablab.orders.models import EDITABLE, Order, OrderLine
from fablab.slicing.changes import AS_SENT, Change
from fablab.slicing.findings import Action, Finding, Kind, ranked
from fablab.slicing.fitting import too_big
from fablab.slicing.report import MeshReport
from fablab.web.auth import me, needs
from fablab.web.editing import back_to_draft, edited_line
from fablab.web.limits import by_person, limiter, measuring, upload_limit
from fablab.words import say

blueprint = Blueprint("parts", __name__, url_prefix="/orders")


@blueprint.get("/<public_id>/picture.png")
@needs(Permission.ORDER)
def picture(public_id: str) -> Any:
    """Give the picture of a part, or of where one of its findings is."""
    with db.reading() as session:
        sha256 = edited_line(queries.seen_by(session, me(), public_id)).model_sha256
    wanted = request.args.get("finding")
    if wanted is not None and wanted not in set(Kind):
        raise NotFound
    with measuring:
        path = intake.picture(sha256, Kind(wanted) if wanted is not None else None)
    if path is None:
        raise NotFound
    answer = send_file(path, mimetype="image/png", etag=sha256)
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


@blueprint.get("/<public_id>/file")
@needs(Permission.ORDER)
def sent_file(public_id: str) -> Any:
    """Give the file as its owner sent it."""
    with db.reading() as session:
        line = edited_line(queries.seen_by(session, me(), public_id))
    return send_file(
        files.path_of(line.sent_sha256),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=line.file_name,
        etag=line.sent_sha256,
    )


@blueprint.post("/<public_id>/change")
@needs(Permission.ORDER)
@limiter.limit(upload_limit, key_func=by_person)
def change(public_id: str) -> Any:
    """Do what a finding of a draft proposes: pressing its button is the consent."""
    with db.reading() as session:
        order = _draft(session, public_id)
        line = edited_line(order)
        action = _action(findings_of(session, line), request.form.get("finding", ""))
    if action.change is not None:
        _reshape(public_id, line, line.made_change.then(action.change))
    else:
        with db.transaction() as session:
            order = _draft(session, public_id)
            services.want_supports(session, order, edited_line(order))
    return back_to_draft(public_id, supports=action.supports)


@blueprint.post("/<public_id>/undo")
@needs(Permission.ORDER)
@limiter.limit(upload_limit, key_func=by_person)
def undo(public_id: str) -> Any:
    """Go back to the part as it was sent."""
    with db.reading() as session:
        line = edited_line(_draft(session, public_id))
    _reshape(public_id, line, AS_SENT)
    return back_to_draft(public_id)


def findings_of(session: Session, line: OrderLine) -> list[Finding]:
    """Return what is worth telling about a part of a draft, with regard to the printers of the place."""
    report = MeshReport.from_json(line.model_file.report)
    big = too_big(report, offering.profiles_of_place(session))
    return ranked([*report.findings, *([big] if big is not None else [])])


def _draft(session: Session, public_id: str) -> Order:
    order = queries.owned_by(session, me(), public_id)
    if order.state not in EDITABLE:
        raise Conflict(say("This order was confirmed already."))
    return order


def _action(findings: list[Finding], kind: str) -> Action:
    for finding in findings:
        if finding.kind == kind and finding.action is not None:
            return finding.action
    raise Conflict(say("This has been changed already: please look again."))


def _reshape(public_id: str, line: OrderLine, change: Change) -> None:
    """Measure the file again with the change, outside any transaction, and put the result in the draft's place."""
    with measuring:
        part = intake.take(files.path_of(line.sent_sha256), line.sent_sha256, line.file_name, change)
    with db.transaction() as session:
        order = _draft(session, public_id)
        services.reshape(session, order, edited_line(order), change, part, me().id)
