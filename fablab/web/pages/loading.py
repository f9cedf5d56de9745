"""Which spool is on which printer: chosen, shown before and after, and confirmed with one tap."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.db import utcnow
from fablab.errors import Invalid
from fablab.filament import queries as filament
from fablab.filament.models import Spool
from fablab.filament.queries import SpoolOnShelf
from fablab.jobs import overrides, spools
from fablab.jobs import queries as jobs
from fablab.jobs.scheduling import Mismatch
from fablab.machines import queries as machines
from fablab.machines.models import Machine
from fablab.web.auth import me, needs
from fablab.web.pages.filament import people_and_machines
from fablab.words import say

blueprint = Blueprint("loading", __name__, url_prefix="/filament/printers")


@blueprint.get("/<public_id>")
@needs(Permission.RUN_BOARD)
def choose(public_id: str) -> Any:
    """Show what is on a printer and what could go on it."""
    with db.reading() as session:
        machine = machines.by_public_id(session, public_id)
        found = [each for each in spools.shelf(session) if each.spool.machine_id != machine.id]
        return render_template(
            "filament/choose.html",
            machine=machine,
            now=_on(session, machine),
            shelf=sorted(found, key=lambda each: each.spool.machine_id is not None),
            busy=jobs.live_attempt_on(session, machine.id),
            **people_and_machines(session, [each.spool for each in found]),
        )


def _on(session: Session, machine: Machine) -> SpoolOnShelf | None:
    return filament.loaded(session, spools.held_mg(session)).get(machine.id)


@blueprint.get("/<public_id>/load")
@needs(Permission.RUN_BOARD)
def confirm(public_id: str) -> Any:
    """Ask whether a spool is on a printer now: what was there, and what will be."""
    with db.reading() as session:
        machine = machines.by_public_id(session, public_id)
        spool = filament.by_public_id(session, request.args.get("spool", ""))
        return render_template(
            "filament/load.html",
            machine=machine,
            now=_on(session, machine),
            then=spools.standing(session, spool),
            busy=jobs.live_attempt_on(session, machine.id),
            busy_there=jobs.live_attempt_on(session, spool.machine_id) if spool.machine_id else None,
            **people_and_machines(session, [spool]),
        )


@blueprint.post("/<public_id>/load")
@needs(Permission.RUN_BOARD)
def load(public_id: str) -> Any:
    """Note that a spool is on a printer, which a person has just seen."""
    with db.transaction() as session:
        machine = machines.by_public_id(session, public_id)
        spool = filament.by_public_id(session, request.form.get("spool", ""))
        from_other = bool(request.form.get("from_other"))
        spools.put_on(session, spool, machine, me().id, seen=_seen(session), from_other=from_other)
    return redirect(url_for("board.show"))


def _seen(session: Session) -> Spool | None:
    seen = request.form.get("seen", "")
    return filament.by_public_id(session, seen) if seen else None


@blueprint.post("/<public_id>/unload")
@needs(Permission.RUN_BOARD)
def unload(public_id: str) -> Any:
    """Note that a printer has no spool any more."""
    with db.transaction() as session:
        spools.take_off(session, machines.by_public_id(session, public_id), me().id)
    return redirect(url_for("board.show"))


@blueprint.post("/<public_id>/let-pass/<job>")
@needs(Permission.RUN_BOARD)
def let_pass(public_id: str, job: str) -> Any:
    """Let a plate start on the spool that is on a printer, although it does not quite fit."""
    wanted = request.form.get("mismatch", "")
    if wanted not in set(Mismatch):
        raise Invalid(say("Please say what may be different."))
    with db.transaction() as session:
        machine = machines.by_public_id(session, public_id)
        plate = jobs.by_public_id(session, job)
        spool = filament.by_public_id(session, request.form.get("spool", ""))
        overrides.let_pass(session, plate, machine.id, spool, Mismatch(wanted), me().id, utcnow())
    return redirect(url_for("jobs.show", public_id=job))
