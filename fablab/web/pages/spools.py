"""One spool for volunteers: its history in plain words, and everything that can be done with it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.models import Person
from fablab.accounts.permissions import Permission
from fablab.errors import NotFound
from fablab.filament import history, movements, queries, services
from fablab.filament.models import Spool, SpoolMovement
from fablab.filament.movements import Why
from fablab.jobs import spools
from fablab.jobs.models import Attempt
from fablab.machines import queries as machines
from fablab.web.auth import me, needs
from fablab.web.filament_forms import (
    AdjustForm,
    MoveUseForm,
    ReelForm,
    RetireForm,
    TransferForm,
    WasteForm,
    WeighForm,
)
from fablab.web.forms import PageForm, saved
from fablab.web.language import grams, tr
from fablab.web.pages.filament import people_and_machines, reel_data, with_owners
from fablab.web.typed import euros

blueprint = Blueprint("spools", __name__, url_prefix="/filament/spools")


@dataclass(frozen=True)
class Act:
    """Something that is done with a spool: its form, and what the form leads to."""

    form: type[PageForm]
    do: Callable[[Session, Spool, Any], object]


def _weigh(session: Session, spool: Spool, form: WeighForm) -> None:
    movements.weigh(session, spool, form.gross_g.data, _why(form), form.tare_g.data)


def _adjust(session: Session, spool: Spool, form: AdjustForm) -> None:
    movements.adjust(session, spool, form.mass_g.data, _why(form))


def _waste(session: Session, spool: Spool, form: WasteForm) -> None:
    movements.waste(session, spool, form.mass_g.data, _why(form), _held_mg(session, spool))


def _transfer(session: Session, spool: Spool, form: TransferForm) -> None:
    to = queries.by_public_id(session, form.to.data)
    movements.transfer(session, spool, to, form.mass_g.data, _why(form), _held_mg(session, spool))


def _retire(session: Session, spool: Spool, form: RetireForm) -> None:
    spools.must_be_free(session, spool)
    services.retire(session, spool, _why(form))


def _change(session: Session, spool: Spool, form: ReelForm) -> None:
    services.change(session, spool, reel_data(form))


ACTS = {
    "weigh": Act(WeighForm, _weigh),
    "adjust": Act(AdjustForm, _adjust),
    "waste": Act(WasteForm, _waste),
    "transfer": Act(TransferForm, _transfer),
    "retire": Act(RetireForm, _retire),
    "change": Act(ReelForm, _change),
}


def _why(form: Any) -> Why:
    return Why(me().id, form.reason.data or "" if "reason" in form else "", form.key.data if "key" in form else None)


def _held_mg(session: Session, spool: Spool) -> int:
    return spools.held_mg(session).get(spool.id, 0)


@blueprint.get("/<public_id>")
@needs(Permission.RUN_BOARD)
def show(public_id: str) -> Any:
    """Show a spool, what can be done with it, and everything that happened to it."""
    with db.reading() as session:
        return _page(session, queries.by_public_id(session, public_id), {})


def _page(session: Session, spool: Spool, wrong: dict[str, PageForm]) -> str:
    forms = {name: wrong.get(name) or _form(session, spool, name) for name in ACTS}
    lines = history.of_spool(session, spool, machines.names(session))
    doers = {line.movement.person_id for line in lines if line.movement.person_id is not None}
    tries = {line.movement.attempt_id for line in lines if line.movement.attempt_id is not None}
    return render_template(
        "filament/spool.html",
        shown=spools.standing(session, spool),
        spool=spool,
        forms=forms,
        wrong=next(iter(wrong), None),
        lines=lines,
        doers={doer: session.get_one(Person, doer) for doer in doers},
        prints={tried: session.get_one(Attempt, tried).job for tried in tries},
        **people_and_machines(session, [spool]),
    )


def _form(session: Session, spool: Spool, name: str, data: Any = None) -> PageForm:
    """Return the form of an act, with fields of its own names: all of them are on one page."""
    values: dict[str, Any] = {"key": secrets.token_urlsafe(9)}
    if name == "change":
        values |= {field: getattr(spool, field) for field in ("lot", "shelf", "comment", "own_tare_g", "owner")}
        values |= {"price": euros(spool.price_cents), "owner_id": str(spool.owner_id or "")}
    form = ACTS[name].form(data, prefix=f"{name}-", **values)
    if isinstance(form, ReelForm):
        with_owners(session, form)
    if isinstance(form, TransferForm):
        form.to.choices = _others(session, spool)
    return form


def _others(session: Session, spool: Spool, *, same_material: bool = True) -> list[tuple[str, str]]:
    return [
        (each.spool.public_id, f"{tr(history.spool_in_words(each.spool))} · {grams(each.remaining_g)}")
        for each in queries.spools(session)
        if each.spool.id != spool.id and (not same_material or each.spool.material_code == spool.material_code)
    ]


@blueprint.post("/<public_id>/<act>")
@needs(Permission.RUN_BOARD)
def do(public_id: str, act: str) -> Any:
    """Do something with a spool; what is wrong is said beside its field, and nothing that was typed is lost."""
    if act not in ACTS:
        raise NotFound
    with db.reading() as session:
        spool = queries.by_public_id(session, public_id)
        form = _form(session, spool, act, request.form)
    if saved(form, lambda session: ACTS[act].do(session, queries.by_public_id(session, public_id), form)):
        return redirect(url_for("spools.show", public_id=public_id))
    with db.reading() as session:
        return _page(session, queries.by_public_id(session, public_id), {act: form}), 422


@blueprint.post("/<public_id>/empty")
@needs(Permission.RUN_BOARD)
def empty(public_id: str) -> Any:
    """Note that nothing is left on a spool."""
    with db.transaction() as session:
        spool = queries.by_public_id(session, public_id)
        spools.must_be_free(session, spool)
        services.empty(session, spool, me().id)
    return redirect(url_for("spools.show", public_id=public_id))


@blueprint.post("/<public_id>/reopen")
@needs(Permission.RUN_BOARD)
def reopen(public_id: str) -> Any:
    """Take a spool back into use."""
    with db.transaction() as session:
        services.reopen(session, queries.by_public_id(session, public_id), me().id)
    return redirect(url_for("spools.show", public_id=public_id))


# A use that was booked on the wrong spool ----------------------------------------------------------------------------


def _use(session: Session, public_id: str, number: int) -> tuple[Spool, SpoolMovement]:
    spool = queries.by_public_id(session, public_id)
    use = session.get(SpoolMovement, number)
    if use is None or use.spool_id != spool.id or not movements.is_a_use(use):
        raise NotFound
    return spool, use


def _move_form(session: Session, spool: Spool, data: Any = None) -> MoveUseForm:
    form = MoveUseForm(data)
    form.to.choices = _others(session, spool, same_material=False)
    return form


@blueprint.get("/<public_id>/uses/<int:number>")
@needs(Permission.RUN_BOARD)
def use(public_id: str, number: int) -> Any:
    """Show the form that moves a use to the spool that was really on."""
    with db.reading() as session:
        spool, found = _use(session, public_id, number)
        return render_template("filament/use.html", spool=spool, use=found, form=_move_form(session, spool))


@blueprint.post("/<public_id>/uses/<int:number>")
@needs(Permission.RUN_BOARD)
def move_use(public_id: str, number: int) -> Any:
    """Move a use to the spool that was really on."""
    with db.reading() as session:
        spool, found = _use(session, public_id, number)
        form = _move_form(session, spool, request.form)

    def save(session: Session) -> None:
        _, current = _use(session, public_id, number)
        to = queries.by_public_id(session, form.to.data)
        movements.move_use(session, current, to, Why(me().id, form.reason.data))

    if saved(form, save):
        return redirect(url_for("spools.show", public_id=public_id))
    return render_template("filament/use.html", spool=spool, use=found, form=form), 422
