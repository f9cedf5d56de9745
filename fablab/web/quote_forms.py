"""The forms of quotes: accept, refuse, send somebody a link."""

from __future__ import annotations

from flask_babel import lazy_gettext
from wtforms import BooleanField, EmailField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from fablab.billing.payers import LONGEST_PO_NUMBER
from fablab.quotes.answering import LONGEST_NAME, LONGEST_REASON
from fablab.web.forms import PageForm


class AcceptForm(PageForm):
    """Who agrees, and under which number of their own."""

    name = StringField(lazy_gettext("Your name"), [InputRequired(), Length(max=LONGEST_NAME)])
    po_number = StringField(
        lazy_gettext("Purchase order number, if the company has one"), [Optional(), Length(max=LONGEST_PO_NUMBER)]
    )
    agreed = BooleanField(lazy_gettext("Good for agreement: I accept this quote"), [InputRequired()])


class RefuseForm(PageForm):
    """Who refuses, and why."""

    name = StringField(lazy_gettext("Your name"), [InputRequired(), Length(max=LONGEST_NAME)], id="refuse-name")
    reason = TextAreaField(
        lazy_gettext("Why not? (if you want to say so)"),
        [Optional(), Length(max=LONGEST_REASON)],
        render_kw={"rows": 2},
    )


class LinkForm(PageForm):
    """Who gets a link."""

    name = StringField(lazy_gettext("Name"), [InputRequired(), Length(max=LONGEST_NAME)], id="link-name")
    email = EmailField(lazy_gettext("E-mail"), [InputRequired(), Length(max=254)])
