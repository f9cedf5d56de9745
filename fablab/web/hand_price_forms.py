"""The form of a price by hand: lines with a text, how many and what one costs, and the reason who pays reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext
from wtforms import IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from fablab.billing.by_hand import LONGEST_REASON, LONGEST_TEXT, MOST_LINES, HandLine
from fablab.billing.hand_pricing import Wish
from fablab.errors import Invalid
from fablab.money import parse_euros
from fablab.web.forms import PageForm

ADDED, WHOLE = "added", "whole"
OPEN_LINES = 3


class HandPriceForm(PageForm):
    """How a price by hand begins, and why it is this one; `hand_price_form` adds the lines."""

    added = RadioField(lazy_gettext("These lines are"), default=WHOLE)
    reason = TextAreaField(
        lazy_gettext("Why it costs this: who pays reads it"), [Length(max=LONGEST_REASON)], render_kw={"rows": 3}
    )

    @property
    def has_more(self) -> bool:
        """Whether something was typed in the lines that are folded."""
        return any(field.data for row in self.rows()[OPEN_LINES:] for field in row)

    def rows(self) -> list[tuple[Any, Any, Any]]:
        """Return the fields of each line."""
        names = ("text", "quantity", "price")
        return [tuple(self._fields[f"{name}-{row}"] for name in names) for row in range(MOST_LINES)]


@dataclass(frozen=True)
class Typed:
    """The lines that were typed, and in which rows of the form they stand."""

    lines: tuple[HandLine, ...]
    rows: tuple[int, ...]


def hand_price_form(data: Any = None, *, computed: bool) -> HandPriceForm:
    """Return the form; without a computed price the lines are the whole price."""
    fields: dict[str, Any] = {}
    for row in range(MOST_LINES):
        fields[f"text-{row}"] = StringField(lazy_gettext("What it is"), [Optional(), Length(max=LONGEST_TEXT)])
        fields[f"quantity-{row}"] = IntegerField(lazy_gettext("How many"), [Optional()])
        fields[f"price-{row}"] = StringField(lazy_gettext("Price of one (€)"), [Optional(), Length(max=16)])
    form: HandPriceForm = type("HandPriceForm", (HandPriceForm,), fields)(
        data, data={"added": ADDED if computed else WHOLE}
    )
    choices = [(ADDED, lazy_gettext("added to the computed price"))] if computed else []
    form.added.choices = [*choices, (WHOLE, lazy_gettext("the whole price, in the place of any other"))]
    return form


def typed(form: HandPriceForm) -> Typed:
    """Return the lines that were typed; rows that are empty do not count. Raises `Invalid` naming the field."""
    lines, rows = [], []
    for row, (text, quantity, price) in enumerate(form.rows()):
        said, amount = (text.data or "").strip(), (price.data or "").strip().replace("\N{MINUS SIGN}", "-")
        if said or amount:
            many = 1 if quantity.data is None else quantity.data
            lines.append(HandLine(said, many, parse_euros(amount, price.name) if amount else 0))
            rows.append(row)
    return Typed(tuple(lines), tuple(rows))


def wish_of(form: HandPriceForm, found: Typed) -> Wish:
    """Return what a volunteer wants."""
    return Wish(found.lines, form.added.data == ADDED, form.reason.data or "")


@contextmanager
def in_their_rows(found: Typed) -> Iterator[None]:
    """Let what is wrong with a line name the row it stands in."""
    try:
        yield
    except Invalid as problem:
        name, _, place = (problem.field or "").rpartition("-")
        if name and place.isdecimal() and int(place) < len(found.rows):
            raise Invalid(problem.sentence, field=f"{name}-{found.rows[int(place)]}") from problem
        raise
