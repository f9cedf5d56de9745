"""E-reporting: which days are to be handed over and by when, their files, and what was handed over."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from wtforms import DateField, StringField
from wtforms.validators import InputRequired, Length, Optional

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.billing import seller
from fablab.bookkeeping import reporting, sheets
from fablab.bookkeeping.reporting import LONGEST_REFERENCE, Report
from fablab.db import utcnow
from fablab.errors import NotFound
from fablab.settings import settings
from fablab.web.auth import me, needs
from fablab.web.forms import PageForm, saved

blueprint = Blueprint("reporting", __name__, url_prefix="/books/e-reports")
SHOWN = 24


class HandedForm(PageForm):
    """That a report was handed over."""

    handed_on = DateField(lazy_gettext("Handed over on"), [InputRequired()])
    reference = StringField(lazy_gettext("Reference"), [Optional(), Length(max=LONGEST_REFERENCE)])


def _today() -> date:
    return seller.today(utcnow())


def _report(session: Session, what: str, first_on: str) -> Report:
    try:
        return reporting.one(session, what, date.fromisoformat(first_on))
    except ValueError:
        raise NotFound from None


@blueprint.get("/")
@needs(Permission.KEEP_BOOKS)
def show() -> Any:
    """Show what is to be handed over, with its files and a form for each, and what was."""
    return _page()


def _page(wrong: HandedForm | None = None, wrong_id: str = "") -> str:
    begins_on = settings().e_reporting_from
    with db.reading() as session:
        found = reporting.standing(session, _today())
        duty = reporting.duty_on(session, max(_today(), begins_on))
        forms = {
            id_: wrong if wrong is not None and id_ == wrong_id else HandedForm(handed_on=_today(), prefix=f"{id_}-")
            for id_ in (_id(each) for each in found.due)
        }
    return render_template(
        "books/reporting.html",
        standing=found,
        done=found.done[:SHOWN],
        duty=duty,
        forms=forms,
        id_of=_id,
        begins_on=begins_on,
        today=_today(),
        what_labels=reporting.WHAT_LABELS,
        rhythm_labels=reporting.RHYTHM_LABELS,
    )


def _id(report: Report) -> str:
    return f"{report.what}-{report.first_on.isoformat()}"


@blueprint.get("/<what>/<first_on>")
@needs(Permission.KEEP_BOOKS)
def sheet(what: str, first_on: str) -> Any:
    """Give one report as CSV."""
    with db.snapshot() as session:
        made = sheets.of_report(session, _report(session, what, first_on))
    answer = Response(made.content, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return answer


@blueprint.post("/<what>/<first_on>")
@needs(Permission.KEEP_BOOKS)
def hand_over(what: str, first_on: str) -> Any:
    """Write down that a report was handed over; sent twice, it is written once."""
    with db.reading() as session:
        report = _report(session, what, first_on)
    form = HandedForm(request.form, prefix=f"{_id(report)}-")

    def save(session: Session) -> None:
        reporting.hand_over(session, report, form.handed_on.data, form.reference.data or "", me().id, _today())

    return redirect(url_for("reporting.show")) if saved(form, save) else (_page(form, _id(report)), 422)
