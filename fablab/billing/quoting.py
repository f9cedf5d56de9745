"""From a measured file and choices to an estimate with a price. Pure: no database; the web and the CLI use it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fablab.billing.pricing import Price, Tariff, price
from fablab.errors import Invalid
from fablab.slicing.choices import Choices
from fablab.slicing.estimate import estimate
from fablab.slicing.features import Features
from fablab.slicing.measure import MeshReport
from fablab.slicing.plates import copies_per_plate
from fablab.slicing.profiles import MachineProfile, settings
from fablab.words import say

Range = tuple[float, float]


@dataclass(frozen=True)
class PlateFigures:
    """What one plate of so many copies takes, and how many such plates there are. Ranges hold 90 % of the time."""

    copies: int
    plates: int
    mass_g: float
    time_s: float
    mass_range_g: Range
    time_range_s: Range


@dataclass(frozen=True)
class Quote:
    """What a line will be: the machine's profile, the copies on each plate, mass, time and price of all of them.

    `trusted` is False when the mesh has faults that make the figures rough; a quote that was `checked` has the figures
    of real slices, and ranges without width. Its price follows from the figures, by a tariff and for a material.
    """

    machine_profile: str
    per_plate: int
    plates: tuple[int, ...]
    by_plate: tuple[PlateFigures, ...]
    trusted: bool
    tariff: Tariff
    material: str
    checked: bool = False

    @property
    def price(self) -> Price:
        """What all copies cost. Raises `Invalid`, or `NoPrice` when only a person can say it."""
        copies = sum(each.copies * each.plates for each in self.by_plate)
        return price(self.tariff, self.material, self.mass_g, self.time_s, copies)

    @property
    def mass_g(self) -> float:
        """The mass of all plates together."""
        return sum(each.mass_g * each.plates for each in self.by_plate)

    @property
    def time_s(self) -> float:
        """The printing time of all plates together."""
        return sum(each.time_s * each.plates for each in self.by_plate)

    @property
    def mass_range_g(self) -> Range:
        """Where the mass lies: the plates err together, so their lows and their highs add up."""
        return _added((each.mass_range_g, each.plates) for each in self.by_plate)

    @property
    def time_range_s(self) -> Range:
        """Where the time lies, like `mass_range_g`."""
        return _added((each.time_range_s, each.plates) for each in self.by_plate)


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
    by_plate, trusted = [], True
    for copies, count in Counter(plates).items():
        made = estimate(features, resolved, copies)
        by_plate.append(PlateFigures(copies, count, made.mass_g, made.time_s, made.mass_range_g, made.time_range_s))
        trusted = trusted and made.trusted
    return Quote(machine.name, per_plate, plates, tuple(by_plate), trusted, tariff, choices.material)


def checked_quote(made: Quote, sliced: Mapping[int, tuple[float, float]]) -> Quote:
    """Return the quote with the figures of real slices: mass in g and time in s of a plate, by the copies on it."""
    by_plate = [_as_sliced(each, *sliced[each.copies]) for each in made.by_plate]
    return replace(made, by_plate=tuple(by_plate), trusted=True, checked=True)


def _as_sliced(estimated: PlateFigures, mass_g: float, time_s: float) -> PlateFigures:
    mass_range_g, time_range_s = (mass_g, mass_g), (time_s, time_s)
    return replace(estimated, mass_g=mass_g, time_s=time_s, mass_range_g=mass_range_g, time_range_s=time_range_s)


def _added(ranges: Iterable[tuple[Range, int]]) -> Range:
    low = high = 0.0
    for (least, most), times in ranges:
        low, high = low + least * times, high + most * times
    return (low, high)
