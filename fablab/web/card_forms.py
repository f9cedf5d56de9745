"""The forms of card payments online, and what a wallet's page shows of them: nothing where none are taken."""

from __future__ import annotations

import secrets
from typing import Any

from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from wtforms import StringField
from wtforms.validators import InputRequired, Length, Optional

from fablab.payments import queries
from fablab.payments.providers import provider
from fablab.payments.services import LONGEST_NOTE
from fablab.web.auth import me
from fablab.web.forms import PageForm


class CardTopUpForm(PageForm):
    """How much to put into the wallet by card."""

    amount = StringField(lazy_gettext("Amount (€)"), [InputRequired(), Length(max=20)])
    key = StringField(validators=[InputRequired(), Length(min=8, max=40)])


class KeyForm(PageForm):
    """What makes a button, pressed twice, one act."""

    key = StringField(validators=[InputRequired(), Length(min=8, max=40)])


class PayoutForm(PageForm):
    """What the payment service paid out."""

    arrived = StringField(lazy_gettext("Arrived at the bank (€)"), [InputRequired(), Length(max=20)])
    fee = StringField(lazy_gettext("Fee it kept (€)"), [InputRequired(), Length(max=20)])
    reference = StringField(lazy_gettext("Reference"), [Optional(), Length(max=80)])
    key = StringField(validators=[InputRequired(), Length(max=40)])


class DealtWithForm(PageForm):
    """What was done about a payment that did not match."""

    note = StringField(lazy_gettext("What was done"), [InputRequired(), Length(max=LONGEST_NOTE)])


def of_wallet(session: Session, form: CardTopUpForm | None = None) -> dict[str, Any]:
    """Return what the signed-in person's wallet shows: the form, and what was begun and not ended."""
    if provider() is None:
        return {}
    return {
        "card_form": form or CardTopUpForm(key=secrets.token_hex(12)),
        "begun": queries.begun_top_ups(session, me().id),
    }
