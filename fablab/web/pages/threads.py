"""Messages between members and volunteers: about an order, or about a design that is no file yet."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.errors import Conflict
from fablab.orders import queries, threads
from fablab.orders.models import OrderState
from fablab.orders.thread_models import Thread
from fablab.web import talk, uploads
from fablab.web.auth import me, needs, whoever
from fablab.web.forms import saved
from fablab.web.limits import by_person, limiter, upload_limit
from fablab.web.thread_forms import HelpForm, MessageForm
from fablab.words import say

blueprint = Blueprint("threads", __name__, url_prefix="/messages")

MESSAGE_LIMIT = "30 per minute"


@blueprint.app_context_processor
def counts() -> dict[str, Any]:
    """Let the layout show how many messages were not read."""
    return {"unread_messages": _unread}


def _unread() -> int:
    person = whoever()
    if person is None or not person.may(Permission.ORDER):
        return 0
    with db.reading() as session:
        return sum(threads.unread(session, person).values())


@blueprint.get("/")
@needs(Permission.ORDER)
def listed() -> Any:
    """Show what this person can read."""
    with db.reading() as session:
        return render_template("threads/list.html", talks=threads.talks(session, me()))


@blueprint.get("/list")
@needs(Permission.ORDER)
def live_list() -> Any:
    """Show the part of the list that changes."""
    with db.reading() as session:
        return render_template("threads/_list.html", talks=threads.talks(session, me()))


@blueprint.get("/new")
@needs(Permission.ORDER)
def new() -> Any:
    """Show the form for a request for help."""
    return render_template("threads/new.html", form=HelpForm())


@blueprint.post("/new")
@needs(Permission.ORDER)
@limiter.limit(MESSAGE_LIMIT, key_func=by_person)
def ask() -> Any:
    """Ask the volunteers for help."""
    form = HelpForm(request.form)
    made = []

    def act(session: Session) -> None:
        made.append(threads.ask_for_help(session, me(), form.subject.data, form.text.data).public_id)

    if saved(form, act):
        return redirect(url_for("threads.show", public_id=made[0]))
    return render_template("threads/new.html", form=form), 422


@blueprint.get("/<public_id>")
@needs(Permission.ORDER)
def show(public_id: str) -> Any:
    """Show a thread; that of an order is on the order's page, unless it is a draft of somebody else."""
    with db.reading() as session:
        thread = threads.seen_by(session, me(), public_id)
        order = thread.order
        if order is not None and order.state == OrderState.DRAFT and thread.person_id != me().id:
            return render_template("threads/about.html", order=order, talk=talk.of_order(session, order))
        if order is not None:
            return redirect(url_for("orders.show", public_id=order.public_id, _anchor="talk"))
        return render_template("threads/show.html", thread=thread, talk=talk.of_help(session, thread))


@blueprint.get("/<public_id>/live")
@needs(Permission.ORDER)
def live(public_id: str) -> Any:
    """Show the part of a request for help that changes."""
    with db.reading() as session:
        thread = threads.seen_by(session, me(), public_id)
        return render_template("threads/_messages.html", talk=talk.of_help(session, thread))


@blueprint.post("/<public_id>")
@needs(Permission.ORDER)
@limiter.limit(MESSAGE_LIMIT, key_func=by_person)
def write(public_id: str) -> Any:
    """Write a message on a request for help."""
    form = MessageForm(request.form)
    with db.reading() as session:
        threads.seen_by(session, me(), public_id)

    def act(session: Session) -> None:
        threads.write(session, threads.seen_by(session, me(), public_id), me(), form.text.data)

    if saved(form, act):
        return redirect(url_for("threads.show", public_id=public_id, _anchor="talk"))
    with db.reading() as session:
        thread = threads.seen_by(session, me(), public_id)
        return render_template("threads/show.html", thread=thread, talk=talk.of_help(session, thread, form)), 422


@blueprint.post("/<public_id>/close")
@needs(Permission.ORDER)
def close(public_id: str) -> Any:
    """Close a request for help that does not become an order."""
    with db.transaction() as session:
        threads.close(session, threads.seen_by(session, me(), public_id))
    return redirect(url_for("threads.listed"))


@blueprint.post("/<public_id>/order")
@needs(Permission.ORDER)
@limiter.limit(upload_limit, key_func=by_person)
def become(public_id: str) -> Any:
    """Let a request for help become an order of its person, with a file that is now there."""
    with db.reading() as session:
        thread = threads.seen_by(session, me(), public_id)
    if thread.order_id is not None:
        raise Conflict(say("This request has become an order."))
    with uploads.measured(request.files.getlist("file")) as sent, db.transaction() as session:
        order = uploads.draft_of(session, thread.person_id, sent)
        threads.become(session, threads.seen_by(session, me(), public_id), order)
    if thread.person_id == me().id:
        return redirect(url_for("orders.show", public_id=order.public_id))
    return redirect(url_for("threads.listed"))


@blueprint.get("/about/<public_id>")
@needs(Permission.ORDER)
def live_about(public_id: str) -> Any:
    """Show the part of an order's thread that changes."""
    with db.reading() as session:
        order = queries.seen_by(session, me(), public_id)
        return render_template("threads/_messages.html", talk=talk.of_order(session, order))


@blueprint.post("/about/<public_id>")
@needs(Permission.ORDER)
@limiter.limit(MESSAGE_LIMIT, key_func=by_person)
def write_about(public_id: str) -> Any:
    """Write a message about an order."""
    form = MessageForm(request.form)
    with db.reading() as session:
        queries.seen_by(session, me(), public_id)

    written = []

    def act(session: Session) -> None:
        thread = threads.open_for(session, queries.seen_by(session, me(), public_id))
        written.append(threads.write(session, thread, me(), form.text.data).thread_id)

    if saved(form, act):
        with db.reading() as session:
            return redirect(url_for("threads.show", public_id=session.get_one(Thread, written[0]).public_id))
    with db.reading() as session:
        order = queries.seen_by(session, me(), public_id)
        return render_template("threads/about.html", order=order, talk=talk.of_order(session, order, form)), 422
