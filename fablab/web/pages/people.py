"""People, for administrators: accounts, rights, and their wallets."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from fablab import db, leaving
from fablab.accounts import queries, services
from fablab.accounts.permissions import ROLE_LABELS, Permission, Role
from fablab.billing import ledger
from fablab.errors import Conflict, Invalid
from fablab.web.auth import me, needs
from fablab.web.forms import PageForm, PasswordForm, PersonForm, RightsForm, filled
from fablab.web.language import tr
from fablab.web.pages.wallet import facts

blueprint = Blueprint("people", __name__, url_prefix="/people")


@blueprint.get("/")
@needs(Permission.SET_UP)
def everybody() -> Any:
    """Show all people with their balances."""
    return _list(_with_roles(PersonForm()))


@blueprint.post("/")
@needs(Permission.SET_UP)
def add() -> Any:
    """Make an account."""
    form = _with_roles(PersonForm(request.form))
    if not form.validate():
        return _list(form), 422
    try:
        with db.transaction() as session:
            person = services.register(
                session, form.name.data, form.email.data, form.password.data, Role(form.role.data)
            )
    except Conflict as problem:
        form.email.errors = [tr(problem.sentence)]
        return _list(form), 409
    except Invalid as problem:
        if not form.put(problem):
            raise
        return _list(form), 422
    return redirect(url_for("people.show", public_id=person.public_id))


def _list(form: PageForm) -> str:
    with db.reading() as session:
        people = [(person, ledger.balance_cents(session, person.id)) for person in queries.everybody(session)]
    return render_template("people/everybody.html", people=people, form=form, roles=ROLE_LABELS)


@blueprint.get("/<public_id>")
@needs(Permission.SET_UP)
def show(public_id: str) -> Any:
    """Show one person with their wallet."""
    with db.reading() as session:
        person = queries.by_public_id(session, public_id)
        rights = _with_roles(RightsForm(role=person.role, active=person.active))
        return render_template(
            "people/show.html",
            person=person,
            rights=rights,
            password=PasswordForm(),
            **facts(session, person.id),
        )


@blueprint.post("/<public_id>/rights")
@needs(Permission.SET_UP)
def rights(public_id: str) -> Any:
    """Change what a person may do."""
    form = _with_roles(RightsForm(request.form))
    if not form.validate():
        raise Invalid(next(iter(form.errors.values()))[0])
    with db.transaction() as session:
        person = queries.by_public_id(session, public_id)
        services.change(session, person, role=Role(form.role.data), active=form.active.data, by=me())
    return redirect(url_for("people.show", public_id=public_id))


@blueprint.post("/<public_id>/password")
@needs(Permission.SET_UP)
def password(public_id: str) -> Any:
    """Give a person a new password; their browsers are signed out."""
    form = filled(PasswordForm, request.form)
    with db.transaction() as session:
        services.change_password(session, queries.by_public_id(session, public_id), form.password.data)
    return redirect(url_for("people.show", public_id=public_id))


@blueprint.post("/<public_id>/erase")
@needs(Permission.SET_UP)
def erase(public_id: str) -> Any:
    """Erase an account for good."""
    with db.transaction() as session:
        leaving.erase(session, queries.by_public_id(session, public_id), me())
    return redirect(url_for("people.everybody"))


def _with_roles(form: Any) -> Any:
    form.role.choices = [(role.value, tr(label)) for role, label in ROLE_LABELS.items()]
    return form
