"""Labels with QR codes for spools, and the page a phone opens when it scans one."""

from __future__ import annotations

import io
from typing import Any

import segno
from flask import Blueprint, render_template, request, send_file, url_for

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.errors import Invalid
from fablab.filament import queries
from fablab.filament.models import Spool
from fablab.jobs import spools
from fablab.machines import queries as machines
from fablab.web.auth import needs
from fablab.web.label_sheet import SHEETS, Label, label_sheet, qr
from fablab.web.pages.filament import people_and_machines
from fablab.words import say

blueprint = Blueprint("labels", __name__)

MOST_LABELS = 500


@blueprint.get("/s/<public_id>")
@needs(Permission.RUN_BOARD)
def scanned(public_id: str) -> Any:
    """Show the spool whose label was scanned, with its big actions."""
    with db.reading() as session:
        spool = queries.by_public_id(session, public_id)
        return render_template(
            "filament/scanned.html",
            spool=spool,
            shown=spools.standing(session, spool),
            machines=machines.all_in_use(session),
            loaded=queries.loaded(session),
            **people_and_machines(session, [spool]),
        )


@blueprint.get("/filament/labels")
@needs(Permission.RUN_BOARD)
def choose() -> Any:
    """Let a volunteer choose which labels to print, and on which sheet."""
    with db.reading() as session:
        chosen = set(request.args.getlist("spool"))
        return render_template("filament/labels.html", shelf=spools.shelf(session), chosen=chosen, sheets=SHEETS)


@blueprint.get("/filament/labels.pdf")
@needs(Permission.RUN_BOARD)
def sheet() -> Any:
    """Give a sheet of labels to print."""
    wanted = request.args.getlist("spool")[:MOST_LABELS]
    grid = SHEETS.get(request.args.get("sheet", "")) or next(iter(SHEETS.values()))
    skip = request.args.get("skip", 0, type=int)
    if not wanted:
        raise Invalid(say("Please choose the spools whose labels you want."))
    if not 0 <= skip < grid.columns * grid.rows:
        raise Invalid(say("A sheet has {most} labels: fewer can be gone already.", most=grid.columns * grid.rows))
    with db.reading() as session:
        labels = [_label(queries.by_public_id(session, public_id)) for public_id in wanted]
    pdf = label_sheet(labels, grid, skip)
    return send_file(io.BytesIO(pdf), mimetype="application/pdf", download_name="labels.pdf")


@blueprint.get("/filament/spools/<public_id>/label.png")
@needs(Permission.RUN_BOARD)
def picture(public_id: str) -> Any:
    """Give the QR code of a spool as a picture, for a label printer."""
    with db.reading() as session:
        spool = queries.by_public_id(session, public_id)
    made = io.BytesIO()
    segno.make(_address(spool), error="m").save(made, kind="png", scale=10, border=4)
    made.seek(0)
    name = f"spool-{spool.id}.png"
    return send_file(made, mimetype="image/png", download_name=name)


def _address(spool: Spool) -> str:
    return url_for("labels.scanned", public_id=spool.public_id, _external=True)


def _label(spool: Spool) -> Label:
    return Label(spool, qr(_address(spool)))
