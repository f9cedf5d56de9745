"""Sentences for people: written once in English, translated only where they are shown.

A service says *what* happened with `say("{machine} is printing.", machine="Prusa 2")`. The sentence travels as data, is
stored as JSON, and becomes French or English at the edge (`fablab.web`), where `gettext` knows the reader's language.
`say` and `N_` are the keywords the translation catalogue is extracted with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any


@dataclass(frozen=True)
class Grams:
    """A mass to be written in the reader's way."""

    value: float


@dataclass(frozen=True)
class Duration:
    """A length of time to be written in the reader's way."""

    seconds: float


@dataclass(frozen=True)
class Euros:
    """An amount in integer cents to be written in the reader's way."""

    cents: int


@dataclass(frozen=True)
class Day:
    """A date to be written in the reader's way."""

    date: date


@dataclass(frozen=True)
class Sentence:
    """An English sentence with named places, and what to put there: text, numbers, quantities or other sentences."""

    msgid: str
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.render(lambda msgid: msgid, plain)

    def __hash__(self) -> int:
        return hash((self.msgid, repr(self.params)))

    def render(self, translate: Callable[[str], str], write: Callable[[Any], str]) -> str:
        """Return the sentence translated by `translate`, its values written by `write`."""
        values = {
            name: value.render(translate, write) if isinstance(value, Sentence) else write(value)
            for name, value in self.params.items()
        }
        return translate(self.msgid).format(**values)

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` turns back into this sentence."""
        return {"msgid": self.msgid, "params": {name: _pack(value) for name, value in self.params.items()}}

    @staticmethod
    def from_json(data: dict[str, Any]) -> Sentence:
        """Return the sentence that `to_json` wrote."""
        return Sentence(data["msgid"], {name: _unpack(value) for name, value in data["params"].items()})


def say(msgid: str, /, **params: Any) -> Sentence:
    """Return a sentence for people; `msgid` must be a literal, so that it is found for translation."""
    return Sentence(msgid, params)


def N_(msgid: str) -> str:  # noqa: N802 - the conventional name of gettext's no-op marker
    """Mark a single word or label for translation and return it unchanged."""
    return msgid


def plain(value: Any) -> str:
    """Write a value in plain English, for logs, the command line and JSON."""
    match value:
        case Grams(value=grams):
            return f"{grams:.1f} g" if grams < 100 else f"{grams:.0f} g"
        case Duration(seconds=seconds):
            return plain_duration(seconds)
        case Euros(cents=cents):
            return f"{'-' if cents < 0 else ''}€{abs(cents) // 100}.{abs(cents) % 100:02d}"
        case Day(date=on):
            return on.isoformat()
        case float():
            return f"{value:.1f}"
        case _:
            return str(value)


def plain_duration(seconds: float) -> str:
    """Write seconds as "45 s", "12 min" or "3 h 05"."""
    rounded = timedelta(seconds=round(seconds))
    minutes = round(rounded.total_seconds() / 60)
    if rounded.total_seconds() < 60:
        return f"{rounded.total_seconds():.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d}"


_QUANTITIES: dict[str, type[Grams | Duration | Euros]] = {"g": Grams, "s": Duration, "cents": Euros}


def _pack(value: Any) -> Any:
    match value:
        case Sentence():
            return {"sentence": value.to_json()}
        case Grams(value=number):
            return {"g": number}
        case Duration(seconds=number):
            return {"s": number}
        case Euros(cents=number):
            return {"cents": number}
        case Day(date=on):
            return {"day": on.isoformat()}
        case _:
            return value


def _unpack(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "sentence" in value:
        return Sentence.from_json(value["sentence"])
    ((unit, number),) = value.items()
    if unit == "day":
        return Day(date.fromisoformat(number))
    return _QUANTITIES[unit](number)
