"""What a person was told: the bell, the page of notices, and which of them come by mail."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from markupsafe import Markup

from fablab import db
from fablab.accounts.permissions import Permission
from fablab.db import utcnow
from fablab.errors import Invalid
from fablab.notices import queries, services
from fablab.notices.kinds import GROUP_LABELS, PACE_LABELS, Group, Pace
from fablab.web.auth import me, needs
from fablab.words import say

blueprint = Blueprint("notices", __name__, url_prefix="/notices")


@blueprint.app_context_processor
def bell_of_page() -> dict[str, Any]:
    """Let the layout ask how many notices are unread; only pages with the bell do."""
    return {"bell": lambda: Markup(_bell())}  # noqa: S704 - a template of ours has escaped it


def _bell() -> str:
    with db.reading() as session:
        unread = queries.unread(session, me().id)
    return render_template("notices/_bell.html", unread=unread, topic=services.topic(me().id))


@blueprint.get("/bell")
@needs(Permission.ORDER)
def bell() -> Any:
    """Show the bell alone."""
    return _bell()


@blueprint.get("/")
@needs(Permission.ORDER)
def mine() -> Any:
    """Show the newest notices of the person."""
    return render_template("notices/mine.html", **_list())


@blueprint.get("/list")
@needs(Permission.ORDER)
def listed() -> Any:
    """Show the list of notices alone."""
    return render_template("notices/_list.html", **_list())


def _list() -> dict[str, Any]:
    with db.reading() as session:
        return {"notices": queries.newest(session, me().id), "topic": services.topic(me().id)}


@blueprint.post("/read")
@needs(Permission.ORDER)
def read_all() -> Any:
    """Mark all notices as read."""
    with db.transaction() as session:
        services.read(session, me().id, None, utcnow())
    return redirect(url_for("notices.mine"))


@blueprint.post("/<public_id>")
@needs(Permission.ORDER)
def follow(public_id: str) -> Any:
    """Mark a notice as read and go to the page it is about."""
    with db.transaction() as session:
        notice = queries.of_person(session, me().id, public_id)
        services.read(session, me().id, public_id, utcnow())
    return redirect(notice.path)


@blueprint.get("/choices")
@needs(Permission.ORDER)
def choices() -> Any:
    """Show which notices come by mail, and how soon."""
    with db.reading() as session:
        paces = queries.paces_of(session, me().id)
    saved = request.args.get("saved") == "1"
    return render_template(
        "notices/choices.html",
        paces=paces,
        groups=GROUP_LABELS,
        labels=PACE_LABELS,
        saved=saved,
        essential=Group.ESSENTIAL,
    )


@blueprint.post("/choices")
@needs(Permission.ORDER)
def choose() -> Any:
    """Keep how soon the mails of each group come."""
    with db.transaction() as session:
        for group in queries.paces_of(session, me().id):
            services.choose(session, me().id, group, _pace(request.form.get(group, Pace.AT_ONCE)))
    return redirect(url_for("notices.choices", saved=1))


def _pace(word: str) -> Pace:
    if word not in set(Pace):
        raise Invalid(say("Please choose how soon these mails come."))
    return Pace(word)
