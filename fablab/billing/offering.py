"""What a person is offered for the parts of a draft: a quote for each, on the kind of printer that suits it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from fablab import files
from fablab.billing import baskets, by_hand, offers, queries, tariffs, urgency
from fablab.billing.baskets import OrderOffer
from fablab.billing.by_hand import Asked
from fablab.billing.models import TariffVersion
from fablab.billing.offers import Offer
from fablab.billing.pricing import NoPrice
from fablab.billing.quoting import Quote, quote
from fablab.errors import Invalid
from fablab.filament import queries as filament_queries
from fablab.filament.models import Material
from fablab.machines import queries as machine_queries
from fablab.machines.models import Service
from fablab.orders.models import EDITABLE, ModelFile, Order, OrderLine
from fablab.orders.services import Wanted
from fablab.slicing.features import Features, StaleFeatures
from fablab.slicing.measure import MeshReport, measure_safely
from fablab.slicing.plates import fits
from fablab.slicing.profiles import MachineProfile, machine_profiles
from fablab.words import say


def features_of(model: ModelFile) -> tuple[MeshReport, Features]:
    """Return what was measured on a kept file; figures that went missing are measured again."""
    path = files.beside(model.sha256, "npz")
    try:
        features = _load_features(str(path))
    except StaleFeatures:
        measure_safely(files.path_of(model.sha256), "part.stl", path)
        features = _load_features(str(path))
    return MeshReport.from_json(model.report), features


@lru_cache(maxsize=32)
def _load_features(path: str) -> Features:
    return Features.load(Path(path))


def quote_for(
    session: Session, model: ModelFile, wanted: Wanted, version: TariffVersion | None = None, for_id: int | None = None
) -> Quote:
    """Return the best quote for a file: on the kind of printer of which most have the filament on, then the cheapest.

    Raises `Invalid` in words when no printer of the place can make it or there is no price for it.
    """
    material = session.get(Material, wanted.choices.material)
    if material is None or not material.active:
        raise Invalid(say("This material is not available."), field="material")
    report, features = features_of(model)
    tariff = queries.as_tariff(version or queries.current_tariff(session))
    candidates = fitting_profiles(session, report)
    if not candidates:
        raise Invalid(say("This part is too big for every printer of the place."))
    loaded = _profiles_with(session, wanted, for_id)
    quotes = [quote(report, features, each, wanted.choices, wanted.quantity, tariff) for each in candidates]
    return min(quotes, key=lambda made: (-loaded[made.machine_profile], _cents(made), made.time_s))


def _cents(made: Quote) -> float:
    """Return what a quote costs, to compare; one whose price a person has to set comes last."""
    try:
        return made.price.total_cents
    except NoPrice:
        return math.inf


def fitting_profiles(session: Session, report: MeshReport) -> list[MachineProfile]:
    """Return the kinds of printers in service on which the part fits."""
    return [profile for profile in profiles_of_place(session) if fits(report.size_mm, profile)]


def profiles_of_place(session: Session) -> list[MachineProfile]:
    """Return the kinds of printers in service."""
    known = machine_profiles()
    return [known[name] for name in sorted(machine_queries.profiles_in_use(session)) if name in known]


def _profiles_with(session: Session, wanted: Wanted, for_id: int | None) -> Counter[str]:
    """Count, by profile, the machines in service that have the wanted filament on, and for this person."""
    loaded = filament_queries.loaded(session)
    return Counter(
        machine.profile
        for machine in machine_queries.all_in_use(session)
        if machine.service == Service.IN_SERVICE
        and (on_it := loaded.get(machine.id)) is not None
        and on_it.spool.material_code == wanted.choices.material
        and filament_queries.may_use(on_it.spool, for_id)
        and wanted.colour_name in (None, on_it.spool.colour_name)
    )


def offer_for(
    session: Session, order: Order, wanted: Wanted, version: TariffVersion | None = None, line: OrderLine | None = None
) -> Offer:
    """Return what is offered for these choices of one part of a draft, the first one unless `line` says which.

    Raises `Invalid` like `quote_for`.
    """
    line, version = line or order.line, version or tariffs.holding_for(session, order, order.company_id)
    made = quote_for(session, line.model_file, wanted, version, order.person_id)
    return offers.offered(session, line, wanted, made)


def order_offer(
    session: Session,
    order: Order,
    edited: Mapping[int, Wanted],
    version: TariffVersion | None = None,
    asked: Asked | None = None,
) -> OrderOffer:
    """Return what a draft's person is offered for all parts: with these choices, or what was chosen for a part before.

    `asked` is who pays and whether it is urgent, as chosen just now; None: as it was chosen before. Where a person of
    the place has set the price, that is the price, or there is none.

    Raises `Invalid`, naming the part when there are several, `NoPrice` when only a person can say the price, and
    `Conflict` when nothing can be urgent.
    """
    asked = asked or Asked.kept(order)
    version = version or tariffs.holding_for(session, order, order.company_id)
    parts = offered_parts(session, order, edited, version)
    tariff = urgency.tariff_for(version, urgent=asked.urgent)
    terms = by_hand.terms(order, {line.id: wanted for line, wanted, _ in parts}, asked)
    return baskets.whole(parts, by_hand.holding(session, order, terms) or baskets.computed(parts, tariff))


def offered_parts(
    session: Session, order: Order, edited: Mapping[int, Wanted], version: TariffVersion
) -> list[baskets.Offered]:
    """Return the offer for each part, whatever they cost. Raises `Invalid`, naming the part when there are several."""
    wanted = baskets.wishes(session, order, edited)
    parts = []
    for line in order.lines:
        with baskets.naming(line, len(order.lines)):
            parts.append((line, wanted[line.id], offer_for(session, order, wanted[line.id], version, line)))
    return parts


def ask_check(session: Session, order: Order, edited: Mapping[int, Wanted], now: datetime) -> None:
    """Let a draft's price be checked by slicing what would be printed, in the place of what it showed before."""
    held = select(Order.state).where(Order.id == order.id).with_for_update(key_share=True)
    if session.scalar(held) in EDITABLE:
        offer = order_offer(session, order, edited)
        parts = [(each.line, each.wanted, each.offer.estimate) for each in offer.parts]
        offers.ask(session, order.id, order.person_id, parts, now)
