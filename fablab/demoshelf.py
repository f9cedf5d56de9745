"""The shelf of the demo place: several makers, a low spool, a donated one, a member's own, and a little past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab.accounts.models import Person
from fablab.filament import movements, products
from fablab.filament import services as filament
from fablab.filament.models import Owner, Spool
from fablab.filament.movements import Why
from fablab.filament.products import FilamentData
from fablab.filament.services import SpoolData
from fablab.words import N_

MATERIALS = (
    ("PLA", "PLA", N_("stiff and easy: decoration, prototypes, indoors")),
    ("PETG", "PETG", N_("tough, for outdoors and warm places")),
    ("TPU", "TPU", N_("flexible, like rubber")),
)

WHITE = FilamentData("PLA", "Francofil", N_("white"), "#f4f4f0", "PLA", tare_g=210, price_cents=2490, low_g=500)
ORANGE = FilamentData("PLA", "Francofil", N_("orange"), "#f2711c", "PLA", tare_g=210, price_cents=2490)
BLACK = FilamentData(
    "PETG", "Prusament", N_("black"), "#22252b", "PETG Jet Black", tare_g=193, price_cents=2999, low_g=300
)
BLUE = FilamentData("PLA", "Francofil", N_("blue"), "#2468c8", "PLA", tare_g=210, price_cents=2490, low_g=300)
GREEN = FilamentData(
    "PLA", "Arianeplast", N_("green"), "#2f9e57", "PLA Recyclé", net_g=750, tare_g=245, price_cents=1790, low_g=400
)
RED = FilamentData(
    "TPU", "Recreus", N_("red"), "#c62828", "Filaflex 82A", net_g=500, tare_g=150, price_cents=3490, low_g=500
)
GREY = FilamentData("PLA", "", N_("grey"), "#8d9299")
PINK = FilamentData("PLA", "Prusament", N_("pink"), "#d6669c", "PLA Ms. Pink", tare_g=193, price_cents=2999)


@dataclass(frozen=True)
class DemoSpool:
    """A reel on the demo shelf: of what, how much is on it, and what is said of it."""

    kind: FilamentData
    mass_g: float
    said: SpoolData = field(default_factory=SpoolData)
    whose: str | None = None


SPOOLS = (
    DemoSpool(WHITE, 1000, SpoolData("2026-091", 2490)),
    DemoSpool(ORANGE, 750, SpoolData("2026-064", 2490)),
    DemoSpool(BLACK, 1000, SpoolData("J4-2207", 2999)),
    DemoSpool(BLUE, 1000, SpoolData("2026-077", 2390)),
    DemoSpool(ORANGE, 320, SpoolData("2026-040", 2490)),
    DemoSpool(GREEN, 180, SpoolData("R-118", 1790, shelf="A2")),
    DemoSpool(RED, 500, SpoolData("", 3490, shelf="A3", comment=N_("Dry it before use"))),
    DemoSpool(GREY, 620, SpoolData(owner=Owner.DONATION, shelf="B1", comment=N_("From the town's library"))),
    DemoSpool(PINK, 840, SpoolData(owner=Owner.MEMBER, shelf="B2"), "emilie@demo.example"),
    DemoSpool(WHITE, 1000, SpoolData("2026-102", 2490, shelf="A1")),
)


def fill(session: Session, people: Mapping[str, Person]) -> None:
    """Put materials and spools into an empty place; `people` are found by their e-mail addresses."""
    for code, label, use in MATERIALS:
        filament.add_material(session, code, label, use)
    receiver = people["bob@demo.example"]
    for spool in SPOOLS:
        received(session, spool, people[spool.whose].id if spool.whose else None, receiver.id)
    _handled(session, receiver)


def received(session: Session, spool: DemoSpool, owner_id: int | None = None, by_id: int | None = None) -> Spool:
    """Receive a reel of the demo shelf."""
    kind = products.find_or_add(session, spool.kind)
    return filament.receive(session, kind, spool.mass_g, replace(spool.said, owner_id=owner_id), Why(by_id))


def _handled(session: Session, volunteer: Person) -> None:
    """Let a volunteer weigh a spool, throw a tangle away and finish one, so that there is a past to look at."""
    green, red = (session.scalars(select(Spool).where(Spool.shelf == shelf)).one() for shelf in ("A2", "A3"))
    movements.weigh(session, green, 403, Why(volunteer.id))
    movements.waste(session, red, 35, Why(volunteer.id, N_("Tangled at the beginning")))
    finished = received(session, DemoSpool(ORANGE, 12, SpoolData("2026-031", 2490)), None, volunteer.id)
    filament.empty(session, finished, volunteer.id)
