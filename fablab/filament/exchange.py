"""Filaments and spools that come from or go to a table."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.errors import Invalid
from fablab.filament import products, queries, services, tables_as_csv
from fablab.filament.models import Filament, Owner, Spool
from fablab.filament.movements import Why
from fablab.filament.products import FilamentData
from fablab.filament.services import SpoolData
from fablab.filament.tables_as_csv import Row, number
from fablab.money import parse_euros
from fablab.words import say

FILAMENT_COLUMNS = (
    "maker",
    "material",
    "name",
    "colour",
    "colour_hex",
    "diameter_mm",
    "density_g_cm3",
    "net_g",
    "tare_g",
    "price_eur",
    "buy_below_g",
)
SPOOL_COLUMNS = (
    "spool",
    "maker",
    "material",
    "name",
    "colour",
    "colour_hex",
    "left_g",
    "lot",
    "price_paid_eur",
    "owner",
    "member",
    "shelf",
    "own_tare_g",
    "comment",
)
NEEDED = ("material", "colour", "colour_hex")


def _euros(cents: int | None) -> str:
    return f"{cents // 100}.{cents % 100:02d}" if cents is not None else ""


def filaments_as_csv(session: Session) -> bytes:
    """Return all filaments as a table."""
    return tables_as_csv.write(FILAMENT_COLUMNS, [_filament_row(each) for each in queries.filaments(session)])


def _filament_row(each: Filament) -> list[object]:
    return [
        *_names(each),
        each.diameter_mm,
        each.density_g_cm3,
        each.net_g,
        each.tare_g,
        _euros(each.price_cents),
        each.low_g,
    ]


def _names(each: Filament) -> list[object]:
    return [each.vendor_name, each.material_code, each.name, each.colour_name, each.colour_hex]


def spools_as_csv(session: Session) -> bytes:
    """Return all spools in use as a table; `spool` is what its label says, so that it is known again."""
    rows = []
    for shown in queries.spools(session):
        spool = shown.spool
        member = session.get(Person, spool.owner_id) if spool.owner_id else None
        rows.append(
            [
                spool.public_id,
                *_names(spool.filament),
                shown.remaining_g,
                spool.lot,
                _euros(spool.price_cents),
                spool.owner,
                member.email if member else "",
                spool.shelf,
                spool.own_tare_g,
                spool.comment,
            ]
        )
    return tables_as_csv.write(SPOOL_COLUMNS, rows)


def filaments_from_csv(session: Session, data: bytes) -> int:
    """Add the filaments of a table and change those that are there; return how many lines it had.

    Raises `BadTable` with every line that cannot be: then nothing of it may be kept.
    """
    rows = tables_as_csv.read(data, NEEDED, FILAMENT_COLUMNS)
    tables_as_csv.each_line(rows, lambda row: _take_filament(session, row.cells))
    return len(rows)


def _take_filament(session: Session, cells: Mapping[str, str]) -> None:
    wanted = replace(
        _named(cells),
        diameter_mm=number(cells["diameter_mm"], "diameter_mm") or 1.75,
        density_g_cm3=number(cells["density_g_cm3"], "density_g_cm3"),
        net_g=_or_else(number(cells["net_g"], "net_g"), 1000.0),
        tare_g=number(cells["tare_g"], "tare_g"),
        price_cents=_cents(cells["price_eur"]),
        low_g=number(cells["buy_below_g"], "buy_below_g") or 0.0,
    )
    there = products.same(session, wanted)
    if there is None:
        products.add(session, wanted)
    else:
        products.change(session, there, wanted)


def _or_else(value: float | None, usual: float) -> float:
    return usual if value is None else value


def _cents(text: str) -> int | None:
    return parse_euros(text) if text else None


def _named(cells: Mapping[str, str]) -> FilamentData:
    return FilamentData(
        material_code=cells["material"],
        vendor=cells["maker"],
        colour_name=cells["colour"],
        colour_hex=cells["colour_hex"],
        name=cells["name"],
    )


def spools_from_csv(session: Session, data: bytes, by_id: int) -> int:
    """Add the spools of a table that are not there yet, and return how many; raises like `filaments_from_csv`.

    A line whose `spool` is there is passed over, and so is a file that was taken over before: what is on a spool
    changes by movements only.
    """
    rows = tables_as_csv.read(data, (*NEEDED, "left_g"), SPOOL_COLUMNS)
    before = len(queries.spools(session))
    name = hashlib.sha256(data).hexdigest()[:32]
    tables_as_csv.each_line(rows, lambda row: _take_spool(session, row, Why(by_id, "CSV", f"{name}-{row.number}")))
    return len(queries.spools(session)) - before


def _take_spool(session: Session, row: Row, why: Why) -> None:
    cells = row.cells
    if cells["spool"] and session.scalar(select(Spool.id).where(Spool.public_id == cells["spool"])) is not None:
        return
    left_g = number(cells["left_g"], "left_g")
    if left_g is None:
        raise Invalid(say("The column left_g says how many grams are on the spool."))
    kind = products.find_or_add(session, _named(cells))
    said = SpoolData(
        lot=cells["lot"],
        price_cents=_cents(cells["price_paid_eur"]),
        owner=_owner(cells["owner"]),
        owner_id=_member(session, cells["member"]),
        shelf=cells["shelf"],
        comment=cells["comment"],
        own_tare_g=number(cells["own_tare_g"], "own_tare_g"),
    )
    made = services.receive(session, kind, left_g, said, why)
    if cells["spool"]:
        made.public_id = _label(cells["spool"])
        session.flush()


def _label(text: str) -> str:
    if len(text) > 20 or not all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in text):
        raise Invalid(say("“{text}” is not what a label says: leave the column spool empty for a new one.", text=text))
    return text


def _owner(text: str) -> Owner:
    if not text:
        return Owner.PLACE
    try:
        return Owner(text.lower())
    except ValueError:
        raise Invalid(say("The owner is “place”, “member” or “donation”, not “{text}”.", text=text)) from None


def _member(session: Session, email: str) -> int | None:
    if not email:
        return None
    found = session.scalar(select(Person.id).where(Person.email == email.lower()))
    if found is None:
        raise Invalid(say("Nobody here has the address {email}.", email=email))
    return found
