"""Filaments and spools out to a table, in from one, and in from a Spoolman server."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.errors import Invalid, NotFound
from fablab.filament import exchange, spoolman
from fablab.filament.spoolman import Foreign
from fablab.filament.tables_as_csv import MOST_BYTES, BadTable
from fablab.settings import settings
from fablab.web.auth import me, needs
from fablab.web.filament_forms import SpoolmanForm, TableForm
from fablab.web.forms import saved
from fablab.web.language import tr
from fablab.words import N_, Sentence

blueprint = Blueprint("exchange", __name__, url_prefix="/filament/exchange")

TABLES = {"spools": exchange.spools_as_csv, "filaments": exchange.filaments_as_csv}
TABLE_LABELS = {"spools": N_("Spools"), "filaments": N_("Filaments")}


@blueprint.get("/")
@needs(Permission.RUN_BOARD)
def show() -> Any:
    """Show what can go out and come in."""
    return _page()


def _page(table: TableForm | None = None, server: SpoolmanForm | None = None, lines: tuple[Sentence, ...] = ()) -> str:
    table = table or _table_form()
    return render_template("filament/exchange.html", table=table, server=server or SpoolmanForm(), lines=lines)


def _table_form(data: Any = None) -> TableForm:
    form = TableForm(data)
    form.what.choices = [(name, tr(label)) for name, label in TABLE_LABELS.items()]
    return form


@blueprint.get("/<name>.csv")
@needs(Permission.RUN_BOARD)
def table(name: str) -> Any:
    """Give all spools in use, or all filaments, as a table."""
    if name not in TABLES:
        raise NotFound
    with db.reading() as session:
        content = TABLES[name](session)
    return send_file(io.BytesIO(content), mimetype="text/csv", as_attachment=True, download_name=f"{name}.csv")


@blueprint.post("/table")
@needs(Permission.SET_UP)
def take_table() -> Any:
    """Take a table over, or nothing of it: then every bad line is named."""
    form = _table_form(request.form)
    sent = request.files.get("file")
    data = sent.stream.read(MOST_BYTES + 1) if sent is not None else b""
    lines: list[Sentence] = []

    def save(session: Session) -> None:
        try:
            if form.what.data == "spools":
                exchange.spools_from_csv(session, data, me().id)
            else:
                exchange.filaments_from_csv(session, data)
        except BadTable as problem:
            lines.extend(problem.lines)
            raise

    if saved(form, save):
        return redirect(url_for("filament.shelf" if form.what.data == "spools" else "filament.all_products"))
    return _page(table=form, lines=tuple(lines)), 422


def _asked() -> tuple[SpoolmanForm, list[Foreign] | None]:
    """Return the form, and what the Spoolman at its address answers; None: the form says what is wrong."""
    form = SpoolmanForm(request.form)
    if not form.validate():
        return form, None
    try:
        return form, spoolman.fetch(form.address.data, settings().networks())
    except Invalid as problem:
        form.put(problem)
        return form, None


@blueprint.post("/spoolman")
@needs(Permission.SET_UP)
def look() -> Any:
    """Show what would come from a Spoolman; nothing is written."""
    form, found = _asked()
    if found is None:
        return _page(server=form), 422
    with db.reading() as session:
        seen = spoolman.look(session, found)
        return render_template("filament/spoolman.html", seen=seen, address=form.address.data)


@blueprint.post("/spoolman/take")
@needs(Permission.SET_UP)
def take() -> Any:
    """Take the chosen spools of a Spoolman over; those that came before are there already."""
    form, found = _asked()
    if found is None:
        return _page(server=form), 422
    chosen = {int(number) for number in request.form.getlist("spool") if number.isdecimal() and len(number) < 10}
    with db.transaction() as session:
        spoolman.take(session, found, chosen, me().id)
    return redirect(url_for("filament.shelf"))
