"""The shelf for volunteers: spools with what is left, filaments as products, what to buy."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts import queries as accounts
from fablab.accounts.models import Person
from fablab.accounts.permissions import Permission
from fablab.filament import products, queries, services
from fablab.filament.models import OWNER_LABELS, Filament, Owner, Spool
from fablab.filament.movements import Why
from fablab.filament.products import FilamentData
from fablab.filament.queries import SpoolOnShelf
from fablab.filament.services import SpoolData
from fablab.jobs import demand, spools
from fablab.machines.models import Machine
from fablab.web.auth import me, needs
from fablab.web.filament_forms import FilamentForm, ReceiveForm, ReelForm, cents
from fablab.web.forms import saved
from fablab.web.language import tr
from fablab.web.typed import euros
from fablab.words import N_

blueprint = Blueprint("filament", __name__, url_prefix="/filament")

AS_THEY_ARE = (
    "material_code",
    "name",
    "colour_name",
    "colour_hex",
    "net_g",
    "tare_g",
    "low_g",
    "diameter_mm",
    "density_g_cm3",
)
"""The fields of a filament that its form shows as they are kept."""


@blueprint.get("/")
@needs(Permission.RUN_BOARD)
def shelf() -> Any:
    """Show all spools in use, or those out of use."""
    with db.reading() as session:
        return render_template("filament/shelf.html", **_shelf(session))


@blueprint.get("/live")
@needs(Permission.RUN_BOARD)
def live_shelf() -> Any:
    """Show the part of the shelf that changes."""
    with db.reading() as session:
        return render_template("filament/_shelf.html", **_shelf(session))


def _shelf(session: Session) -> dict[str, Any]:
    ended = "ended" in request.args
    found = spools.shelf(session, ended=ended)
    plan = demand.shopping(session)
    groups: dict[str, list[SpoolOnShelf]] = {}
    for each in found:
        groups.setdefault(each.spool.filament.material.label, []).append(each)
    return {
        "groups": groups,
        "ended": ended,
        "low": {each.product_id for each in plan.purchases},
        "to_buy": len(plan.purchases) + len(plan.unknown),
        "has_filaments": bool(queries.filaments(session)),
        **people_and_machines(session, [each.spool for each in found]),
    }


def people_and_machines(session: Session, found: list[Spool]) -> dict[str, Any]:
    """Return whose and where these spools are, for the templates."""
    owners = {each.owner_id for each in found if each.owner_id is not None}
    holders = {each.machine_id for each in found if each.machine_id is not None}
    return {
        "owners": {owner: session.get_one(Person, owner) for owner in owners},
        "holders": {machine: session.get_one(Machine, machine) for machine in holders},
    }


@blueprint.get("/shopping")
@needs(Permission.RUN_BOARD)
def shopping() -> Any:
    """Show what the queue needs against what there is, and what to buy."""
    with db.reading() as session:
        known = {each.id: each for each in queries.filaments(session)}
        free = {each.id: each.free_g for each in demand.products(session)}
        return render_template("filament/shopping.html", plan=demand.shopping(session), known=known, free=free)


# Filaments as products -----------------------------------------------------------------------------------------------


@blueprint.get("/products")
@needs(Permission.RUN_BOARD)
def all_products() -> Any:
    """Show the filaments that are known."""
    with db.reading() as session:
        free = {each.id: each.free_g for each in demand.products(session)}
        return render_template("filament/products.html", filaments=queries.filaments(session), free=free)


def _filament_form(session: Session, data: Any = None, **values: Any) -> FilamentForm:
    form = FilamentForm(data, **values)
    form.material_code.choices = [(each.code, each.label) for each in queries.materials(session)]
    return form


def _filament_data(form: FilamentForm) -> FilamentData:
    return FilamentData(
        material_code=form.material_code.data,
        vendor=form.vendor.data or "",
        colour_name=form.colour_name.data,
        colour_hex=form.colour_hex.data,
        name=form.name.data or "",
        diameter_mm=form.diameter_mm.data,
        density_g_cm3=form.density_g_cm3.data,
        net_g=form.net_g.data,
        tare_g=form.tare_g.data,
        price_cents=cents(form.price.data, "price"),
        low_g=form.low_g.data or 0.0,
    )


@blueprint.get("/products/new")
@needs(Permission.RUN_BOARD)
def new_product() -> Any:
    """Show the form for a new filament."""
    with db.reading() as session:
        form = _filament_form(session, colour_hex="#1e88e5", net_g=1000, diameter_mm=1.75, low_g=0)
        return _product_page(session, form, None)


def _product_page(session: Session, form: FilamentForm, filament: Filament | None) -> str:
    vendors = queries.vendor_names(session)
    return render_template("filament/product.html", form=form, filament=filament, vendors=vendors)


@blueprint.post("/products/new")
@needs(Permission.RUN_BOARD)
def add_product() -> Any:
    """Add a filament, then receive spools of it."""
    with db.reading() as session:
        form = _filament_form(session, request.form)
    made: list[Filament] = []
    if saved(form, lambda session: made.append(products.add(session, _filament_data(form)))):
        return redirect(url_for("filament.receive", filament=made[0].public_id))
    with db.reading() as session:
        return _product_page(session, form, None), 422


@blueprint.get("/products/<public_id>")
@needs(Permission.RUN_BOARD)
def product(public_id: str) -> Any:
    """Show what is known of a filament."""
    with db.reading() as session:
        found = queries.filament_by_public_id(session, public_id)
        values = {name: getattr(found, name) for name in AS_THEY_ARE}
        values |= {"vendor": found.vendor_name, "price": euros(found.price_cents)}
        return _product_page(session, _filament_form(session, **values), found)


@blueprint.post("/products/<public_id>")
@needs(Permission.RUN_BOARD)
def change_product(public_id: str) -> Any:
    """Change what is known of a filament."""
    with db.reading() as session:
        found = queries.filament_by_public_id(session, public_id)
        form = _filament_form(session, request.form)

    def save(session: Session) -> None:
        products.change(session, queries.filament_by_public_id(session, public_id), _filament_data(form))

    if saved(form, save):
        return redirect(url_for("filament.all_products"))
    with db.reading() as session:
        return _product_page(session, form, found), 422


# Receiving -----------------------------------------------------------------------------------------------------------


def with_owners(session: Session, form: ReelForm) -> None:
    """Let a form choose whose a reel is."""
    form.owner.choices = [(each.value, tr(OWNER_LABELS[each])) for each in Owner]
    everybody = [(str(person.id), person.name) for person in accounts.everybody(session)]
    form.owner_id.choices = [("", tr(N_("nobody"))), *everybody]


def reel_data(form: ReelForm) -> SpoolData:
    """Return what a form says of a reel."""
    return SpoolData(
        lot=form.lot.data or "",
        price_cents=cents(form.price.data, "price"),
        owner=Owner(form.owner.data),
        owner_id=int(form.owner_id.data) if form.owner_id.data else None,
        shelf=form.shelf.data or "",
        comment=form.comment.data or "",
        own_tare_g=form.own_tare_g.data,
    )


def _receive_form(session: Session, data: Any = None, **values: Any) -> ReceiveForm:
    form = ReceiveForm(data, **values)
    with_owners(session, form)
    form.filament.choices = [(each.public_id, in_words(each)) for each in queries.filaments(session)]
    return form


def in_words(filament: Filament) -> str:
    """Name a filament in a list of choices."""
    words = f"{filament.material_code} {tr(filament.colour_name)}"
    more = " ".join(filter(None, (filament.vendor_name, filament.name)))
    return f"{words} · {more}" if more else words


@blueprint.get("/receive")
@needs(Permission.RUN_BOARD)
def receive() -> Any:
    """Show the form for spools that came in."""
    with db.reading() as session:
        chosen = request.args.get("filament", "")
        values: dict[str, Any] = {"count": 1, "key": secrets.token_urlsafe(9), "owner": Owner.PLACE.value}
        if chosen:
            found = queries.filament_by_public_id(session, chosen)
            values |= {"filament": found.public_id, "mass_g": found.net_g, "price": euros(found.price_cents)}
        return render_template("filament/receive.html", form=_receive_form(session, **values))


@blueprint.post("/receive")
@needs(Permission.RUN_BOARD)
def received() -> Any:
    """Add spools to the shelf; the same form sent twice adds them once."""
    with db.reading() as session:
        form = _receive_form(session, request.form)
    made: list[Spool] = []

    def save(session: Session) -> None:
        kind = queries.filament_by_public_id(session, form.filament.data)
        mass_g = kind.net_g if form.mass_g.data is None else form.mass_g.data
        for number in range(form.count.data):
            why = Why(me().id, key=f"{form.key.data}-{number}")
            made.append(services.receive(session, kind, mass_g, reel_data(form), why))

    if not saved(form, save):
        return render_template("filament/receive.html", form=form), 422
    if len(made) == 1:
        return redirect(url_for("spools.show", public_id=made[0].public_id))
    return redirect(url_for("labels.choose", spool=[each.public_id for each in made]))
