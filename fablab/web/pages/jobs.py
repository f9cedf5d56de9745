"""One plate for volunteers: its tries, what the printers said, and what can be done with it in the queue."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, send_file, url_for

from fablab import db
from fablab.accounts.models import Person
from fablab.accounts.permissions import Permission
from fablab.billing import services as billing
from fablab.db import utcnow
from fablab.errors import NotFound
from fablab.jobs import ordering, overrides, queries, services
from fablab.jobs.states import BEFORE_THE_PRINTER
from fablab.machines import queries as machines
from fablab.orders import intake, telling
from fablab.orders.models import Order
from fablab.web.auth import me, needs
from fablab.web.limits import measuring

blueprint = Blueprint("jobs", __name__, url_prefix="/board/jobs")


@blueprint.get("/<public_id>")
@needs(Permission.RUN_BOARD)
def show(public_id: str) -> Any:
    """Show a plate with all its attempts and their evidence."""
    with db.reading() as session:
        job = queries.by_public_id(session, public_id)
        order = session.get_one(Order, job.order_id)
        return render_template(
            "board/job.html",
            job=job,
            order=order,
            line=order.part(job.line_id),
            requester=session.get(Person, job.requester_id),
            attempts=queries.attempts_of(session, job.id),
            events=queries.events_of(session, job.id),
            chances=overrides.chances(session, job, utcnow()),
            let_pass=overrides.LET_PASS,
            fitting=[each for each in machines.all_in_use(session) if each.profile == job.machine_profile],
            waits=job.state in BEFORE_THE_PRINTER,
            passed=overrides.of_job(session, job.id),
            people={
                event.person_id: session.get(Person, event.person_id)
                for event in queries.events_of(session, job.id)
                if event.person_id
            },
        )


@blueprint.get("/<public_id>/picture.png")
@needs(Permission.RUN_BOARD)
def picture(public_id: str) -> Any:
    """Give the picture of the part on a plate."""
    with db.reading() as session:
        sha256 = queries.by_public_id(session, public_id).model_sha256
    with measuring:
        path = intake.picture(sha256)
    if path is None:
        raise NotFound
    answer = send_file(path, mimetype="image/png", etag=sha256)
    answer.headers["Cache-Control"] = "private, max-age=86400"
    return answer


@blueprint.post("/<public_id>/hold")
@needs(Permission.RUN_BOARD)
def hold(public_id: str) -> Any:
    """Keep a plate off the printers."""
    with db.transaction() as session:
        job = queries.by_public_id(session, public_id)
        services.hold(session, job, me().id, held=True)
        telling.on_hold(session, session.get_one(Order, job.order_id), utcnow())
    return redirect(url_for("board.show"))


@blueprint.post("/<public_id>/release")
@needs(Permission.RUN_BOARD)
def release(public_id: str) -> Any:
    """Let a plate go on."""
    with db.transaction() as session:
        services.hold(session, queries.by_public_id(session, public_id), me().id, held=False)
    return redirect(url_for("board.show"))


@blueprint.post("/<public_id>/front")
@needs(Permission.RUN_BOARD)
def front(public_id: str) -> Any:
    """Move a plate to the front of the queue."""
    with db.transaction() as session:
        ordering.to_front(session, queries.by_public_id(session, public_id), me().id)
    return redirect(url_for("board.show"))


@blueprint.post("/<public_id>/end")
@needs(Permission.RUN_BOARD)
def end(public_id: str) -> Any:
    """Move a plate to the end of the queue."""
    with db.transaction() as session:
        ordering.to_end(session, queries.by_public_id(session, public_id), me().id)
    return redirect(url_for("board.show"))


@blueprint.post("/<public_id>/machine")
@needs(Permission.RUN_BOARD)
def choose_machine(public_id: str) -> Any:
    """Let a plate start on one machine only, or on any that fits."""
    wanted = request.form.get("machine", "")
    with db.transaction() as session:
        machine = machines.by_public_id(session, wanted) if wanted else None
        ordering.choose_machine(session, queries.by_public_id(session, public_id), machine, me().id)
    return redirect(url_for("board.show"))


@blueprint.post("/<public_id>/slice")
@needs(Permission.RUN_BOARD)
def slice_again(public_id: str) -> Any:
    """Prepare a plate once more."""
    with db.transaction() as session:
        services.slice_again(session, queries.by_public_id(session, public_id), me().id)
    return redirect(url_for("board.show"))


@blueprint.post("/<public_id>/cancel")
@needs(Permission.RUN_BOARD)
def cancel(public_id: str) -> Any:
    """Take a waiting plate out of the queue for good."""
    with db.transaction() as session:
        billing.cancel_plate(session, queries.by_public_id(session, public_id), me())
    return redirect(url_for("board.show"))
