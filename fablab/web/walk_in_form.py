"""The form for somebody who is here with a file and has no e-mail."""

from __future__ import annotations

from flask_babel import lazy_gettext
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from fablab.web.forms import PageForm


class WalkInForm(PageForm):
    """Who it is and how they are reached when the parts are ready."""

    name = StringField(lazy_gettext("Name"), [InputRequired(), Length(max=120)])
    contact = StringField(lazy_gettext("How to reach the person"), [InputRequired(), Length(max=200)])
