"""The forms of the pages: what a field takes, and how it is read. Messages come in the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from flask_babel import get_locale, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    EmailField,
    FloatField,
    Form,
    IntegerField,
    PasswordField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from fablab import db
from fablab.errors import Invalid
from fablab.words import say


class PageForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A form whose built-in messages are French or English, like the page."""

    class Meta:
        locales: ClassVar[list[str]] = []

        def get_translations(self, _form: Form) -> Any:
            from wtforms.i18n import get_translations

            return get_translations([str(get_locale() or "en")])

    def put(self, problem: Invalid) -> bool:
        """Show a service's problem beside its field; tell whether the form has that field."""
        from fablab.web.language import tr

        if problem.field is None or problem.field not in self._fields:
            return False
        field = self._fields[problem.field]
        field.errors = [*field.errors, tr(problem.sentence)]
        return True


NEW_PASSWORD = {"autocomplete": "new-password"}


class SignInForm(PageForm):
    """E-mail and password."""

    email = EmailField(
        lazy_gettext("E-mail"), [InputRequired(), Length(max=254)], render_kw={"autocomplete": "username"}
    )
    password = PasswordField(
        lazy_gettext("Password"), [InputRequired(), Length(max=200)], render_kw={"autocomplete": "current-password"}
    )


class PersonForm(PageForm):
    """A new account."""

    name = StringField(lazy_gettext("Name"), [InputRequired(), Length(max=120)])
    email = EmailField(lazy_gettext("E-mail"), [InputRequired(), Length(max=254)])
    password = PasswordField(
        lazy_gettext("Password"), [InputRequired(), Length(min=8, max=200)], render_kw=NEW_PASSWORD
    )
    role = SelectField(lazy_gettext("Role"))


class RightsForm(PageForm):
    """What a person may do."""

    role = SelectField(lazy_gettext("Role"))
    active = BooleanField(lazy_gettext("May sign in"))


class PasswordForm(PageForm):
    """A new password for somebody."""

    password = PasswordField(
        lazy_gettext("New password"), [InputRequired(), Length(min=8, max=200)], render_kw=NEW_PASSWORD
    )


class TopUpForm(PageForm):
    """Money for a wallet, and how it came."""

    amount = StringField(lazy_gettext("Amount received (€)"), [InputRequired(), Length(max=20)])
    method = SelectField(lazy_gettext("Paid by"), default="cash")
    reference = StringField(lazy_gettext("Number of the cheque or transfer"), [Optional(), Length(max=80)])
    key = StringField(validators=[InputRequired(), Length(max=40)])


class PayOutForm(PageForm):
    """Money that is paid out of a wallet, and how."""

    paid_out = StringField(lazy_gettext("Amount to pay out (€)"), [InputRequired(), Length(max=20)])
    by = SelectField(lazy_gettext("Paid out by"), default="cash")
    note = StringField(lazy_gettext("Number of the transfer"), [Optional(), Length(max=80)])
    key = StringField(validators=[InputRequired(), Length(max=40)], id="pay-out-key")


class MachineForm(PageForm):
    """How a printer is reached."""

    name = StringField(lazy_gettext("Name"), [InputRequired(), Length(max=60)])
    profile = SelectField(lazy_gettext("Kind of printer"))
    driver = SelectField(lazy_gettext("Connected by"))
    address = StringField(lazy_gettext("Address"), [InputRequired(), Length(max=500)])
    key = PasswordField(lazy_gettext("Application key"), [Optional(), Length(max=200)], render_kw=NEW_PASSWORD)
    attended = BooleanField(lazy_gettext("Prints only while somebody is here"))
    circuit = StringField(lazy_gettext("Electrical circuit"), [Optional(), Length(max=40)])
    snapshot = StringField(lazy_gettext("Picture of its camera"), [Optional(), Length(max=500)])


class HouseRulesForm(PageForm):
    """What holds for all printers of the place."""

    opening_hours = TextAreaField(
        lazy_gettext("When somebody is here"), [Optional(), Length(max=1000)], render_kw={"rows": 5}
    )
    quiet_hours = StringField(lazy_gettext("Quiet hours: nothing starts"), [Optional(), Length(max=40)])
    heating_at_once = IntegerField(
        lazy_gettext("Printers of one circuit that may heat at the same time (0: all)"), [NumberRange(0, 100)]
    )
    heating_minutes = IntegerField(lazy_gettext("Minutes a printer takes to heat"), [NumberRange(1, 60)])


class ServiceForm(PageForm):
    """Whether a printer is used."""

    service = SelectField(lazy_gettext("Service"))
    reason = StringField(lazy_gettext("Reason"), [Optional(), Length(max=300)])


class MaterialForm(PageForm):
    """A material the place prints with."""

    code = SelectField(lazy_gettext("Slicer settings"))
    label = StringField(lazy_gettext("Name on the pages"), [InputRequired(), Length(max=60)])
    use = StringField(lazy_gettext("What it is good for"), [Optional(), Length(max=200)])


class ChoicesForm(PageForm):
    """How a part is to be printed. `filament` is "PLA|red", or "PLA|" for any colour."""

    filament = StringField(validators=[InputRequired(), Length(max=80)])
    quality = StringField(validators=[InputRequired(), Length(max=20)])
    infill = IntegerField(lazy_gettext("Infill"), [InputRequired()])
    supports = BooleanField(lazy_gettext("Supports"))
    quantity = IntegerField(lazy_gettext("Copies"), [InputRequired()])


class VerdictForm(PageForm):
    """A volunteer's verdict on a plate."""

    good = IntegerField(lazy_gettext("Good copies"), [InputRequired()])
    reason = StringField(lazy_gettext("What went wrong?"), [Optional(), Length(max=40)])
    plate_cleared = BooleanField(lazy_gettext("The plate is empty again"))
    used_g = FloatField(lazy_gettext("Filament used (g)"), [Optional()])


class HandPrintForm(PageForm):
    """Whose print by hand it was, and what it took."""

    for_whom = StringField(lazy_gettext("Whose print was it?"), [InputRequired(), Length(max=80)])
    spool = SelectField(lazy_gettext("Which spool did it take?"), validate_choice=True)
    used_g = FloatField(
        lazy_gettext("Filament used (g)"),
        [InputRequired(), NumberRange(0, 20_000)],
        render_kw={"type": "number", "step": "0.1", "min": "0"},
    )


def saved(form: PageForm, act: Callable[[Session], object]) -> bool:
    """Check a form and act on it in a transaction; what a service finds wrong is said beside its field.

    False: show the form again, with status 422. Raises the problems that belong to no field.
    """
    if not form.validate():
        return False
    try:
        with db.transaction() as session:
            act(session)
    except Invalid as problem:
        if not form.put(problem):
            raise
        return False
    return True


def check(form: PageForm) -> None:
    """Raise `Invalid` with the first field that is wrong, for forms that have no page of their own to come back to."""
    if form.validate():
        return
    name, messages = next(iter(form.errors.items()))
    field = form._fields[name]
    raise Invalid(say("{field}: {message}", field=str(field.label.text), message=str(messages[0])), field=name)


def filled(form: type[PageForm], data: MultiDict[str, str]) -> Any:
    """Return a checked form; raises `Invalid`."""
    made = form(data)
    check(made)
    return made
