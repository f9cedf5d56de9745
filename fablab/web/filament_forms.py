"""The forms of filament: products, reels, and what is done with a reel."""

from __future__ import annotations

from flask_babel import lazy_gettext
from wtforms import FileField, HiddenField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from fablab.money import parse_euros
from fablab.web.forms import PageForm
from fablab.web.typed import DecimalField

GRAMS = {"inputmode": "decimal", "autocomplete": "off"}


class FilamentForm(PageForm):
    """A product."""

    material_code = SelectField(lazy_gettext("Material"))
    vendor = StringField(lazy_gettext("Maker"), [Optional(), Length(max=60)], render_kw={"list": "vendors"})
    name = StringField(lazy_gettext("Name on the label"), [Optional(), Length(max=60)])
    colour_name = StringField(lazy_gettext("Colour"), [InputRequired(), Length(max=40)])
    colour_hex = StringField(lazy_gettext("Shown as"), [InputRequired(), Length(max=7)])
    net_g = DecimalField(lazy_gettext("Filament on a full reel (g)"), [InputRequired()], render_kw=GRAMS)
    tare_g = DecimalField(lazy_gettext("Empty reel (g)"), [Optional()], render_kw=GRAMS)
    price = StringField(lazy_gettext("Price of a reel (€)"), [Optional(), Length(max=12)], render_kw=GRAMS)
    low_g = DecimalField(lazy_gettext("Buy when less is left than (g)"), [Optional()], render_kw=GRAMS)
    diameter_mm = DecimalField(lazy_gettext("Diameter (mm)"), [InputRequired()], render_kw=GRAMS)
    density_g_cm3 = DecimalField(lazy_gettext("Density (g/cm³)"), [Optional()], render_kw=GRAMS)


class ReelForm(PageForm):
    """What is said of one reel."""

    lot = StringField(lazy_gettext("Lot"), [Optional(), Length(max=60)])
    price = StringField(lazy_gettext("Price paid (€)"), [Optional(), Length(max=12)], render_kw=GRAMS)
    owner = SelectField(lazy_gettext("Whose is it?"))
    owner_id = SelectField(lazy_gettext("Which member?"))
    shelf = StringField(lazy_gettext("Place on the shelf"), [Optional(), Length(max=60)])
    own_tare_g = DecimalField(lazy_gettext("This empty reel (g)"), [Optional()], render_kw=GRAMS)
    comment = StringField(lazy_gettext("Comment"), [Optional(), Length(max=300)])


class ReceiveForm(ReelForm):
    """Reels that came in."""

    filament = SelectField(lazy_gettext("Filament"))
    count = IntegerField(lazy_gettext("How many reels"), [InputRequired(), NumberRange(1, 50)])
    mass_g = DecimalField(lazy_gettext("Filament on each (g)"), [Optional()], render_kw=GRAMS)
    key = HiddenField(validators=[InputRequired(), Length(max=40)])


class WeighForm(PageForm):
    """What the scale shows."""

    gross_g = DecimalField(lazy_gettext("The scale shows (g)"), [InputRequired()], render_kw=GRAMS)
    tare_g = DecimalField(lazy_gettext("Empty reel (g)"), [Optional()], render_kw=GRAMS)
    key = HiddenField(validators=[Optional(), Length(max=40)])


class AdjustForm(PageForm):
    """A corrected amount."""

    mass_g = DecimalField(lazy_gettext("Filament on it now (g)"), [InputRequired()], render_kw=GRAMS)
    reason = StringField(lazy_gettext("Reason"), [InputRequired(), Length(max=200)])
    key = HiddenField(validators=[Optional(), Length(max=40)])


class WasteForm(PageForm):
    """What was thrown away."""

    mass_g = DecimalField(lazy_gettext("Thrown away (g)"), [InputRequired()], render_kw=GRAMS)
    reason = StringField(lazy_gettext("Reason"), [InputRequired(), Length(max=200)])
    key = HiddenField(validators=[Optional(), Length(max=40)])


class TransferForm(PageForm):
    """What was wound onto another spool."""

    to = SelectField(lazy_gettext("Onto which spool?"))
    mass_g = DecimalField(lazy_gettext("How much (g)"), [InputRequired()], render_kw=GRAMS)
    reason = StringField(lazy_gettext("Reason"), [InputRequired(), Length(max=200)])
    key = HiddenField(validators=[Optional(), Length(max=40)])


class RetireForm(PageForm):
    """Why a spool is not used any more."""

    reason = StringField(lazy_gettext("Reason"), [InputRequired(), Length(max=200)])


class MoveUseForm(PageForm):
    """The spool that was really on."""

    to = SelectField(lazy_gettext("Which spool was really on?"))
    reason = StringField(lazy_gettext("Reason"), [InputRequired(), Length(max=200)])


class TableForm(PageForm):
    """A table that was written elsewhere."""

    what = SelectField(lazy_gettext("What is in it?"))
    file = FileField(lazy_gettext("File (CSV, UTF-8)"))


class SpoolmanForm(PageForm):
    """Where a Spoolman is."""

    address = StringField(lazy_gettext("Address of Spoolman"), [InputRequired(), Length(max=300)])


def cents(text: str | None, field: str) -> int | None:
    """Read an amount that may be left empty; raises `Invalid`."""
    return parse_euros(text, field) if text and text.strip() else None
