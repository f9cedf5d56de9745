"""The forms of what leaves by mail: a document once more, and who keeps the digests of closings."""

from __future__ import annotations

from flask_babel import lazy_gettext
from wtforms import EmailField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from fablab.web.forms import PageForm


class AgainForm(PageForm):
    """Where a document is sent once more."""

    email = EmailField(lazy_gettext("To this address"), [InputRequired(), Length(max=254)])
    key = StringField(validators=[InputRequired(), Length(min=8, max=40)], id="again-key")


class ReadersForm(PageForm):
    """Who keeps the digests of closings outside the place."""

    addresses = TextAreaField(
        lazy_gettext("E-mail addresses, one a line"),
        [Optional(), Length(max=2000)],
        render_kw={"rows": 4, "autocomplete": "off"},
    )
