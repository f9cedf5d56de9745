"""Checks what belongs to a file in FEC format: its opening entries, the file of the year before, its description.

Like the check of the file itself it was written from the law (LPF art. A47 A-1: the opening entries come first, the
file comes with a description) and knows nothing of the program that wrote the files.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

from fablab.words import Sentence, say

ENCODING = "iso8859-15"
OPENING_CODE = re.compile(r"R?AN|ANO|ANOUV|OUV", re.IGNORECASE)
OPENING_NAME = re.compile(r"à.?nouveau|a.nouveau|ouverture", re.IGNORECASE)
BALANCE_SHEET, RESULTS, CARRIED = tuple("12345"), tuple("67"), ("11", "12")
Line = dict[str, str]
Place = tuple[str, str]


def opening_findings(lines: Iterable[tuple[int, Line]]) -> Iterator[Sentence]:
    """Tell what is wrong with the opening entries of a file: they come first, on one day, on the balance sheet."""
    day, closed = None, False
    for place, line in lines:
        if not is_opening(line):
            closed = True
            continue
        if closed:
            yield say("Line {line} is an opening entry (à-nouveaux) and stands after other entries.", line=place)
        if not line["CompteNum"].startswith(BALANCE_SHEET):
            yield say("Line {line}: an opening entry is on accounts of classes 1 to 5 only.", line=place)
        day = day or line["EcritureDate"]
        if line["EcritureDate"] != day:
            yield say("Line {line}: the opening entries are not all of one day.", line=place)


def is_opening(line: Line) -> bool:
    """Tell whether a line belongs to the opening of a year, by the name of its journal."""
    return bool(OPENING_CODE.fullmatch(line["JournalCode"]) or OPENING_NAME.search(line["JournalLib"]))


def continues(before: bytes, after: bytes) -> Iterator[Sentence]:
    """Tell where a file does not open with what the file of the year before ends with.

    What classes 6 and 7 of the year before come to is opened on the accounts of results (11 and 12) together.
    """
    ended, opened = _together(_read(before)), _together(line for line in _read(after) if is_opening(line))
    for account, holder in sorted(ended.keys() | opened.keys()):
        left, found = ended[account, holder], opened[account, holder]
        if left != found:
            yield say(
                "Account {account}: {left} at the end of the year before, {found} at the opening.",
                account=f"{account} {holder}".strip(),
                left=_amount(left),
                found=_amount(found),
            )


def _read(content: bytes) -> Iterator[Line]:
    rows = re.split(r"\r\n|\n|\r", content.decode(ENCODING, "replace"))
    separator = "\t" if "\t" in rows[0] else "|"
    names = rows[0].split(separator)
    for row in rows[1:]:
        values = row.split(separator)
        if len(values) == len(names):
            yield dict(zip(names, values, strict=True))


def _together(lines: Iterable[Line]) -> Counter[Place]:
    """Return the balances of the balance sheet, with all results in one."""
    balances: Counter[Place] = Counter()
    for line in lines:
        cents = _cents(line["Debit"]) - _cents(line["Credit"])
        account = line["CompteNum"]
        if account.startswith((*RESULTS, *CARRIED)):
            balances["11/12", ""] += cents
        elif account.startswith(BALANCE_SHEET):
            balances[account, line["CompAuxNum"]] += cents
    return balances


def _cents(text: str) -> int:
    return int(Decimal(text.replace(",", ".") or "0") * 100)


def _amount(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100},{abs(cents) % 100:02d}"


def description_findings(name: str, content: bytes, of: str, columns: Iterable[str]) -> Iterator[Sentence]:
    """Tell what is wrong with the description of a file: its name, and that it explains every column."""
    if name.lower() != f"{of.removesuffix('.txt').removesuffix('.TXT')}_description.txt".lower():
        yield say("The description “{name}” is not named after its file.", name=name[:60])
    text = content.decode(ENCODING, "replace")
    for column in columns:
        if not re.search(rf"\b{column}\b", text):
            yield say("The description does not explain {column}.", column=column)
