"""Setting the place up, for administrators: printers, materials, rules of the house."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.billing import queries as billing_queries
from fablab.billing import seller, tariffs
from fablab.bookkeeping import thresholds
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid, Problem
from fablab.filament import queries as filament
from fablab.filament import services as filament_services
from fablab.jobs import queries as jobs
from fablab.machines import queries as machines
from fablab.machines import services as machine_services
from fablab.machines.models import HouseRules, Machine, Service
from fablab.machines.services import MachineData
from fablab.printers import DRIVERS, Finding, open_printer
from fablab.settings import settings
from fablab.slicing.profiles import filament_profiles, machine_profiles
from fablab.web.auth import me, needs
from fablab.web.forms import (
    HouseRulesForm,
    MachineForm,
    MaterialForm,
    PageForm,
    ServiceForm,
    saved,
)
from fablab.web.language import tr
from fablab.words import N_, say

blueprint = Blueprint("setup", __name__, url_prefix="/setup")

SERVICE_LABELS = {
    Service.IN_SERVICE: N_("In service"),
    Service.OUT_OF_SERVICE: N_("Out of service"),
    Service.RETIRED: N_("Retired"),
}
DRIVER_LABELS = {"octoprint": N_("OctoPrint"), "simulated": N_("Simulated (for practice)")}


@blueprint.get("/")
@needs(Permission.SET_UP)
def show() -> Any:
    """Show everything that can be set up."""
    with db.reading() as session:
        tariff = billing_queries.current_tariff(session) if billing_queries.tariffs(session) else None
        return render_template(
            "setup/show.html",
            machines=machines.all_in_use(session),
            profiles=machine_profiles(),
            materials=filament.materials(session, active_only=False),
            tariff=tariff,
            prices=list(tariffs.in_words(billing_queries.as_tariff(tariff))) if tariff else [],
            rules=machines.house_rules(session),
            seller_identity=next(iter(seller.identities(session)), None),
            warned=thresholds.warning(session, seller.today(utcnow())),
        )


# Rules of the house --------------------------------------------------------------------------------------------------


@blueprint.get("/rules")
@needs(Permission.SET_UP)
def rules() -> Any:
    """Show the rules for all printers."""
    with db.reading() as session:
        return render_template("setup/rules.html", form=HouseRulesForm(obj=machines.house_rules(session)))


@blueprint.post("/rules")
@needs(Permission.SET_UP)
def set_rules() -> Any:
    """Let new rules hold."""
    form = HouseRulesForm(request.form)

    def save(session: Session) -> None:
        wanted = HouseRules()
        form.populate_obj(wanted)
        machine_services.set_rules(session, wanted, me().id)

    if saved(form, save):
        return redirect(url_for("setup.show"))
    return render_template("setup/rules.html", form=form), 422


# Printers ------------------------------------------------------------------------------------------------------------


def _machine_form(data: Any = None, **values: Any) -> MachineForm:
    form = MachineForm(data, **values)
    form.profile.choices = [(name, profile.label_with_size) for name, profile in sorted(machine_profiles().items())]
    form.driver.choices = [(name, tr(DRIVER_LABELS.get(name, name))) for name in DRIVERS]
    return form


def _machine_data(form: MachineForm) -> MachineData:
    return MachineData(
        name=form.name.data,
        driver=form.driver.data,
        address=form.address.data,
        profile=form.profile.data,
        key=form.key.data or "",
        circuit=form.circuit.data or "",
        attended=form.attended.data,
        snapshot=form.snapshot.data or "",
    )


@blueprint.get("/printers/new")
@needs(Permission.SET_UP)
def new_machine() -> Any:
    """Show the form for a new printer."""
    return render_template("setup/machine.html", form=_machine_form(driver="octoprint"), machine=None, findings=None)


@blueprint.post("/printers/new")
@needs(Permission.SET_UP)
def add_machine() -> Any:
    """Test a new printer's connection in words, or add it."""
    form = _machine_form(request.form)
    if not form.validate():
        return render_template("setup/machine.html", form=form, machine=None, findings=None), 422
    if "test" in request.form:
        findings = test_connection(_machine_data(form), form.key.data or None)
        return render_template("setup/machine.html", form=form, machine=None, findings=findings)
    try:
        with db.transaction() as session:
            machine = machine_services.add(session, _machine_data(form), me().id)
    except Invalid as problem:
        return _machine_problem(form, problem, None)
    return redirect(url_for("setup.machine", public_id=machine.public_id))


@blueprint.get("/printers/<public_id>")
@needs(Permission.SET_UP)
def machine(public_id: str) -> Any:
    """Show a printer's settings."""
    with db.reading() as session:
        found = machines.by_public_id(session, public_id)
        form = _machine_form(obj=found)
        return render_template(
            "setup/machine.html", form=form, machine=found, service=_service_form(found), findings=None
        )


@blueprint.post("/printers/<public_id>")
@needs(Permission.SET_UP)
def change_machine(public_id: str) -> Any:
    """Test or change how a printer is reached; without a new key the stored one is used."""
    form = _machine_form(request.form)
    with db.reading() as session:
        found = machines.by_public_id(session, public_id)
        same_place = (found.driver, found.address) == (form.driver.data, form.address.data)
        key = form.key.data or (machine_services.key_of(found) if same_place else None)
    shown = {"machine": found, "service": _service_form(found)}
    if not form.validate():
        return render_template("setup/machine.html", form=form, findings=None, **shown), 422
    if "test" in request.form:
        findings = test_connection(_machine_data(form), key)
        return render_template("setup/machine.html", form=form, findings=findings, **shown)
    try:
        with db.transaction() as session:
            current = machines.by_public_id(session, public_id)
            if not same_place:
                _must_be_free(session, current)
            machine_services.change(session, current, _machine_data(form), me().id)
    except Invalid as problem:
        return _machine_problem(form, problem, found)
    return redirect(url_for("setup.machine", public_id=public_id))


def _must_be_free(session: Session, machine: Machine) -> None:
    if jobs.live_attempt_on(session, machine.id) is not None:
        raise Conflict(say("A print on this printer has to be checked first."))


def _machine_problem(form: MachineForm, problem: Invalid, machine: Machine | None) -> Any:
    if not form.put(problem):
        raise problem
    service = _service_form(machine) if machine else None
    return render_template("setup/machine.html", form=form, machine=machine, service=service, findings=None), 422


def test_connection(data: MachineData, key: str | None) -> list[Finding]:
    """Return what a connection test says about a printer; it never raises."""
    try:
        return open_printer(data.driver, data.address, key, allowed_networks=settings().networks()).check()
    except Problem as problem:
        return [Finding(ok=False, sentence=problem.sentence)]


def _service_form(machine: Machine, data: Any = None) -> ServiceForm:
    form = ServiceForm(data, service=machine.service, reason=machine.service_reason or "")
    form.service.choices = [(each.value, tr(label)) for each, label in SERVICE_LABELS.items()]
    return form


@blueprint.post("/printers/<public_id>/service")
@needs(Permission.SET_UP)
def set_service(public_id: str) -> Any:
    """Take a printer into or out of service, or retire it."""
    with db.transaction() as session:
        found = machines.by_public_id(session, public_id)
        form = _service_form(found, request.form)
        if not form.validate():
            raise Invalid(say("Please choose one of the states."))
        service = Service(form.service.data)
        if service == Service.RETIRED:
            _must_be_free(session, found)
            filament_services.unload(session, found.id, me().id)
        machine_services.set_service(session, found, service, form.reason.data or "", me().id)
    return redirect(url_for("setup.show"))


# Materials -----------------------------------------------------------------------------------------------------------


@blueprint.get("/materials/new")
@needs(Permission.SET_UP)
def new_material() -> Any:
    """Show the form for a new material."""
    return render_template("setup/form.html", form=_material_form(), title=say("New material"), back="setup.show")


def _material_form(data: Any = None) -> MaterialForm:
    form = MaterialForm(data)
    form.code.choices = [(name, name) for name in sorted(filament_profiles())]
    return form


@blueprint.post("/materials/new")
@needs(Permission.SET_UP)
def add_material() -> Any:
    """Add a material."""
    form = _material_form(request.form)
    return _save(
        form,
        say("New material"),
        lambda session: filament_services.add_material(session, form.code.data, form.label.data, form.use.data or ""),
    )


def _save(form: PageForm, title: Any, save: Any) -> Any:
    """Save a form and go back, or show it again with what is wrong beside its fields."""
    if saved(form, save):
        return redirect(url_for("setup.show"))
    return render_template("setup/form.html", form=form, title=title, back="setup.show"), 422
