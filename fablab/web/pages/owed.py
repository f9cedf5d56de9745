"""What companies owe: their statements of account, what is overdue, and the reminders that were sent."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from wtforms import DateField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from fablab import db, press
from fablab.accounts import companies
from fablab.accounts.permissions import Permission
from fablab.billing import seller
from fablab.db import utcnow
from fablab.errors import Invalid
from fablab.invoicing import queries
from fablab.notices.models import MAIL_LABELS
from fablab.receivables import reminders, statement, wording
from fablab.receivables.reminders import LONGEST_REASON
from fablab.receivables.statement import Statement
from fablab.settings import settings
from fablab.web.auth import me, needs
from fablab.web.forms import PageForm, filled, saved
from fablab.web.language import choose

blueprint = Blueprint("owed", __name__, url_prefix="/owed")


class PeriodForm(PageForm):
    """From which day to which."""

    first_on = DateField(lazy_gettext("First day"), [InputRequired()])
    last_on = DateField(lazy_gettext("Last day"), [InputRequired()])


class StopForm(PageForm):
    """Why nobody is reminded of an invoice."""

    reason = StringField(lazy_gettext("Why nobody is to be reminded"), [InputRequired(), Length(max=LONGEST_REASON)])


class LevelForm(PageForm):
    """Which reminder is sent now."""

    level = IntegerField(lazy_gettext("Reminder"), [InputRequired(), NumberRange(1, 3)])


def _today() -> date:
    return seller.today(utcnow())


@blueprint.get("/")
@needs(Permission.KEEP_BOOKS)
def show() -> Any:
    """Show what is overdue, what was sent and what comes next."""
    return _page()


def _page(public_id: str | None = None, form: StopForm | None = None) -> str:
    with db.reading() as session:
        return render_template(
            "owed/show.html",
            rows=reminders.overdue(session, _today()),
            sent=reminders.newest(session),
            companies=companies.listed(session, me()),
            days=wording.days(),
            mail_labels=MAIL_LABELS,
            has_server=bool(settings().mail_server),
            wrong_id=public_id,
            wrong=form,
        )


@blueprint.post("/<public_id>/send")
@needs(Permission.KEEP_BOOKS)
def send(public_id: str) -> Any:
    """Send a reminder now; pressed twice it is sent once."""
    level = filled(LevelForm, request.form).level.data
    with db.transaction() as session:
        reminders.send_now(session, queries.seen_by(session, me(), public_id), level, me().id, utcnow())
    return redirect(url_for("owed.show"))


@blueprint.post("/<public_id>/stop")
@needs(Permission.KEEP_BOOKS)
def stop(public_id: str) -> Any:
    """Let nobody be reminded of an invoice."""
    form = StopForm(request.form)

    def act(session: Session) -> None:
        reminders.stop(session, queries.seen_by(session, me(), public_id), form.reason.data, me().id, utcnow())

    if saved(form, act):
        return redirect(url_for("owed.show"))
    return _page(public_id, form), 422


@blueprint.post("/<public_id>/resume")
@needs(Permission.KEEP_BOOKS)
def resume(public_id: str) -> Any:
    """Let an invoice be reminded of again."""
    with db.transaction() as session:
        reminders.resume(session, queries.seen_by(session, me(), public_id))
    return redirect(url_for("owed.show"))


@blueprint.get("/statement/<public_id>")
@needs(Permission.ORDER)
def statement_of(public_id: str) -> Any:
    """Show a company's statement of account for a period: to its own people and to bookkeepers."""
    form = _period()
    asked = "first_on" in request.args or "last_on" in request.args
    with db.reading() as session:
        company = companies.seen_by(session, me(), public_id)
        found = None
        if not asked or form.validate():
            try:
                found = statement.of(session, company, form.first_on.data, form.last_on.data)
            except Invalid as problem:
                if not form.put(problem):
                    raise
        page = render_template("owed/statement.html", company=company, form=form, statement=found)
        return page, 200 if found else 422


@blueprint.get("/statement/<public_id>/statement.pdf")
@needs(Permission.ORDER)
def statement_pdf(public_id: str) -> Any:
    """Give a company's statement of account as PDF."""
    found, html = _statement(public_id)
    answer = Response(press.printed(html), mimetype="application/pdf")
    name = f"statement-{found.first_on}-{found.last_on}.pdf"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _statement(public_id: str) -> tuple[Statement, str]:
    form = filled(PeriodForm, request.args)
    with db.reading() as session:
        company = companies.seen_by(session, me(), public_id)
        found = statement.of(session, company, form.first_on.data, form.last_on.data)
        return found, statement.html_of(session, found, choose())


def _period() -> PeriodForm:
    today = _today()
    if "first_on" in request.args or "last_on" in request.args:
        return PeriodForm(request.args)
    return PeriodForm(first_on=today.replace(month=1, day=1), last_on=today)
