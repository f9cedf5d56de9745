"""The forms of the cash drawer: a count by coins and notes or in total, and cash taken to the bank."""

from __future__ import annotations

from flask_babel import lazy_gettext
from wtforms import IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from fablab.bookkeeping.cash import PIECES_CENTS
from fablab.web.forms import PageForm


class CashCountForm(PageForm):
    """What is in the drawer."""

    total = StringField(lazy_gettext("Total (€)"), [Optional(), Length(max=20)])
    reason = StringField(lazy_gettext("Why it differs"), [Optional(), Length(max=200)])
    expected = IntegerField(validators=[InputRequired()])
    key = StringField(validators=[InputRequired(), Length(max=40)])

    def pieces(self) -> dict[int, int]:
        """Return how many of each coin and note there are, by its value in cents."""
        return {value: self[f"piece_{value}"].data or 0 for value in PIECES_CENTS}


for _value in PIECES_CENTS:
    setattr(CashCountForm, f"piece_{_value}", IntegerField(validators=[Optional(), NumberRange(0, 10_000)]))


class BankForm(PageForm):
    """Cash that leaves for the bank."""

    amount = StringField(lazy_gettext("Amount (€)"), [InputRequired(), Length(max=20)])
    reference = StringField(lazy_gettext("Reference"), [Optional(), Length(max=80)])
    key = StringField(validators=[InputRequired(), Length(max=40)])
