"""The forms of refunds and free reprints."""

from __future__ import annotations

from flask_babel import lazy_gettext
from wtforms import IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from fablab.refunds.models import WISH_LABELS
from fablab.refunds.services import LONGEST_TEXT
from fablab.web.forms import PageForm
from fablab.web.language import tr


class ComplaintForm(PageForm):
    """What went wrong, and what the person would like."""

    what = TextAreaField(
        lazy_gettext("What went wrong?"), [InputRequired(), Length(max=LONGEST_TEXT)], render_kw={"rows": 4}
    )
    wish = RadioField(lazy_gettext("What would you like?"), [InputRequired()])


class DecisionForm(PageForm):
    """What is decided about a request."""

    answer = StringField(validators=[InputRequired(), Length(max=10)])
    amount = StringField(lazy_gettext("Amount given back (€)"), [Optional(), Length(max=20)])
    part = IntegerField(lazy_gettext("Part"), [Optional()])
    copies = IntegerField(lazy_gettext("Copies printed again"), [Optional()])
    reason = TextAreaField(
        lazy_gettext("What the person reads"), [Optional(), Length(max=LONGEST_TEXT)], render_kw={"rows": 2}
    )


def complaint_form(data: object = None) -> ComplaintForm:
    """Return the form with its choices in the reader's language."""
    form = ComplaintForm(data)
    form.wish.choices = [(each.value, tr(label)) for each, label in WISH_LABELS.items()]
    return form
