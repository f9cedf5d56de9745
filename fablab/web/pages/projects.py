"""Projects: budgets inside the place, their statements, and for the treasurer the forms to open and change them."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from wtforms import BooleanField, DateField, EmailField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, Optional

from fablab import db
from fablab.accounts import projects
from fablab.accounts import queries as people
from fablab.accounts.models import Person
from fablab.accounts.permissions import Permission
from fablab.accounts.project_models import Project
from fablab.accounts.projects import ProjectData
from fablab.billing import projects as budgets
from fablab.billing import seller
from fablab.billing.projects import NewBudget
from fablab.db import utcnow
from fablab.money import parse_euros
from fablab.orders.models import Order
from fablab.web.auth import me, needs
from fablab.web.forms import PageForm, saved
from fablab.web.language import choose

blueprint = Blueprint("projects", __name__, url_prefix="/projects")


class ProjectForm(PageForm):
    """A project's name, days and budget; the key makes a form, sent twice, one."""

    name = StringField(lazy_gettext("Name"), [InputRequired(), Length(max=120)])
    budget = StringField(lazy_gettext("Budget (€)"), [InputRequired(), Length(max=20)])
    first_on = DateField(lazy_gettext("First day"), [InputRequired()])
    last_on = DateField(lazy_gettext("Last day (empty: without end)"), [Optional()])
    active = BooleanField(lazy_gettext("May be ordered on"), default=True)
    key = StringField(validators=[InputRequired(), Length(min=8, max=40)])

    def project(self) -> ProjectData:
        """Return what was entered, without the budget."""
        return ProjectData(self.name.data, self.first_on.data, self.last_on.data, self.active.data)


class ChangeForm(ProjectForm):
    """The same of a project that is there, with the budget it showed."""

    seen_cents = IntegerField(validators=[InputRequired()])


class JoinForm(PageForm):
    """Somebody who is to order on a project."""

    email = EmailField(lazy_gettext("E-mail of the account"), [InputRequired(), Length(max=254)])


@blueprint.get("/")
@needs(Permission.ORDER)
def listed() -> Any:
    """Show the projects this person may see, with what is left of each."""
    today = seller.today(utcnow())
    with db.reading() as session:
        rows = [(each, budgets.budget_of(session, each.id)) for each in projects.listed(session, me())]
    return render_template("projects/list.html", rows=rows, today=today)


@blueprint.get("/new")
@needs(Permission.KEEP_BOOKS)
def new() -> Any:
    """Show the form for a new project."""
    form = ProjectForm(first_on=seller.today(utcnow()), key=secrets.token_hex(12))
    return render_template("projects/form.html", form=form, project=None)


@blueprint.post("/new")
@needs(Permission.KEEP_BOOKS)
def add() -> Any:
    """Open a project with its budget."""
    form, made = ProjectForm(request.form), []

    def act(session: Session) -> None:
        budget = parse_euros(form.budget.data, "budget")
        project = projects.add(session, form.project(), me().id, form.key.data)
        budgets.set_budget(session, project, budget, me().id, form.key.data)
        made.append(project)

    if saved(form, act):
        return redirect(url_for("projects.show", public_id=made[0].public_id))
    return render_template("projects/form.html", form=form, project=None), 422


@blueprint.get("/<public_id>")
@needs(Permission.ORDER)
def show(public_id: str) -> Any:
    """Show a project's statement: every booking, and what is left of the budget."""
    return _page(public_id, JoinForm())


def _page(public_id: str, form: JoinForm) -> str:
    with db.reading() as session:
        project = projects.seen_by(session, me(), public_id)
        lines = budgets.statement(session, project.id)
        orders = {each.entry.order_id: session.get(Order, each.entry.order_id) for each in lines if each.entry.order_id}
        return render_template(
            "projects/show.html",
            project=project,
            budget=budgets.budget_of(session, project.id),
            lines=lines,
            orders=orders,
            members=projects.people_of(session, project.id),
            by={each.entry.by_id: session.get(Person, each.entry.by_id) for each in lines if each.entry.by_id},
            runs=project.runs_on(seller.today(utcnow())),
            form=form,
        )


@blueprint.get("/<public_id>/change")
@needs(Permission.KEEP_BOOKS)
def change(public_id: str) -> Any:
    """Show the form with a project's name, days and budget."""
    with db.reading() as session:
        project = projects.seen_by(session, me(), public_id)
        given = budgets.budget_of(session, project.id).given_cents
    form = ChangeForm(obj=project, budget=_typed(given), seen_cents=given, key=secrets.token_hex(12))
    return render_template("projects/form.html", form=form, project=project)


def _typed(cents: int) -> str:
    return f"{cents // 100}{',' if choose() == 'fr' else '.'}{cents % 100:02d}"


@blueprint.post("/<public_id>/change")
@needs(Permission.KEEP_BOOKS)
def save(public_id: str) -> Any:
    """Change a project; a new budget is a booking of the difference, and never below what is used or reserved."""
    form = ChangeForm(request.form)
    with db.reading() as session:
        project = projects.seen_by(session, me(), public_id)

    def act(session: Session) -> None:
        found = projects.seen_by(session, me(), public_id)
        projects.change(found, form.project())
        wanted = NewBudget(form.seen_cents.data, parse_euros(form.budget.data, "budget"))
        budgets.change_budget(session, found, wanted, me().id, form.key.data)

    if saved(form, act):
        return redirect(url_for("projects.show", public_id=public_id))
    return render_template("projects/form.html", form=form, project=project), 422


@blueprint.post("/<public_id>/people")
@needs(Permission.KEEP_BOOKS)
def join(public_id: str) -> Any:
    """Let somebody order on a project."""
    form = JoinForm(request.form)
    if saved(form, lambda session: projects.join(session, _seen(session, public_id), form.email.data)):
        return redirect(url_for("projects.show", public_id=public_id))
    return _page(public_id, form), 422


def _seen(session: Session, public_id: str) -> Project:
    return projects.seen_by(session, me(), public_id)


@blueprint.post("/<public_id>/people/<person_id>/leave")
@needs(Permission.KEEP_BOOKS)
def leave(public_id: str, person_id: str) -> Any:
    """Let somebody no longer order on a project."""
    with db.transaction() as session:
        projects.leave(session, _seen(session, public_id), people.by_public_id(session, person_id))
    return redirect(url_for("projects.show", public_id=public_id))
