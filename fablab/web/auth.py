"""Who is signed in: Flask-Login over sign-in rows that can be revoked, and the permission every route names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, Response, redirect, request, session, url_for
from flask_login import LoginManager, current_user, login_user

from fablab import db
from fablab.accounts import services as accounts
from fablab.accounts.models import Person
from fablab.accounts.permissions import Permission
from fablab.db import utcnow
from fablab.errors import Forbidden, Problem
from fablab.web.reply import wants_page
from fablab.words import say

View = TypeVar("View", bound=Callable[..., Any])

NOTE_SEEN_EVERY = timedelta(minutes=5)


class NotSignedIn(Problem):
    """The page needs a sign-in and there is none."""

    status = 401


@dataclass(frozen=True)
class SignedIn:
    """The signed-in person, as Flask-Login wants it: its id is the token of the sign-in, not of the person."""

    person: Person
    token: str
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """Return what goes into the cookie."""
        return self.token


def install(app: Flask) -> None:
    """Let `app` know who is signed in."""
    manager = LoginManager(app)
    manager.session_protection = None
    manager.user_loader(_load)
    app.context_processor(lambda: {"me": whoever(), "Permission": Permission})


def _load(token: str) -> SignedIn | None:
    now = utcnow()
    with db.reading() as reading:
        found = accounts.find_sign_in(reading, token, now)
    if found is None:
        return None
    if now - found.seen_at > NOTE_SEEN_EVERY:
        with db.transaction() as writing:
            accounts.seen(writing, found.id, now)
    return SignedIn(found.person, token)


def enter(person: Person) -> None:
    """Sign a person in, in this browser, until they sign out or have not come for a while."""
    with db.transaction() as writing:
        token = accounts.sign_in(writing, person)
    session.permanent = True
    login_user(SignedIn(person, token))


def whoever() -> Person | None:
    """Return the signed-in person, or None."""
    return current_user.person if current_user and current_user.is_authenticated else None


def me() -> Person:
    """Return the signed-in person; raises `NotSignedIn`."""
    person = whoever()
    if person is None:
        raise NotSignedIn(say("Please sign in first."))
    return person


def needs(permission: Permission) -> Callable[[View], View]:
    """Let only people with `permission` see a view; others are sent to the sign-in page or told no."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            person = whoever()
            if person is None:
                return _to_sign_in()
            if not person.may(permission):
                raise Forbidden
            return view(*args, **kwargs)

        guarded.access = permission  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def open_to_all(view: View) -> View:
    """Mark a view that needs no sign-in."""
    view.access = "everybody"  # type: ignore[attr-defined]
    return view


def _to_sign_in() -> Response:
    if request.method == "GET" and wants_page():
        session["next"] = request.full_path
        return redirect(url_for("home.sign_in"))  # type: ignore[return-value]
    raise NotSignedIn(say("Please sign in first."))
