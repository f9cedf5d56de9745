"""The forms of threads."""

from __future__ import annotations

from flask_babel import lazy_gettext
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from fablab.orders.threads import LONGEST_MESSAGE, LONGEST_SUBJECT
from fablab.web.forms import PageForm


class MessageForm(PageForm):
    """A message; the service says what is wrong with it."""

    text = TextAreaField(
        lazy_gettext("Your message"), [InputRequired(), Length(max=LONGEST_MESSAGE)], render_kw={"rows": 3}
    )


class HelpForm(PageForm):
    """A request for help with something that is no file yet."""

    subject = StringField(lazy_gettext("What is it about?"), [InputRequired(), Length(max=LONGEST_SUBJECT)])
    text = TextAreaField(
        lazy_gettext("Tell us about it"), [InputRequired(), Length(max=LONGEST_MESSAGE)], render_kw={"rows": 6}
    )
