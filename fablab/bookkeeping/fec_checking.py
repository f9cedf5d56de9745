"""Checks a file in FEC format as the law describes it. It knows nothing of the program that wrote the file.

Source: LPF art. A47 A-1 (columns, separators, encodings, dates, amounts, name) and BOI-CF-IOR-60-40-20.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from stdnum.fr import siren

from fablab.bookkeeping.fec_continuing import opening_findings
from fablab.words import Sentence, say

NAMES = [
    *("JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib"),
    *("PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit"),
    *("EcritureLet", "DateLet", "ValidDate", "Montantdevise", "Idevise"),
]
FILLED = (
    *("JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib"),
    *("PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "ValidDate"),
)
LONGEST_YEAR_DAYS = 731  # a first business year may last nearly two
DATES = ("EcritureDate", "PieceDate", "DateLet", "ValidDate")
AMOUNTS = ("Debit", "Credit", "Montantdevise")
FILE_NAME = re.compile(r"(\d{9}|W[0-9A-Z]{9})FEC(\d{8})\.txt", re.IGNORECASE)
AMOUNT = re.compile(r"-?\d+(,\d{1,2})?")


def findings(name: str, content: bytes) -> Iterator[Sentence]:
    """Tell what is wrong with a file, with the number of the line: nothing, if it is as it has to be."""
    yield from _name(name)
    try:
        text = content.decode("iso8859-15")
    except UnicodeDecodeError:
        text = ""
    if not text.strip() or re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x80-\x9f]", text):
        yield say("The file is empty, or not text in ISO 8859-15.")
        return
    rows = re.split(r"\r\n|\n|\r", text)
    separator = "\t" if "\t" in rows[0] else "|"
    if rows[0].split(separator) != NAMES:
        yield say("Line 1 does not hold the 18 names of the columns, in their order, separated by tabs or bars.")
        return
    if rows[-1] == "":
        rows.pop()
    yield from _lines(separator, rows[1:], _closed_on(name))


def _name(name: str) -> Iterator[Sentence]:
    found = FILE_NAME.fullmatch(name)
    if found is None or not _is_number(found[1]) or _date(found[2]) is None:
        yield say("The name “{name}” is not SIREN, FEC, the closing date (AAAAMMJJ) and .txt.", name=name[:60])


def _is_number(text: str) -> bool:
    """Tell whether a number is a SIREN, or the RNA number of an association that has none."""
    return text.upper().startswith("W") or bool(siren.is_valid(text))


def _closed_on(name: str) -> date | None:
    found = FILE_NAME.fullmatch(name)
    return _date(found[2]) if found else None


def _date(text: str) -> date | None:
    if not re.fullmatch(r"\d{8}", text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day has no time zone
    except ValueError:
        return None


def _lines(separator: str, rows: list[str], closed_on: date | None) -> Iterator[Sentence]:
    balances: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    last_valid, last_number = "", 0
    good: list[tuple[int, dict[str, str]]] = []
    for place, row in enumerate(rows, start=2):
        values = row.split(separator)
        if len(values) != len(NAMES):
            yield say("Line {line} has {count} columns instead of 18.", line=place, count=len(values))
            continue
        line = dict(zip(NAMES, values, strict=True))
        problems = list(_fields(place, line, closed_on))
        yield from problems
        if problems:
            continue
        good.append((place, line))
        if line["ValidDate"] < last_valid:
            yield say("Line {line} was validated before the line above it.", line=place)
        number = int(line["EcritureNum"]) if line["EcritureNum"].isdigit() else last_number
        if number not in (last_number, last_number + 1):
            yield say("Line {line}: the number of the entry does not continue those above.", line=place)
        last_valid, last_number = line["ValidDate"], number
        balances[line["JournalCode"], line["EcritureNum"]] += _decimal(line["Debit"]) - _decimal(line["Credit"])
    yield from opening_findings(good)
    for (code, number_text), balance in balances.items():
        if balance:
            yield say("Entry {number} of journal {code} does not balance.", number=number_text, code=code)


def _fields(place: int, line: dict[str, str], closed_on: date | None) -> Iterator[Sentence]:
    for name in FILLED:
        if not line[name].strip():
            yield say("Line {line}: {column} is empty.", line=place, column=name)
    for name in DATES:
        if line[name] and _date(line[name]) is None:
            yield say("Line {line}: {column} is not a date (AAAAMMJJ).", line=place, column=name)
    for name in AMOUNTS:
        if line[name] and not AMOUNT.fullmatch(line[name]):
            yield say("Line {line}: {column} is not an amount with a comma.", line=place, column=name)
    if line["CompteNum"] and not re.match(r"[1-8]\d\d", line["CompteNum"]):
        yield say("Line {line}: the account does not begin with three digits of the plan.", line=place)
    if bool(line["CompAuxNum"]) != bool(line["CompAuxLib"]):
        yield say("Line {line}: an auxiliary account has a number and a name, or neither.", line=place)
    booked = _date(line["EcritureDate"])
    if booked is not None and closed_on is not None and not 0 <= (closed_on - booked).days < LONGEST_YEAR_DAYS:
        yield say("Line {line} is dated outside the year that the name of the file closes.", line=place)


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", ".") or "0")
