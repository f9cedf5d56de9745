"""Companies: the bookkeepers' list, and the page of one for its own people."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts import companies
from fablab.accounts import queries as people
from fablab.accounts.companies import Contact, Identity
from fablab.accounts.models import COMPANY_KIND_LABELS, COMPANY_ROLE_LABELS, Company, CompanyRole
from fablab.accounts.permissions import Permission
from fablab.billing import seller
from fablab.db import utcnow
from fablab.invoicing import from_orders, queries
from fablab.invoicing.queries import STANDING_LABELS
from fablab.orders import queries as orders
from fablab.web.auth import me, needs
from fablab.web.book_forms import CompanyForm, ContactForm, MemberForm
from fablab.web.forms import saved
from fablab.web.language import tr

blueprint = Blueprint("companies", __name__, url_prefix="/companies")


@blueprint.get("/")
@needs(Permission.ORDER)
def all_of_them() -> Any:
    """Show the companies this person may see."""
    with db.reading() as session:
        return render_template("companies/all.html", companies=companies.listed(session, me()))


@blueprint.get("/new")
@needs(Permission.KEEP_BOOKS)
def new() -> Any:
    """Show the form for a new company."""
    return render_template("companies/form.html", form=_with_languages(CompanyForm()), company=None)


@blueprint.post("/new")
@needs(Permission.KEEP_BOOKS)
def add() -> Any:
    """Add a company."""
    form = _with_languages(CompanyForm(request.form))
    made: list[Company] = []
    if saved(form, lambda session: made.append(companies.add(session, _identity(form), _contact(form)))):
        return redirect(url_for("companies.show", public_id=made[0].public_id))
    return render_template("companies/form.html", form=form, company=None), 422


def _identity(form: CompanyForm) -> Identity:
    return Identity(**{name: form.data[name] for name in Identity.__dataclass_fields__})


def _contact(form: ContactForm) -> Contact:
    return Contact(**{name: form.data[name] or "" for name in Contact.__dataclass_fields__})


@blueprint.get("/<public_id>")
@needs(Permission.ORDER)
def show(public_id: str) -> Any:
    """Show a company: its people, orders and documents."""
    return _page(public_id, _member_form())


def _member_form(data: Any = None) -> MemberForm:
    form = MemberForm(data)
    form.role.choices = [(role.value, tr(label)) for role, label in COMPANY_ROLE_LABELS.items()]
    return form


def _page(public_id: str, form: MemberForm) -> str:
    with db.reading() as session:
        company = companies.seen_by(session, me(), public_id)
        return render_template(
            "companies/show.html",
            company=company,
            form=form,
            members=companies.people_of(session, company.id),
            roles=COMPANY_ROLE_LABELS,
            orders=orders.of_company(session, company.id),
            documents=queries.of_company(session, company.id, seller.today(utcnow())),
            waiting=from_orders.waiting(session, company.id),
            standing_labels=STANDING_LABELS,
        )


@blueprint.get("/<public_id>/change")
@needs(Permission.ORDER)
def change(public_id: str) -> Any:
    """Show what of a company this person may change: its own people where invoices go, a bookkeeper all of it."""
    with db.reading() as session:
        company = companies.seen_by(session, me(), public_id)
    return render_template("companies/form.html", form=_own_form(obj=company), company=company)


def _own_form(data: Any = None, **values: Any) -> Any:
    kind = CompanyForm if me().may(Permission.KEEP_BOOKS) else ContactForm
    return _with_languages(kind(data, **values))


def _with_languages(form: Any) -> Any:
    form.language.choices = [("fr", "Français"), ("en", "English")]
    if isinstance(form, CompanyForm):
        form.kind.choices = [(each, tr(label)) for each, label in COMPANY_KIND_LABELS.items()]
    return form


@blueprint.post("/<public_id>/change")
@needs(Permission.ORDER)
def save(public_id: str) -> Any:
    """Change a company; documents that were issued stay as they are."""
    form = _own_form(request.form)
    with db.reading() as session:
        company = companies.seen_by(session, me(), public_id)

    def act(session: Session) -> None:
        found = companies.seen_by(session, me(), public_id)
        if isinstance(form, CompanyForm):
            companies.change(session, found, _identity(form), _contact(form))
        else:
            companies.change_contact(found, _contact(form))

    if saved(form, act):
        return redirect(url_for("companies.show", public_id=public_id))
    return render_template("companies/form.html", form=form, company=company), 422


@blueprint.post("/<public_id>/people")
@needs(Permission.KEEP_BOOKS)
def join(public_id: str) -> Any:
    """Let somebody act for a company."""
    form = _member_form(request.form)

    def act(session: Session) -> None:
        company = companies.seen_by(session, me(), public_id)
        companies.join(session, company, form.email.data, CompanyRole(form.role.data))

    if saved(form, act):
        return redirect(url_for("companies.show", public_id=public_id))
    return _page(public_id, form), 422


@blueprint.post("/<public_id>/people/<person_id>/leave")
@needs(Permission.KEEP_BOOKS)
def leave(public_id: str, person_id: str) -> Any:
    """Let somebody no longer act for a company."""
    with db.transaction() as session:
        company = companies.seen_by(session, me(), public_id)
        companies.leave(session, company, people.by_public_id(session, person_id))
    return redirect(url_for("companies.show", public_id=public_id))
