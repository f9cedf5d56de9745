"""The way in: the first page, signing in and out, the language."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask_login import current_user, logout_user

from fablab import db
from fablab.accounts import queries, services
from fablab.accounts.permissions import Permission
from fablab.errors import Invalid
from fablab.settings import settings
from fablab.web.auth import enter, open_to_all, whoever
from fablab.web.forms import SignInForm
from fablab.web.limits import limiter, sign_in_limit
from fablab.words import say

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@open_to_all
def index() -> Any:
    """Send everybody to the page of their day."""
    person = whoever()
    if person is None:
        return redirect(url_for("home.sign_in"))
    return redirect(url_for("board.show" if person.may(Permission.RUN_BOARD) else "orders.mine"))


@blueprint.get("/sign-in")
@open_to_all
def sign_in() -> Any:
    """Show the sign-in page."""
    if whoever() is not None:
        return redirect(url_for("home.index"))
    return render_template("sign_in.html", form=SignInForm(), problem=None, **_offered())


@blueprint.post("/sign-in")
@open_to_all
@limiter.limit(sign_in_limit)
def do_sign_in() -> Any:
    """Check a password and start a sign-in."""
    form = SignInForm(request.form)
    if form.validate():
        with db.reading() as reading:
            person = queries.by_email(reading, form.email.data)
        if services.password_is_right(person.password_hash if person else None, form.password.data) and person:
            wanted = session.pop("next", None)
            enter(person)
            return redirect(_own_page(wanted) or url_for("home.index"))
    problem = Invalid(say("E-mail and password do not belong together."))
    return render_template("sign_in.html", form=form, problem=problem.sentence, **_offered()), 422


def _own_page(address: str | None) -> str | None:
    """Return an address of this site only, whatever the cookie says."""
    if not address or not address.startswith("/") or address.startswith("//") or urlsplit(address).netloc:
        return None
    return address.removesuffix("?")


def _offered() -> dict[str, bool]:
    """Return what else the sign-in page offers."""
    return {"demo": settings().demo, "sign_up": settings().sign_up}


@blueprint.post("/sign-out")
@open_to_all
def sign_out() -> Any:
    """End the sign-in of this browser."""
    if current_user.is_authenticated:
        with db.transaction() as writing:
            services.sign_out(writing, current_user.token)
        logout_user()
    return redirect(url_for("home.sign_in"))


@blueprint.post("/language")
@open_to_all
def language() -> Any:
    """Change the language of this person, or of this browser."""
    chosen = request.form.get("language", "")
    if chosen not in services.LANGUAGES:
        raise Invalid(say("We speak French and English."))
    session["language"] = chosen
    person = whoever()
    if person is not None:
        with db.transaction() as writing:
            services.choose_language(writing, person.id, chosen)
    return redirect(_own_page(request.form.get("back")) or url_for("home.index"))
