"""Estimating and slicing a file from the command line, without database or service."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fablab.billing.pricing import DEFAULT_TARIFF, price
from fablab.billing.quoting import quote
from fablab.errors import Invalid
from fablab.slicing import calibrating
from fablab.slicing.calibration import own_file, profile_key, save, typical
from fablab.slicing.choices import Choices, Quality
from fablab.slicing.estimate import estimate_plate
from fablab.slicing.features import Features
from fablab.slicing.measure import FEATURES, PART, MeshReport, measure_into
from fablab.slicing.plates import fits, packed
from fablab.slicing.profiles import MachineProfile, machine_profile, machine_profiles
from fablab.slicing.profiles import settings as resolve
from fablab.slicing.slicer import require_slicer, slice_model
from fablab.words import say

ANY_MATERIAL = "PLA"
"""Calibrations are for a machine and a quality, whatever the material."""


@dataclass(frozen=True)
class Wish:
    """What the command line asks for."""

    machine: str | None
    material: str
    quality: str
    infill: int
    supports: bool
    quantity: int

    def choices(self) -> Choices:
        """Return the choices; raises `Invalid` for words that do not exist."""
        if self.quality not in set(Quality):
            known = ", ".join(Quality)
            raise Invalid(
                say("There is no quality “{quality}”; there are: {known}.", quality=self.quality, known=known)
            )
        if self.quantity < 1:
            raise Invalid(say("At least one copy must be asked for."))
        return Choices(self.material, Quality(self.quality), self.infill, self.supports)


@contextmanager
def _measured(file: Path) -> Iterator[tuple[MeshReport, Features, Path]]:
    """Measure a file; yield its report, its features and the STL to slice, which lives as long as the block."""
    if not file.is_file():
        raise Invalid(say("There is no file {file}.", file=str(file)))
    with tempfile.TemporaryDirectory() as folder:
        report = measure_into(Path(folder), file.absolute(), file.name).report
        part = Path(folder) / PART
        yield report, Features.load(Path(folder) / FEATURES), part if part.exists() else file.absolute()


def _machine(wish: Wish, report: MeshReport) -> MachineProfile:
    known = machine_profiles()
    if wish.machine is not None:
        if wish.machine not in known:
            names = ", ".join(sorted(known))
            raise Invalid(
                say("There is no kind of printer “{name}”; there are: {names}.", name=wish.machine, names=names)
            )
        return known[wish.machine]
    fitting = [
        known[name]
        for name in sorted(known, key=lambda name: (name != "mk3", name))
        if fits(report.size_mm, known[name])
    ]
    if not fitting:
        raise Invalid(say("This part is too big for every known printer."))
    return fitting[0]


def estimate(file: Path, wish: Wish) -> dict[str, Any]:
    """Return the figures of `fablab estimate`; lengths in mm, masses in g, times in s."""
    choices = wish.choices()
    with _measured(file) as (report, features, _):
        made = quote(report, features, _machine(wish, report), choices, wish.quantity, DEFAULT_TARIFF)
    warnings = [str(warning) for warning in report.warnings]
    return {
        "triangles": report.triangles,
        "watertight": report.watertight,
        "size_mm": [round(side, 3) for side in report.size_mm],
        "volume_mm3": round(report.volume_mm3, 3),
        "area_mm2": round(report.area_mm2, 3),
        "mass_g": round(made.mass_g, 3),
        "mass_range_g": [round(end, 3) for end in made.mass_range_g],
        "time_s": round(made.time_s, 1),
        "time_range_s": [round(end, 1) for end in made.time_range_s],
        "price_cents": made.price.total_cents,
        "machine": made.machine_profile,
        "plates": len(made.plates),
        "copies_per_plate": made.per_plate,
        "trusted": made.trusted,
        "warnings": warnings,
    }


def estimate_set(files: Sequence[Path], wish: Wish) -> dict[str, Any]:
    """Return what so many copies of each of several files take together: figures of each plate, and of all of them.

    Without a named machine the first one that every part fits on is taken.
    """
    choices = wish.choices()
    parts: list[tuple[Path, MeshReport, Features]] = []
    for file in files:
        with _measured(file) as (report, features, _):
            parts.append((file, report, features))
    machine = _machine_for_all(wish, [report for _, report, _ in parts])
    resolved = resolve(machine.name, choices)
    copies = [place for place in range(len(parts)) for _ in range(wish.quantity)]
    plates = []
    for plate in packed([parts[place][1].size_mm for place in copies], machine):
        on_it = Counter(copies[place] for place in plate)
        made = estimate_plate([(parts[place][2], count) for place, count in sorted(on_it.items())], resolved)
        names = {parts[place][0].name: count for place, count in sorted(on_it.items())}
        plates.append({"parts": names, "mass_g": round(made.mass_g, 3), "time_s": round(made.time_s, 1)})
    mass_g, time_s = (round(sum(plate[name] for plate in plates), 3) for name in ("mass_g", "time_s"))  # type: ignore[misc]
    return {
        "machine": machine.name,
        "plates": plates,
        "mass_g": mass_g,
        "time_s": time_s,
        "price_cents": price(DEFAULT_TARIFF, choices.material, mass_g, time_s).total_cents,
        "trusted": all(report.trusted for _, report, _ in parts),
    }


def _machine_for_all(wish: Wish, reports: Sequence[MeshReport]) -> MachineProfile:
    for report in reports:
        machine = _machine(wish, report)
        if all(fits(each.size_mm, machine) for each in reports):
            return machine
    raise Invalid(say("This part is too big for every known printer."))


def slice_file(file: Path, wish: Wish, output: Path | None) -> dict[str, Any]:
    """Return the figures of `fablab slice`, and write the G-code to `output` if it is given."""
    choices = wish.choices()
    slicer = require_slicer()
    with _measured(file) as (report, _, part), tempfile.TemporaryDirectory() as folder:
        resolved = resolve(_machine(wish, report).name, choices)
        target = (output or Path(folder) / "plate.gcode").absolute()
        made = slice_model(slicer, part, resolved, wish.quantity, target, size_mm=report.size_mm)
    return {
        "time_s": made.time_s,
        "mass_g": made.mass_g,
        "filament_mm": made.filament_mm,
        "filament_mm3": made.filament_mm3,
        "layers": made.layers,
    }


def calibrate(machine: str | None, quality: str | None, tell: Callable[[str], None]) -> Iterator[str]:
    """Calibrate the machines and qualities there are, or the ones named; yield a line for each that is done.

    The result goes into the data folder and is used from the next estimate on, also by a service that is running.
    Raises `Invalid` for names that do not exist.
    """
    slicer = require_slicer()
    machines = sorted(machine_profiles()) if machine is None else [machine_profile(machine).name]
    qualities = list(Quality) if quality is None else [Choices(ANY_MATERIAL, quality).quality]  # type: ignore[arg-type]
    for name in machines:
        for each in qualities:
            tell(f"{name} {each}: slicing the reference parts")
            made = calibrating.calibrate(slicer, name, each, typical())
            save({profile_key(resolve(name, Choices(ANY_MATERIAL, each))): made}, own_file())
            mass, time = (100 * made.error[kind] for kind in ("mass", "time"))
            yield f"{name} {each}: {made.slices} slices; parts left out: mass {mass:.1f} %, time {time:.1f} % off"
