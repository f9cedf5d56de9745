"""French or English, by the person's choice: the language of a request, and values written in its way."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from flask import Flask, request, session
from flask_babel import (
    Babel,
    format_currency,
    format_date,
    format_datetime,
    format_decimal,
    get_locale,
    gettext,
    pgettext,
    to_user_timezone,
)

from fablab.accounts.services import LANGUAGES
from fablab.billing.quoting import PlateFigures, Quote
from fablab.billing.receipts import number_of
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.periods import read_period
from fablab.db import utcnow
from fablab.languages import Language
from fablab.settings import settings
from fablab.web import roundness
from fablab.web.auth import whoever
from fablab.words import Day, Duration, Euros, Grams, Sentence


def install(app: Flask) -> None:
    """Teach `app` both languages."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app, locale_selector=choose, timezone_selector=lambda: settings().timezone)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.filters.update(
        entry_number=number_of,
        tr=tr,
        money=money,
        grams=grams,
        duration=duration,
        moment=moment,
        clock=clock,
        upcoming=upcoming,
        from_now=from_now,
        day=day,
        period=period,
        rate=rate,
        iban=lambda number: Language(choose()).iban(number),
        centimetres=centimetres,
        about_time=about_time,
        about_mass=about_mass,
    )
    app.context_processor(lambda: {"language": choose(), "place_name": settings().place_name})


def choose() -> str:
    """Return the language of this request: chosen on the account, in this browser, or asked for by the browser."""
    person = whoever()
    chosen = (person.language if person else None) or session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES, default=settings().language) or settings().language


def tr(text: Sentence | str | None) -> str:
    """Translate a sentence, or a label that was marked with `N_`."""
    if text is None or text == "":
        return ""
    if isinstance(text, Sentence):
        return text.render(_translate, write)
    return str(gettext(str(text)))


def _translate(msgid: str) -> str:
    return str(gettext(msgid)) if msgid else ""


def write(value: Any) -> str:
    """Write a value the way the reader is used to."""
    match value:
        case Grams(value=number):
            return grams(number)
        case Duration(seconds=number):
            return duration(number)
        case Euros(cents=number):
            return money(number)
        case Day(date=on):
            return day(on)
        case bool():
            return str(value)
        case int() | float():
            return str(format_decimal(value))
        case _:
            return str(value)


def money(cents: int) -> str:
    """Write cents as euros: "3,40 €" or "€3.40"."""
    return str(format_currency(cents / 100, "EUR"))


def grams(value: float) -> str:
    """Write a mass: tenths below 100 g, kilograms from 1 kg on."""
    if abs(value) >= 1000:
        return f"{format_decimal(value / 1000, '#,##0.00')}\u00a0kg"
    return f"{format_decimal(value, '#,##0.0' if abs(value) < 100 else '#,##0')}\u00a0g"


def duration(seconds: float) -> str:
    """Write a length of time: "45 s", "12 min", "3 h 05", "2 d 4 h"."""
    if seconds < 59.5:
        return f"{seconds:.0f}\u00a0s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes}\u00a0min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}\u00a0h\u00a0{minutes:02d}"
    days, hours = divmod(hours, 24)
    if not hours:
        return str(pgettext("days", "%(days)s d", days=days))
    return str(pgettext("days and hours", "%(days)s d %(hours)s h", days=days, hours=hours))


def about_time(estimated: Quote | PlateFigures) -> tuple[str, str]:
    """Write an estimated time and its margin, rounded to what is known: "4 h 10" and "15 min"."""
    about = roundness.about_time(estimated.time_s, *estimated.time_range_s)
    return duration(about.value), duration(about.margin)


def about_mass(estimated: Quote | PlateFigures) -> tuple[str, str]:
    """Write an estimated mass and its margin, rounded to what is known."""
    about = roundness.about_mass(estimated.mass_g, *estimated.mass_range_g)
    pattern = "#,##0.0" if about.step < 1 else "#,##0"
    return f"{format_decimal(about.value, pattern)}\u00a0g", f"{format_decimal(about.margin, pattern)}\u00a0g"


def moment(at: datetime) -> str:
    """Write a date with its time."""
    return str(format_datetime(at, "d MMM y HH:mm" if str(get_locale()) == "fr" else "d MMM y, HH:mm"))


def clock(at: datetime) -> str:
    """Write the time of a moment."""
    return str(format_datetime(at, "HH:mm"))


def upcoming(at: datetime) -> str:
    """Write a moment of the next days: its time, and its day unless it is today."""
    here, today = to_user_timezone(at), to_user_timezone(utcnow())
    return clock(at) if here.date() == today.date() else str(format_datetime(at, "EEE d MMM HH:mm"))


def from_now(seconds: float) -> datetime:
    """Return the moment in so many seconds."""
    return utcnow() + timedelta(seconds=seconds)


def day(on: date) -> str:
    """Write a date without a time: "3 déc. 2026"."""
    return str(format_date(on, "d MMM y"))


def period(written: str) -> str:
    """Say a period by the name it has in addresses: "2026-11" is "novembre 2026"."""
    wanted = read_period(written)
    patterns = {Span.DAY: "d MMM y", Span.MONTH: "LLLL y", Span.YEAR: "y"}
    return str(format_date(wanted.first_on, patterns[wanted.span]))


def rate(rate_bp: int) -> str:
    """Write hundredths of a per cent: "20 %"."""
    return Language(str(get_locale())).rate(rate_bp)


def centimetres(size_mm: tuple[float, float, float]) -> str:
    """Write a size in centimetres."""
    return " × ".join(format_decimal(side / 10, "#,##0.0") for side in size_mm) + "\u00a0cm"
