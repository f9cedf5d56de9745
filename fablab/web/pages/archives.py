"""The archives of closed years: made once, recorded, and downloaded."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, render_template, url_for

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.bookkeeping import archiving
from fablab.bookkeeping.closings import Closer
from fablab.db import utcnow
from fablab.errors import NotFound
from fablab.web import papers
from fablab.web.auth import me, needs

blueprint = Blueprint("archives", __name__, url_prefix="/books/archives")


@blueprint.get("/")
@needs(Permission.KEEP_BOOKS)
def show() -> Any:
    """Show the closed years, and the digest of the archive of each."""
    with db.reading() as session:
        return render_template("books/archives.html", years=archiving.years(session))


@blueprint.post("/<int:year>")
@needs(Permission.KEEP_BOOKS)
def make(year: int) -> Any:
    """Archive a closed year; sent twice, it is archived once."""
    papers.archive_of(min(max(year, 2000), 9000), Closer(me().id, utcnow()))
    return redirect(url_for("archives.show"))


@blueprint.get("/<int:year>.zip")
@needs(Permission.KEEP_BOOKS)
def download(year: int) -> Any:
    """Give the archive of a year."""
    with db.reading() as session:
        found = archiving.of_year(session, year)
    if found is None:
        raise NotFound
    answer = Response(archiving.content_of(found), mimetype="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{archiving.name_of(found)}"'
    return answer
