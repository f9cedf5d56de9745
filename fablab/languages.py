"""Sentences in French or English away from any web page: for documents that are frozen, and for mail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from babel.support import NullTranslations, Translations

from fablab.words import Day, Euros, Sentence, plain

CATALOGUES = Path(__file__).parent / "web" / "translations"


@dataclass(frozen=True)
class Language:
    """A language documents are written in."""

    code: str

    @property
    def catalogue(self) -> NullTranslations:
        """The translations, also for templates."""
        return _catalogue(self.code)

    def text(self, what: Sentence | str) -> str:
        """Return a sentence, or a label that was marked with `N_`, in this language."""
        translate: Callable[[str], str] = lambda msgid: str(self.catalogue.ugettext(msgid)) if msgid else ""  # noqa: E731
        return what.render(translate, self._write) if isinstance(what, Sentence) else translate(what)

    def _write(self, value: Any) -> str:
        match value:
            case Euros(cents=number):
                return self.money(number)
            case Day(date=on):
                return self.day(on)
            case bool() | str():
                return str(value)
            case int():
                return str(format_decimal(value, locale=self.code))
            case _:
                return plain(value)

    def money(self, cents: int) -> str:
        """Write cents as euros."""
        return str(format_currency(_decimal(cents, 2), "EUR", locale=self.code))

    def unit_price(self, hundredths: int) -> str:
        """Write hundredths of a cent as euros, with two decimals where they are enough."""
        pattern = "#,##0.00##\u00a0¤" if self.code == "fr" else "¤#,##0.00##"
        return str(format_currency(_decimal(hundredths, 4), "EUR", pattern, locale=self.code, currency_digits=False))

    def iban(self, iban: str) -> str:
        """Write an IBAN in groups of four."""
        return " ".join(iban[place : place + 4] for place in range(0, len(iban), 4))

    def rate(self, rate_bp: int) -> str:
        """Write a rate in hundredths of a per cent."""
        space = "\u00a0" if self.code == "fr" else ""
        return f"{format_decimal(_decimal(rate_bp, 2), '0.##', locale=self.code)}{space}%"

    def day(self, day: date) -> str:
        """Write a date."""
        return str(format_date(day, "d MMMM y", locale=self.code))


def _decimal(number: int, places: int) -> Decimal:
    return Decimal(number).scaleb(-places)


@cache
def _catalogue(code: str) -> NullTranslations:
    return Translations.load(str(CATALOGUES), [code])
