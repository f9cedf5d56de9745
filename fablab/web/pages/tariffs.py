"""Prices, for administrators: by group and date, with an example of what they make, and five to begin with."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts import queries as accounts
from fablab.accounts.permissions import Permission
from fablab.billing import failures, queries, seller, tariffs
from fablab.billing.models import GROUP_LABELS, Group
from fablab.billing.pricing import DEFAULT_TARIFF, Price, Tariff, price
from fablab.billing.tariffs import READY_MADE, ReadyMade, TariffData
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid, NotFound
from fablab.filament import queries as filament
from fablab.web.auth import me, needs
from fablab.web.forms import saved
from fablab.web.language import tr
from fablab.web.tariff_forms import TariffForm, entered, group_form, tariff_form, values_of
from fablab.words import Sentence

blueprint = Blueprint("tariffs", __name__, url_prefix="/setup/tariffs")


@blueprint.get("/")
@needs(Permission.SET_UP)
def show() -> Any:
    """Show what holds for each group, what will and what did, and the tariffs that are ready to use."""
    now = utcnow()
    with db.reading() as session:
        order = list(Group)
        rows = sorted(queries.tariffs(session), key=lambda row: order.index(Group(row.tariff_group)))
        groups = {group: list(each) for group, each in groupby(rows, key=lambda row: Group(row.tariff_group))}
        current = {
            group: next((each for each in each_of if each.valid_from <= now), None) for group, each_of in groups.items()
        }
    return render_template(
        "tariffs/show.html",
        groups=groups,
        current=current,
        now=now,
        group_labels=GROUP_LABELS,
        ready_made=READY_MADE,
        in_words=tariffs.in_words,
        as_tariff=queries.as_tariff,
    )


def _ready(key: str) -> ReadyMade:
    found = next((each for each in READY_MADE if each.key == key), None)
    if found is None:
        raise NotFound
    return found


@blueprint.post("/ready/<key>")
@needs(Permission.SET_UP)
def use(key: str) -> Any:
    """Let a ready-made tariff hold for members from now on."""
    made = _ready(key).tariff
    fees = (made.setup_cents, made.per_hour_cents, made.minimum_cents)
    with db.transaction() as session:
        tariffs.set_tariff(session, TariffData(tr(made.name), *fees, made.per_kg_cents, made.rules), me().id)
    return redirect(url_for("tariffs.show"))


@blueprint.get("/new")
@needs(Permission.SET_UP)
def new() -> Any:
    """Show the form for new prices, filled with the present ones of the group or with a ready-made tariff."""
    group = next((each for each in Group if each == request.args.get("group")), Group.MEMBER)
    with db.reading() as session:
        ready = request.args.get("ready")
        begun = _ready(ready).tariff if ready else _present(session, group)
        form = _form(session, tariff_group=group.value, **values_of(begun))
    return _page(form)


def _present(session: Session, group: Group) -> Tariff:
    try:
        return queries.as_tariff(queries.current_tariff(session, group))
    except Conflict:
        return DEFAULT_TARIFF


def _form(session: Session, data: Any = None, **values: Any) -> TariffForm:
    return tariff_form([material.code for material in filament.materials(session)], data, **values)


@blueprint.post("/new")
@needs(Permission.SET_UP)
def add() -> Any:
    """Show what new prices make of the example, or let them take over from their date on."""
    with db.reading() as session:
        form = _form(session, request.form)
    if "show" in request.form:
        return _page(form)

    def save(session: Session) -> None:
        tariffs.set_tariff(session, entered(form), me().id, tariffs.beginning(form.valid_from.data))

    if saved(form, save):
        return redirect(url_for("tariffs.show"))
    return _page(form), 422


@blueprint.get("/example")
@needs(Permission.SET_UP)
def example() -> Any:
    """Show what the prices in the address make of the example there."""
    with db.reading() as session:
        form = _form(session, request.args)
    return render_template("tariffs/_example.html", form=form, **_tried(form))


def _page(form: TariffForm) -> str:
    return render_template("tariffs/form.html", form=form, **_tried(form))


def _tried(form: TariffForm) -> dict[str, Price | Sentence | int | None]:
    """Return what the form's prices make of its example, or why they make nothing; what was found wrong stays so."""
    sent = form.name.raw_data is not None
    if form.errors or (sent and not form.validate()):
        return {"made": None, "problem": None}
    try:
        tariff = replace(entered(form).tariff, urgent=form.example_urgent.data)
        tariffs.must_be_possible(tariff)
        material = form.example_material.data or next(iter(tariff.per_kg_cents))
        figures = (float(form.example_mass_g.data), 60.0 * form.example_minutes.data, form.example_copies.data)
        made = price(tariff, material, *figures)
    except Invalid as problem:
        return {"made": None, "problem": problem.sentence}
    halfway = failures.cost(made.total_cents, 1, 1, 1, 2)
    return {"made": made, "problem": None, "failed_cents": None if tariff.rules.free_failures is None else halfway}


@blueprint.get("/people/<public_id>")
@needs(Permission.SET_UP)
def person(public_id: str) -> Any:
    """Show whose prices a person pays, did and will pay."""
    with db.reading() as session:
        found = accounts.by_public_id(session, public_id)
        group = tariffs.group_of(session, found.id)
    return _person_page(public_id, group_form(tariff_group=group.value, valid_from=seller.today(utcnow())))


@blueprint.post("/people/<public_id>")
@needs(Permission.SET_UP)
def put_into(public_id: str) -> Any:
    """Let a person pay the prices of a group from a date on."""
    form = group_form(request.form)

    def save(session: Session) -> None:
        found = accounts.by_public_id(session, public_id)
        tariffs.put_into(session, found.id, Group(form.tariff_group.data), form.valid_from.data, me().id)

    if saved(form, save):
        return redirect(url_for("tariffs.person", public_id=public_id))
    return _person_page(public_id, form), 422


def _person_page(public_id: str, form: Any) -> str:
    with db.reading() as session:
        found = accounts.by_public_id(session, public_id)
        return render_template(
            "tariffs/person.html",
            person=found,
            form=form,
            group=tariffs.group_of(session, found.id),
            history=tariffs.groups_of(session, found.id),
            group_labels=GROUP_LABELS,
        )
