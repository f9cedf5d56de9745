"""Spools that come from a Spoolman server, read through its REST API (`/api/v1/spool`): looked at first, then taken."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import requests
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.errors import Invalid, Problem
from fablab.filament import products, queries, services
from fablab.filament.colour_words import nearest
from fablab.filament.models import Filament, Material, Spool
from fablab.filament.movements import Why
from fablab.filament.products import FilamentData
from fablab.filament.services import SpoolData
from fablab.printers.addresses import check_address
from fablab.words import Sentence, say

CONNECT_S, READ_S, WHOLE_S = 3.05, 10.0, 20.0
LARGEST_ANSWER = 5_000_000
NATURAL = "#e8e2d0"


class _Vendor(BaseModel):
    name: str
    empty_spool_weight: float | None = None


class _Filament(BaseModel):
    id: int
    name: str | None = None
    vendor: _Vendor | None = None
    material: str | None = None
    price: float | None = None
    density: float
    diameter: float
    weight: float | None = None
    spool_weight: float | None = None
    color_hex: str | None = None
    multi_color_hexes: str | None = None


class _Spool(BaseModel):
    id: int
    filament: _Filament
    price: float | None = None
    remaining_weight: float | None = None
    spool_weight: float | None = None
    location: str | None = None
    lot_nr: str | None = None
    comment: str | None = None
    archived: bool = False


_ANSWER = TypeAdapter(list[_Spool])


@dataclass(frozen=True)
class Foreign:
    """A spool of a Spoolman, in our words; `mass_g` None: Spoolman does not know."""

    spoolman_id: int
    filament_spoolman_id: int
    material: str
    kind: FilamentData
    said: SpoolData
    mass_g: float | None


@dataclass(frozen=True)
class Seen:
    """What would become of a foreign spool: it is new, `there` already, or cannot be taken, with the reason."""

    foreign: Foreign
    there: Spool | None
    problem: Sentence | None

    @property
    def is_new(self) -> bool:
        """Whether it would be taken."""
        return self.there is None and self.problem is None


def fetch(address: str, allowed_networks: Sequence[str]) -> list[Foreign]:
    """Ask a Spoolman for its spools that are not archived. Raises `Invalid` in words, for the field `address`."""
    try:
        target = check_address(address, allowed_networks)
    except Problem as problem:
        raise Invalid(problem.sentence, field="address") from None
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update({"Host": target.host_header, "Accept": "application/json"})
        content = _get(session, f"{target.base_url}{target.prefix}/api/v1/spool")
    try:
        found = _ANSWER.validate_json(content)
    except ValidationError:
        raise _not_spoolman() from None
    return [_in_our_words(spool) for spool in found if not spool.archived]


def _get(session: requests.Session, url: str) -> bytes:
    end, content = time.monotonic() + WHOLE_S, b""
    try:
        with session.get(url, timeout=(CONNECT_S, READ_S), allow_redirects=False, stream=True) as answer:
            if answer.status_code != requests.codes.ok:
                raise _not_spoolman()
            for chunk in answer.iter_content(65_536):
                content += chunk
                if len(content) > LARGEST_ANSWER or time.monotonic() > end:
                    raise Invalid(say("Spoolman's answer is too long or takes too long."), field="address")
    except requests.RequestException:
        raise Invalid(say("Nothing answers at this address, or it stopped in the middle."), field="address") from None
    return content


def _not_spoolman() -> Invalid:
    return Invalid(say("What answers at this address is no Spoolman that we understand."), field="address")


def _in_our_words(spool: _Spool) -> Foreign:
    made = spool.filament
    shown = (made.color_hex or (made.multi_color_hexes or "").split(",")[0]).lstrip("#")[:6]
    colour_hex = f"#{shown.lower()}" if products.COLOUR.fullmatch(f"#{shown}") else NATURAL
    by_vendor = made.vendor.empty_spool_weight if made.vendor else None
    kind = FilamentData(
        material_code=made.material or "",
        vendor=made.vendor.name if made.vendor else "",
        colour_name=nearest(colour_hex),
        colour_hex=colour_hex,
        name=made.name or "",
        diameter_mm=made.diameter,
        density_g_cm3=made.density,
        net_g=made.weight or 1000.0,
        tare_g=made.spool_weight if made.spool_weight is not None else by_vendor,
        price_cents=_cents(made.price),
    )
    own_tare = spool.spool_weight if spool.spool_weight != kind.tare_g else None
    said = SpoolData(
        lot=spool.lot_nr or "",
        price_cents=_cents(spool.price),
        shelf=spool.location or "",
        comment=spool.comment or "",
        own_tare_g=own_tare,
    )
    return Foreign(spool.id, made.id, made.material or "", kind, said, spool.remaining_weight)


def _cents(price: float | None) -> int | None:
    return round(price * 100) if price is not None else None


def look(session: Session, found: Sequence[Foreign]) -> list[Seen]:
    """Say of each spool what would become of it; nothing is written."""
    ids = [each.spoolman_id for each in found]
    there = {each.spoolman_id: each for each in session.scalars(select(Spool).where(Spool.spoolman_id.in_(ids)))}
    return [Seen(each, there.get(each.spoolman_id), _problem(session, each)) for each in found]


def _problem(session: Session, foreign: Foreign) -> Sentence | None:
    if _material(session, foreign.material) is None:
        return say("The material “{material}” is not known here.", material=foreign.material or "–")
    if foreign.mass_g is None:
        return say("Spoolman does not know how much is left on it.")
    if foreign.mass_g < queries.FEWEST_G:
        return say("Nothing is left on it.")
    return None


def _material(session: Session, name: str) -> Material | None:
    wanted = name.strip().lower()
    known = queries.materials(session)
    return next((each for each in known if wanted in (each.code.lower(), each.label.lower())), None)


def take(session: Session, found: Sequence[Foreign], chosen: set[int], by_id: int) -> int:
    """Add the chosen spools that are new, and return how many: taken again they are there already.

    Raises `Invalid` with the number of the spool that cannot be: then nothing may be kept.
    """
    taken = 0
    for seen in look(session, found):
        if seen.is_new and seen.foreign.spoolman_id in chosen:
            try:
                _take(session, seen.foreign, by_id)
            except Invalid as problem:
                number = seen.foreign.spoolman_id
                raise Invalid(say("Spool {number}: {problem}", number=number, problem=problem.sentence)) from None
            taken += 1
    return taken


def _take(session: Session, foreign: Foreign, by_id: int) -> None:
    assert foreign.mass_g is not None
    filament = _filament(session, foreign)
    key = f"spoolman-{foreign.spoolman_id}"
    spool = services.receive(session, filament, foreign.mass_g, foreign.said, Why(by_id, "Spoolman", key))
    spool.spoolman_id = foreign.spoolman_id
    session.flush()


def _filament(session: Session, foreign: Foreign) -> Filament:
    """Return the filament of a foreign spool: one that came before, one of the same words, or a new one."""
    known = session.scalar(select(Filament).where(Filament.spoolman_id == foreign.filament_spoolman_id))
    if known is not None:
        return known
    material = _material(session, foreign.material)
    assert material is not None
    made = products.find_or_add(session, replace(foreign.kind, material_code=material.code))
    if made.spoolman_id is None:
        made.spoolman_id = foreign.filament_spoolman_id
        session.flush()
    return made
