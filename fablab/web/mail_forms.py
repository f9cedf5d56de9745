"""The form of what leaves by mail: a document once more."""

from __future__ import annotations

from flask_babel import lazy_gettext
from wtforms import EmailField, StringField
from wtforms.validators import InputRequired, Length

from fablab.web.forms import PageForm


class AgainForm(PageForm):
    """Where a document is sent once more."""

    email = EmailField(lazy_gettext("To this address"), [InputRequired(), Length(max=254)])
    key = StringField(validators=[InputRequired(), Length(min=8, max=40)], id="again-key")
