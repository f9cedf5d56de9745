"""Opening an account from outside, alone or with a company."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext
from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import InputRequired, Length, Optional

from fablab import db
from fablab.accounts import services
from fablab.accounts.models import Person
from fablab.billing import joining
from fablab.billing.joining import Firm, Joining
from fablab.db import utcnow
from fablab.errors import NotFound
from fablab.settings import settings
from fablab.web.auth import enter, open_to_all, whoever
from fablab.web.forms import NEW_PASSWORD, PageForm, saved
from fablab.web.language import choose
from fablab.web.limits import limiter, sign_up_limit
from fablab.words import say

blueprint = Blueprint("joining", __name__)


class JoinForm(PageForm):
    """Who wants an account, and for which company if any."""

    name = StringField(
        lazy_gettext("Your name"), [InputRequired(), Length(max=120)], render_kw={"autocomplete": "name"}
    )
    email = EmailField(
        lazy_gettext("E-mail"), [InputRequired(), Length(max=254)], render_kw={"autocomplete": "username"}
    )
    password = PasswordField(
        lazy_gettext("Password (8 signs or more)"), [InputRequired(), Length(min=8, max=200)], render_kw=NEW_PASSWORD
    )
    company = StringField(
        lazy_gettext("Company"), [Optional(), Length(max=160)], render_kw={"autocomplete": "organization"}
    )
    number = StringField(lazy_gettext("SIRET or RNA number"), [Optional(), Length(max=25)])
    vat_number = StringField(lazy_gettext("VAT number"), [Optional(), Length(max=25)])
    street = StringField(lazy_gettext("Street and number"), [Optional(), Length(max=200)])
    postcode = StringField(lazy_gettext("Postcode"), [Optional(), Length(max=12)])
    city = StringField(lazy_gettext("Town"), [Optional(), Length(max=80)])

    def wanted(self) -> Joining:
        """Return what is asked for."""
        firm = Firm(self.company.data, *(self.data[name] or "" for name in FIRM)) if self.company.data else None
        kept = services.hash_of_password(self.password.data)
        return Joining(self.name.data, self.email.data, kept, choose(), firm)

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the fields; a company needs an address, and what is typed of a company needs its name."""
        valid: bool = super().validate(extra_validators)
        typed = [name for name in ("company", *FIRM) if (self.data[name] or "").strip()]
        for name in ("company", "number", "street", "postcode", "city") if typed else ():
            if name not in typed:
                self[name].errors = [*self[name].errors, lazy_gettext("A company needs this.")]
                valid = False
        return valid


FIRM = ("number", "vat_number", "street", "postcode", "city")


def _open() -> None:
    if not settings().sign_up:
        raise NotFound(say("Accounts are opened at the place: come by, or write to us."))


@blueprint.get("/sign-up")
@open_to_all
def form() -> Any:
    """Show the form for an account."""
    _open()
    if whoever() is not None:
        return redirect(url_for("home.index"))
    return render_template("sign_up.html", form=JoinForm())


@blueprint.post("/sign-up")
@open_to_all
@limiter.limit(sign_up_limit)
def ask() -> Any:
    """Open an account, or send the link that opens it."""
    _open()
    form = JoinForm(request.form)
    made: list[Person | None] = []
    if not saved(form, lambda writing: made.append(joining.ask(writing, form.wanted(), utcnow()))):
        return render_template("sign_up.html", form=form), 422
    if made[0] is None:
        return render_template("sign_up_sent.html", email=form.email.data)
    return _in(made[0])


@blueprint.get("/sign-up/<token>")
@open_to_all
def by_link(token: str) -> Any:
    """Ask whether to open the account a link is about: mail programs open links by themselves."""
    _open()
    return render_template("sign_up_link.html", wanted=joining.read(token, utcnow()))


@blueprint.post("/sign-up/<token>")
@open_to_all
@limiter.limit(sign_up_limit)
def join(token: str) -> Any:
    """Open the account a link is about, and sign in."""
    _open()
    with db.transaction() as writing:
        person = joining.join(writing, token, utcnow())
    return _in(person)


def _in(person: Person) -> Any:
    enter(person)
    return redirect(url_for("orders.mine"))
