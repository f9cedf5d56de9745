"""Filaments and spools as CSV: written so that a spreadsheet runs nothing, read so that nothing half comes in."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fablab.errors import Invalid
from fablab.words import Sentence, say

MOST_LINES = 5_000
MOST_BYTES = 2_000_000
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Row:
    """A line of a table: its number in the file, and its cells by column."""

    number: int
    cells: Mapping[str, str]


class BadTable(Invalid):
    """A table that was not taken over; every bad line has its sentence."""

    def __init__(self, lines: Sequence[Sentence]) -> None:
        super().__init__(say("Nothing was taken over. Lines that are wrong: {count}.", count=len(lines)), field="file")
        self.lines = tuple(lines)


def write(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return a table as CSV (UTF-8 with a mark for spreadsheets); no cell is taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([[_tame(cell) for cell in row] for row in rows])
    return out.getvalue().encode("utf-8-sig")


def _tame(cell: object) -> str:
    """Put an apostrophe before what a spreadsheet would run; numbers stay numbers."""
    if cell is None:
        return ""
    if isinstance(cell, int | float):
        return f"{cell:g}" if isinstance(cell, float) else str(cell)
    text = str(cell)
    return f"'{text}" if text.startswith(DANGEROUS) else text


def read(data: bytes, needed: Sequence[str], known: Sequence[str]) -> list[Row]:
    """Return the lines of a CSV with a first line of column names, separated by commas, semicolons or tabs.

    Raises `Invalid` for a file that is no such table.
    """
    text = _text(data)
    first, _, _ = text.partition("\n")
    separator = max(",;\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=separator, strict=True))
    except csv.Error as problem:
        raise Invalid(say("This is not a CSV table: {problem}.", problem=str(problem)), field="file") from None
    header = [name.strip().lower() for name in lines[0]] if lines else []
    missing = [name for name in needed if name not in header]
    if missing:
        words = ", ".join(missing)
        raise Invalid(say("The first line names the columns; these are missing: {names}.", names=words), field="file")
    if len(lines) > MOST_LINES + 1:
        raise Invalid(say("A table has at most {most} lines.", most=MOST_LINES), field="file")
    return [
        Row(number, _cells(header, line, known))
        for number, line in enumerate(lines[1:], start=2)
        if any(cell.strip() for cell in line)
    ]


def _cells(header: Sequence[str], line: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    found = dict(zip(header, (_untame(cell) for cell in line), strict=False))
    return {name: found.get(name, "") for name in known}


def _untame(cell: str) -> str:
    """Take the apostrophe away again that `write` puts before what looks like a formula."""
    cell = cell.strip()
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(DANGEROUS) else cell


def _text(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise Invalid(say("This file is too large."), field="file")
    if not data.strip():
        raise Invalid(say("Please choose a file first."), field="file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(
            say("The file is not in UTF-8: save it from the spreadsheet as “CSV UTF-8”."), field="file"
        ) from None


def number(text: str, column: str) -> float | None:
    """Read a number, with a comma or a point; empty is None."""
    if not text:
        return None
    try:
        return float(text.replace("\u202f", "").replace("\xa0", "").replace(" ", "").replace(",", "."))
    except ValueError:
        raise Invalid(say("“{text}” in the column {column} is not a number.", text=text, column=column)) from None


def each_line(rows: Sequence[Row], act: Callable[[Row], object]) -> None:
    """Do something with every line, and raise `BadTable` with all bad ones: then nothing may be kept."""
    wrong = []
    for row in rows:
        try:
            act(row)
        except Invalid as problem:
            wrong.append(say("Line {number}: {problem}", number=row.number, problem=problem.sentence))
    if wrong:
        raise BadTable(wrong)
