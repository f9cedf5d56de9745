"""The forms of prices: a tariff with an example of what it makes, and the group somebody pays by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import lazy_gettext
from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from fablab.billing.models import GROUP_LABELS, Group
from fablab.billing.pricing import Rules, Tariff
from fablab.billing.tariffs import TariffData
from fablab.errors import Invalid
from fablab.money import parse_euros
from fablab.web.forms import PageForm
from fablab.web.language import tr
from fablab.web.typed import euros
from fablab.words import say

RATE = "rate-"
AMOUNT = [Optional(), Length(max=12)]


class TariffForm(PageForm):
    """Prices from a date on, and a print to try them with; `tariff_form` adds a field for each material."""

    name = StringField(lazy_gettext("Name"), [InputRequired(), Length(max=80)])
    tariff_group = SelectField(lazy_gettext("For whom"))
    valid_from = DateField(lazy_gettext("From (empty: from now on)"), [Optional()])
    per_hour = StringField(lazy_gettext("Per hour of printer (€)"), AMOUNT)
    slot_minutes = IntegerField(lazy_gettext("Or by slots begun, of so many minutes"), [Optional()])
    slot = StringField(lazy_gettext("Price of a slot (€)"), AMOUNT)
    least_slots = IntegerField(lazy_gettext("At least so many slots"), [Optional()])
    per_part = StringField(lazy_gettext("Per part (€)"), AMOUNT)
    setup = StringField(lazy_gettext("Preparing the printer, per order (€)"), AMOUNT)
    minimum = StringField(lazy_gettext("Minimum per order (€)"), AMOUNT)
    breaks = StringField(lazy_gettext("Quantity prices"), [Optional(), Length(max=80)])
    aid_percent = IntegerField(lazy_gettext("Paid by the place (%)"), [Optional()])
    urgent_percent = IntegerField(lazy_gettext("Urgent orders cost more (%)"), [Optional()])
    urgent = StringField(lazy_gettext("Urgent orders cost more, per order (€)"), AMOUNT)
    rounding = StringField(lazy_gettext("Rounded to a multiple of (€)"), AMOUNT)
    free_failures = IntegerField(lazy_gettext("Free prints that fail because of their file"), [Optional()])
    example_material = SelectField(lazy_gettext("Material"))
    example_mass_g = IntegerField(lazy_gettext("Grams"), [InputRequired(), NumberRange(1, 20_000)], default=40)
    example_minutes = IntegerField(lazy_gettext("Minutes"), [InputRequired(), NumberRange(1, 60_000)], default=150)
    example_copies = IntegerField(lazy_gettext("Copies"), [InputRequired(), NumberRange(1, 100)], default=1)
    example_urgent = BooleanField(lazy_gettext("As soon as possible"))

    def rates(self) -> list[Any]:
        """Return the fields of the materials."""
        return [field for name, field in self._fields.items() if name.startswith(RATE)]


class GroupForm(PageForm):
    """The group whose prices somebody pays, from a date on."""

    tariff_group = SelectField(lazy_gettext("Pays the prices of"))
    valid_from = DateField(lazy_gettext("Holds from"), [InputRequired()])


def tariff_form(codes: Iterable[str], data: Any = None, **values: Any) -> TariffForm:
    """Return the form with a price per kilogram for each material."""
    known = list(codes)
    fields = {
        f"{RATE}{code}": StringField(lazy_gettext("%(material)s, per kilogram (€)", material=code), AMOUNT)
        for code in known
    }
    form: TariffForm = type("TariffForm", (TariffForm,), fields)(data, data=values)
    form.tariff_group.choices = [(each.value, tr(label)) for each, label in GROUP_LABELS.items()]
    form.example_material.choices = [(code, code) for code in known]
    return form


def group_form(data: Any = None, **values: Any) -> GroupForm:
    """Return the form of a person's group; companies' prices are not a person's."""
    form = GroupForm(data, **values)
    of_people = [each for each in Group if each != Group.COMPANY]
    form.tariff_group.choices = [(each.value, tr(GROUP_LABELS[each])) for each in of_people]
    return form


def values_of(tariff: Tariff) -> dict[str, Any]:
    """Return what the form shows for a tariff; what does not apply stays empty."""
    rules = tariff.rules
    return {
        "name": tr(tariff.name),
        "per_hour": _euros(tariff.per_hour_cents),
        "slot_minutes": rules.slot_minutes or None,
        "slot": _euros(rules.slot_cents),
        "least_slots": rules.least_slots if rules.least_slots > 1 else None,
        "per_part": _euros(rules.per_part_cents),
        "setup": _euros(tariff.setup_cents),
        "minimum": _euros(tariff.minimum_cents),
        "breaks": ", ".join(f"{copies}: {percent}" for copies, percent in rules.breaks),
        "aid_percent": rules.aid_percent or None,
        "urgent_percent": rules.urgent_percent or None,
        "urgent": _euros(rules.urgent_cents),
        "free_failures": rules.free_failures,
        "rounding": _euros(rules.rounding_cents) if rules.rounding_cents > 1 else "",
        **{f"{RATE}{code}": _euros(cents) or "0" for code, cents in tariff.per_kg_cents.items()},
    }


def _euros(cents: int) -> str:
    return euros(cents or None)


def entered(form: TariffForm) -> TariffData:
    """Return the tariff that was entered. Raises `Invalid` naming the field."""
    rates = {field.name.removeprefix(RATE): field for field in form.rates()}
    rules = Rules(
        slot_minutes=form.slot_minutes.data or 0,
        slot_cents=_cents(form, "slot"),
        per_part_cents=_cents(form, "per_part"),
        breaks=_breaks(form.breaks.data or ""),
        aid_percent=form.aid_percent.data or 0,
        rounding_cents=_cents(form, "rounding") or 1,
        urgent_percent=form.urgent_percent.data or 0,
        urgent_cents=_cents(form, "urgent"),
        free_failures=form.free_failures.data,
        least_slots=1 if form.least_slots.data is None else form.least_slots.data,
    )
    per_kg: Mapping[str, int] = {
        code: parse_euros(field.data, field.name) for code, field in rates.items() if (field.data or "").strip()
    }
    fees = (_cents(form, "setup"), _cents(form, "per_hour"), _cents(form, "minimum"))
    return TariffData(form.name.data, *fees, per_kg, rules, Group(form.tariff_group.data))


def _cents(form: TariffForm, name: str) -> int:
    text = form._fields[name].data or ""
    return parse_euros(text, name) if text.strip() else 0


def _breaks(text: str) -> tuple[tuple[int, int], ...]:
    """Read "10: 5, 50: 15" as 5 % off from 10 copies on and 15 % from 50 on."""
    pairs = [part.split(":") for part in text.replace("%", "").replace(";", ",").split(",") if part.strip()]
    if not all(len(pair) == 2 and all(each.strip().isdecimal() and len(each) < 8 for each in pair) for pair in pairs):
        raise Invalid(say("Write copies and per cent like “10: 5, 50: 15”."), field="breaks")
    return tuple((int(copies), int(percent)) for copies, percent in pairs)
