"""Mails: the list for the administrator, what each one says, sending one again, and the one click that ends them."""

from __future__ import annotations

import hmac
from typing import Any

from flask import Blueprint, Response, redirect, render_template, url_for
from sqlalchemy.orm import Session

from fablab import db
from fablab.accounts import queries as people
from fablab.accounts.permissions import Permission
from fablab.db import utcnow
from fablab.errors import NotFound
from fablab.invoicing import sending
from fablab.notices import letters, outbox, queries, services
from fablab.notices.kinds import ALWAYS, GROUP_LABELS, Group, Pace
from fablab.notices.models import MAIL_LABELS, UNDELIVERED
from fablab.settings import settings
from fablab.web.auth import needs, open_to_all
from fablab.words import say

blueprint = Blueprint("mails", __name__, url_prefix="/mail")

MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'"


@blueprint.get("/")
@needs(Permission.SET_UP)
def listed() -> Any:
    """Show the newest mails, those that did not arrive first."""
    with db.reading() as session:
        return render_template(
            "mails/list.html",
            undelivered=queries.mails(session, undelivered=True),
            mails=queries.mails(session, undelivered=False),
            labels=MAIL_LABELS,
            subject_of=letters.subject_of,
            has_server=bool(settings().mail_server),
        )


@blueprint.get("/<public_id>")
@needs(Permission.SET_UP)
def show(public_id: str) -> Any:
    """Show what a mail says, and what became of it."""
    with db.reading() as session:
        mail = queries.mail_by_public_id(session, public_id)
        return render_template(
            "mails/show.html",
            mail=mail,
            subject=letters.subject_of(mail),
            text=letters.as_text(mail),
            labels=MAIL_LABELS,
            may_send=mail.state in UNDELIVERED,
            document=sending.carried_by(session, mail.id),
        )


@blueprint.get("/<public_id>/as-sent")
@needs(Permission.SET_UP)
def as_sent(public_id: str) -> Any:
    """Show the HTML of a mail as its reader sees it."""
    with db.reading() as session:
        html = letters.as_html(queries.mail_by_public_id(session, public_id))
    return Response(html, headers={"Content-Security-Policy": MAIL_POLICY})


@blueprint.post("/<public_id>/again")
@needs(Permission.SET_UP)
def again(public_id: str) -> Any:
    """Send a mail that did not arrive once more."""
    with db.transaction() as session:
        outbox.send_again(session, queries.mail_by_public_id(session, public_id), utcnow())
    return redirect(url_for("mails.listed"))


@blueprint.get("/stop/<public_id>/<word>/<signature>")
@open_to_all
def ask_stop(public_id: str, word: str, signature: str) -> Any:
    """Ask whether mails like the one with this link shall end: mail programs open links by themselves."""
    _check(public_id, word, signature)
    label = GROUP_LABELS[Group(word)] if word != "daily" else None
    return render_template("mails/stop.html", label=label, done=False)


@blueprint.post("/stop/<public_id>/<word>/<signature>")
@open_to_all
def stop(public_id: str, word: str, signature: str) -> Any:
    """End mails like the one with this link."""
    _check(public_id, word, signature)
    with db.transaction() as session:
        person = people.by_public_id(session, public_id)
        for group in _groups(session, person.id, word):
            services.choose(session, person.id, group, Pace.NEVER)
    return render_template("mails/stop.html", label=None, done=True)


def _check(public_id: str, word: str, signature: str) -> None:
    known = word == "daily" or (word in set(Group) and Group(word) not in ALWAYS)
    if not known or not hmac.compare_digest(signature.encode(), letters.signature(public_id, word).encode()):
        raise NotFound(say("This link is not complete: open it from the mail once more."))


def _groups(session: Session, person_id: int, word: str) -> list[Group]:
    if word != "daily":
        return [Group(word)]
    return [group for group, pace in queries.paces_of(session, person_id).items() if pace == Pace.DAILY]
