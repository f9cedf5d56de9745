"""From a measured file and choices to an estimate with a price. Pure: no database; the web and the CLI use it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from fablab.billing.pricing import Price, Tariff, price
from fablab.errors import Invalid
from fablab.slicing.choices import Choices
from fablab.slicing.estimate import estimate
from fablab.slicing.features import Features
from fablab.slicing.measure import MeshReport
from fablab.slicing.plates import copies_per_plate
from fablab.slicing.profiles import MachineProfile, settings
from fablab.words import say


@dataclass(frozen=True)
class Quote:
    """What a line will be: the machine's profile, the copies on each plate, mass, time and price of all of them.

    `trusted` is False when the mesh has faults that make the figures rough.
    """

    machine_profile: str
    plates: tuple[int, ...]
    mass_g: float
    time_s: float
    trusted: bool
    price: Price


def plates_for(quantity: int, per_plate: int) -> tuple[int, ...]:
    """Spread copies over plates: full ones first, then the rest."""
    full, rest = divmod(quantity, per_plate)
    return (per_plate,) * full + ((rest,) if rest else ())


def quote(
    report: MeshReport, features: Features, machine: MachineProfile, choices: Choices, quantity: int, tariff: Tariff
) -> Quote:
    """Return the quote for `quantity` copies on `machine`. Raises `Invalid` when the part does not fit on it."""
    per_plate = copies_per_plate(report.size_mm, machine)
    if per_plate < 1:
        raise Invalid(say("This part does not fit on {machine}.", machine=machine.label))
    plates = plates_for(quantity, per_plate)
    resolved = settings(machine.name, choices)
    mass_g = time_s = 0.0
    trusted = True
    for copies, times in Counter(plates).items():
        made = estimate(features, resolved, copies)
        mass_g += made.mass_g * times
        time_s += made.time_s * times
        trusted = trusted and made.trusted
    return Quote(machine.name, plates, mass_g, time_s, trusted, price(tariff, choices.material, mass_g, time_s))
