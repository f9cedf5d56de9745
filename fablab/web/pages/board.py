"""The volunteers' board: what each machine does, what waits and why, and the buttons that go with it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.models import Person
from fablab.accounts.permissions import Permission
from fablab.billing import failures
from fablab.billing import services as billing
from fablab.db import utcnow
from fablab.errors import Invalid
from fablab.filament import queries as filament
from fablab.filament.history import spool_in_words
from fablab.jobs import handprints, signoff, spools
from fablab.jobs import queries as jobs
from fablab.jobs import services as job_services
from fablab.jobs.models import Attempt, Wish
from fablab.machines import hand_over
from fablab.machines import queries as machines
from fablab.machines import services as machine_services
from fablab.orders import handing
from fablab.orders import queries as orders
from fablab.web.auth import me, needs
from fablab.web.forms import HandPrintForm, VerdictForm, filled, saved
from fablab.web.language import grams, tr
from fablab.web.todo import Board, Card, to_do
from fablab.words import N_, say

blueprint = Blueprint("board", __name__, url_prefix="/board")


@blueprint.get("/")
@needs(Permission.RUN_BOARD)
def show() -> Any:
    """Show the whole board."""
    with db.reading() as session:
        board = _read(session)
        return render_template("board/show.html", **_machines(session, board), **_queue(session, board))


@blueprint.get("/machines")
@needs(Permission.RUN_BOARD)
def machine_cards() -> Any:
    """Show the part of the board with what there is to do and the machines."""
    with db.reading() as session:
        return render_template("board/_machines.html", **_machines(session, _read(session)))


@blueprint.get("/queue")
@needs(Permission.RUN_BOARD)
def queue() -> Any:
    """Show the part of the board with the queue."""
    with db.reading() as session:
        return render_template("board/_queue.html", **_queue(session, _read(session)))


def _read(session: Session) -> Board:
    on_them = filament.loaded(session, spools.held_mg(session))
    attempts = {attempt.machine_id: attempt for attempt in jobs.live_attempts(session)}
    paces = jobs.paces(session)
    names = _first_names(session, {attempt.job.requester_id for attempt in attempts.values()})
    cards = [
        Card(machine, paces.get(machine.id), on_them.get(machine.id), attempt, name)
        for machine in machines.all_in_use(session)
        for attempt in [attempts.get(machine.id)]
        for name in [names.get(attempt.job.requester_id) if attempt else None]
    ]
    return Board(cards, jobs.outlook(session, utcnow()))


def _machines(session: Session, board: Board) -> dict[str, Any]:
    note = hand_over.latest(session)
    return {
        "cards": board.cards,
        "to_do": to_do(session, board),
        "note": note if note is not None and note.text else None,
        "note_by": session.get(Person, note.person_id) if note is not None else None,
        "now": utcnow(),
    }


def _queue(session: Session, board: Board) -> dict[str, Any]:
    lines = board.outlook.lines
    return {
        "lines": lines,
        "names": _first_names(session, {line.job.requester_id for line in lines}),
        "parts": jobs.plates_of_orders(session, {line.job.order_id for line in lines}),
        "wanted": orders.wanted_days(session, {line.job.order_id for line in lines}),
        "chosen": {card.machine.id: card.machine.name for card in board.cards},
        "ready": handing.waiting(session),
    }


def _first_names(session: Session, ids: set[int]) -> dict[int, str]:
    people = session.scalars(select(Person).where(Person.id.in_(ids)))
    return {person.id: person.first_name for person in people}


@blueprint.post("/machines/<public_id>/clear")
@needs(Permission.RUN_BOARD)
def clear(public_id: str) -> Any:
    """Note that the plate is empty, which a person has just seen."""
    with db.transaction() as session:
        machine = machines.by_public_id(session, public_id)
        job_services.clear_plate(session, machine.id, me().id)
    return _back()


@blueprint.post("/machines/<public_id>/hold")
@needs(Permission.RUN_BOARD)
def hold(public_id: str) -> Any:
    """Let a machine wait: nothing is started on it until its plate is cleared."""
    with db.transaction() as session:
        machine = machines.by_public_id(session, public_id)
        machine_services.hold_plate(session, machine.id, me().id)
    return _back()


@blueprint.post("/machines/<public_id>/connect")
@needs(Permission.RUN_BOARD)
def connect(public_id: str) -> Any:
    """Let the printer's server connect to its machine again."""
    with db.transaction() as session:
        machine = machines.by_public_id(session, public_id)
        machine_services.ask_to_connect(session, machine, me().id)
    return _back()


@blueprint.post("/attempts/<public_id>/lost")
@needs(Permission.RUN_BOARD)
def lost(public_id: str) -> Any:
    """Take a print whose printer does not answer any more into a person's hands."""
    with db.transaction() as session:
        attempt = jobs.attempt_by_public_id(session, public_id)
        job_services.give_up_contact(session, attempt, me().id)
    return redirect(url_for("board.check", public_id=public_id))


@blueprint.post("/attempts/<public_id>/<wish>")
@needs(Permission.RUN_BOARD)
def ask_printer(public_id: str, wish: str) -> Any:
    """Ask a printer to pause, go on, or stop."""
    if wish not in set(Wish):
        raise Invalid(say("A print can be paused, resumed or stopped."))
    with db.transaction() as session:
        job_services.ask_printer(session, jobs.attempt_by_public_id(session, public_id), Wish(wish), me().id)
    return _back()


@blueprint.get("/attempts/<public_id>/check")
@needs(Permission.RUN_BOARD)
def check(public_id: str) -> Any:
    """Show the page on which a volunteer judges a plate that is not simply good."""
    with db.reading() as session:
        attempt = jobs.attempt_by_public_id(session, public_id)
        return render_template(
            "board/check.html",
            attempt=attempt,
            reasons=signoff.REASON_LABELS,
            proposed_g=spools.proposed_mg(attempt) / 1000,
            **_outlook(session, attempt),
        )


@blueprint.get("/attempts/<public_id>/consequence")
@needs(Permission.RUN_BOARD)
def consequence(public_id: str) -> Any:
    """Say what a verdict would lead to."""
    with db.reading() as session:
        attempt = jobs.attempt_by_public_id(session, public_id)
        return render_template("board/_consequence.html", **_outlook(session, attempt))


def _outlook(session: Session, attempt: Attempt) -> dict[str, Any]:
    try:
        return {"outlook": failures.in_words(session, attempt, _verdict()), "outlook_problem": None}
    except Invalid as problem:
        return {"outlook": None, "outlook_problem": problem.sentence if "good" in request.args else None}


def _verdict() -> signoff.Verdict:
    form = filled(VerdictForm, request.values)
    reason = form.reason.data or None
    if reason is not None and reason not in set(signoff.Reason):
        raise Invalid(say("Please choose one of the reasons."), field="reason")
    return signoff.Verdict(
        good=form.good.data,
        reason=signoff.Reason(reason) if reason else None,
        plate_cleared=form.plate_cleared.data,
        used_g=form.used_g.data,
    )


@blueprint.post("/attempts/<public_id>/check")
@needs(Permission.RUN_BOARD)
def sign_off(public_id: str) -> Any:
    """Record a volunteer's verdict on a plate."""
    verdict = _verdict()
    with db.transaction() as session:
        billing.sign_off(session, jobs.attempt_by_public_id(session, public_id), verdict, me())
    return _back()


@blueprint.get("/hand-prints/<public_id>")
@needs(Permission.RUN_BOARD)
def hand_print(public_id: str) -> Any:
    """Show the form on which a print that was started by hand is filed."""
    with db.reading() as session:
        printed = handprints.by_public_id(session, public_id)
        spool = printed.spool.public_id if printed.spool else ""
        form = _hand_print_form(session, spool=spool)
        return render_template("board/hand_print.html", printed=printed, form=form)


@blueprint.post("/hand-prints/<public_id>")
@needs(Permission.RUN_BOARD)
def file_hand_print(public_id: str) -> Any:
    """Record whose print by hand it was, and book its filament."""
    with db.reading() as session:
        printed = handprints.by_public_id(session, public_id)
        form = _hand_print_form(session, request.form)

    def save(session: Session) -> None:
        spool = filament.by_public_id(session, form.spool.data) if form.spool.data else None
        current = handprints.by_public_id(session, public_id)
        handprints.file(session, current, form.for_whom.data, spool, form.used_g.data, me().id)

    if saved(form, save):
        return _back()
    return render_template("board/hand_print.html", printed=printed, form=form), 422


def _hand_print_form(session: Session, data: Any = None, **values: Any) -> HandPrintForm:
    form = HandPrintForm(data, **values)
    form.spool.choices = [("", tr(N_("No spool of ours")))] + [
        (each.spool.public_id, f"{tr(spool_in_words(each.spool))} · {grams(each.remaining_g)}")
        for each in filament.spools(session)
    ]
    return form


def _back() -> Any:
    return redirect(url_for("board.show"))
