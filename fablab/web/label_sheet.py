"""A sheet of labels as a PDF, from the same templates and words as the pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import segno
from flask import render_template

from fablab import press
from fablab.filament.models import Spool


@dataclass(frozen=True)
class Grid:
    """How the labels lie on an A4 sheet, in millimetres."""

    columns: int
    rows: int
    width_mm: float
    height_mm: float
    left_mm: float
    top_mm: float
    gap_mm: float = 0.0


SHEETS: dict[str, Grid] = {
    "3x8": Grid(3, 8, 70.0, 37.0, 0.0, 0.5),
    "3x7": Grid(3, 7, 63.5, 38.1, 7.2, 15.1, 2.5),
    "2x7": Grid(2, 7, 99.1, 38.1, 4.65, 15.1, 2.5),
    "4x10": Grid(4, 10, 48.5, 25.4, 8.0, 21.5),
}
"""Sheets of labels as they are sold, named by columns and rows."""


@dataclass(frozen=True)
class Label:
    """A spool and its QR code, as an address of data."""

    spool: Spool
    code: str


def label_sheet(labels: Sequence[Label], grid: Grid, skip: int) -> bytes:
    """Return the PDF; the first `skip` labels of the sheet are gone already."""
    places: list[Label | None] = [*[None] * skip, *labels]
    size = grid.columns * grid.rows
    pages = [places[start : start + size] for start in range(0, len(places), size)]
    return press.printed(render_template("filament/label_sheet.html", pages=pages, grid=grid))


def qr(address: str) -> str:
    """Return the QR code of an address as an address of data, for a picture on a label."""
    return segno.make(address, error="m").svg_data_uri(border=0, scale=4)
