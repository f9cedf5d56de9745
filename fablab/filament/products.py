"""Filaments as products: what a vendor sells, with all that reels of a kind have in common."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab import bus
from fablab.errors import Conflict, Invalid
from fablab.filament.models import Filament, Material, Vendor
from fablab.slicing.profiles import filament_profiles
from fablab.words import say

LARGEST_SPOOL_G = 20_000
HEAVIEST_REEL_G = 3_000
DEAREST_CENTS = 1_000_000
USUAL_DENSITY = 1.24
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class FilamentData:
    """What a person enters for a filament. Without a density it is the material's."""

    material_code: str
    vendor: str
    colour_name: str
    colour_hex: str
    name: str = ""
    diameter_mm: float = 1.75
    density_g_cm3: float | None = None
    net_g: float = 1000.0
    tare_g: float | None = None
    price_cents: int | None = None
    low_g: float = 0.0

    def tidied(self) -> FilamentData:
        """Return the same with what is too much cut off, as it is kept."""
        return FilamentData(
            self.material_code,
            _one_line(self.vendor, 60),
            _one_line(self.colour_name, 40),
            self.colour_hex.strip().lower(),
            _one_line(self.name, 60),
            self.diameter_mm,
            self.density_g_cm3 or _usual_density(self.material_code),
            self.net_g,
            self.tare_g,
            self.price_cents,
            self.low_g,
        )


def _one_line(text: str, longest: int) -> str:
    return " ".join(text.split())[:longest].strip()


def _usual_density(material_code: str) -> float:
    known = filament_profiles().get(material_code)
    return known.density_g_cm3 if known is not None else USUAL_DENSITY


def check(session: Session, data: FilamentData) -> None:
    """Raise `Invalid` with the field that cannot be."""
    if session.get(Material, data.material_code) is None:
        raise Invalid(say("This material is not known here: add it first."), field="material_code")
    if not COLOUR.fullmatch(data.colour_hex):
        raise Invalid(say("A colour is written like #1e88e5."), field="colour_hex")
    if not data.colour_name:
        raise Invalid(say("Please give the colour a name."), field="colour_name")
    if not 1 <= data.net_g <= LARGEST_SPOOL_G:
        raise Invalid(say("A spool holds between 1 g and {most} g.", most=LARGEST_SPOOL_G), field="net_g")
    if not 1 <= data.diameter_mm <= 4:
        raise Invalid(say("A filament is between 1 mm and 4 mm thick, mostly 1.75 mm."), field="diameter_mm")
    if not 0.5 <= (data.density_g_cm3 or 0) <= 10:
        raise Invalid(say("A filament weighs between 0.5 and 10 g/cm³."), field="density_g_cm3")
    check_tare(data.tare_g, "tare_g")
    check_price(data.price_cents, "price")
    if not (math.isfinite(data.low_g) and data.low_g >= 0):
        raise Invalid(say("The amount from which on to buy is not negative."), field="low_g")


def check_tare(tare_g: float | None, field: str) -> None:
    """Raise `Invalid` for an empty reel that weighs what none does."""
    if tare_g is not None and not 0 <= tare_g <= HEAVIEST_REEL_G:
        raise Invalid(say("An empty reel weighs between 0 g and {most} g.", most=HEAVIEST_REEL_G), field=field)


def check_price(price_cents: int | None, field: str) -> None:
    """Raise `Invalid` for a price no reel has."""
    if price_cents is not None and not 0 <= price_cents <= DEAREST_CENTS:
        raise Invalid(say("A reel costs between nothing and 10,000 €."), field=field)


def same(session: Session, data: FilamentData) -> Filament | None:
    """Return the filament that these words name, if it is there already."""
    wanted = data.tidied()
    query = select(Filament).where(
        Filament.material_code == wanted.material_code,
        Filament.name == wanted.name,
        Filament.colour_name == wanted.colour_name,
        Filament.colour_hex == wanted.colour_hex,
    )
    found = session.scalars(query.order_by(Filament.id)).all()
    return next((each for each in found if each.vendor_name == wanted.vendor), None)


def add(session: Session, data: FilamentData) -> Filament:
    """Add a filament. Raises `Invalid` for what cannot be, `Conflict` when it is there already."""
    wanted = data.tidied()
    check(session, wanted)
    if same(session, wanted) is not None:
        raise Conflict(say("This filament is there already: add a spool of it."))
    made = Filament()
    _fill(session, made, wanted)
    session.add(made)
    session.flush()
    bus.tell(session, "board")
    return made


def find_or_add(session: Session, data: FilamentData) -> Filament:
    """Return the filament that these words name, added if it is not there yet."""
    return same(session, data) or add(session, data)


def change(session: Session, filament: Filament, data: FilamentData) -> None:
    """Change what is known of a filament; its spools and their past stay as they are."""
    wanted = data.tidied()
    check(session, wanted)
    other = same(session, wanted)
    if other is not None and other.id != filament.id:
        raise Conflict(say("Another filament has the same maker, material, name and colour."))
    _fill(session, filament, wanted)
    session.flush()
    bus.ask(session, "schedule")
    bus.tell(session, "board")


def _fill(session: Session, filament: Filament, data: FilamentData) -> None:
    assert data.density_g_cm3 is not None
    vendor = _vendor(session, data.vendor) if data.vendor else None
    filament.vendor, filament.vendor_id = vendor, vendor.id if vendor else None
    filament.material_code = data.material_code
    filament.material = session.get_one(Material, data.material_code)
    filament.name, filament.colour_name, filament.colour_hex = data.name, data.colour_name, data.colour_hex
    filament.diameter_mm, filament.density_g_cm3 = data.diameter_mm, data.density_g_cm3
    filament.net_g, filament.tare_g = data.net_g, data.tare_g
    filament.price_cents, filament.low_g = data.price_cents, data.low_g


def _vendor(session: Session, name: str) -> Vendor:
    found = session.scalar(select(Vendor).where(Vendor.name == name))
    if found is None:
        found = Vendor(name=name)
        session.add(found)
        session.flush()
    return found
