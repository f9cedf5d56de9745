"""The forms of the review desk."""

from __future__ import annotations

from flask_babel import lazy_gettext
from wtforms import BooleanField, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from fablab.orders.review import LONGEST_REASON
from fablab.web.forms import PageForm


class VerdictForm(PageForm):
    """What a reviewer says; the person reads it."""

    verdict = StringField(validators=[InputRequired(), Length(max=20)])
    reason = TextAreaField(
        lazy_gettext("What the person reads"), [Optional(), Length(max=LONGEST_REASON)], render_kw={"rows": 3}
    )


class ReviewRulesForm(PageForm):
    """Which orders somebody looks at first."""

    size_mm = IntegerField(lazy_gettext("Parts longer than (mm)"), [InputRequired()])
    price = StringField(lazy_gettext("Orders that cost more than (€)"), [InputRequired(), Length(max=12)])
    warnings = BooleanField(lazy_gettext("Files with faults that may spoil the print"))
    first_order = BooleanField(lazy_gettext("The first order of a person"))
    company = BooleanField(lazy_gettext("Orders that a company pays"))
    attestation = BooleanField(
        lazy_gettext("Orders without the confirmation that the part is allowed and may be copied")
    )
