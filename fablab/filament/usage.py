"""How much filament an attempt has taken off a spool. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from fablab.slicing.gcode import extruded_share


def extruded_mg(mass_g: float, curve: Sequence[float], progress: float | None, completed: bool) -> int:
    """Return the milligrams that were really extruded.

    `mass_g` is what the slicer says for the whole plate, `curve` the share of it that is out after each part of the
    file (see `fablab.slicing.gcode.extrusion_curve`), `progress` how much of the file the printer had read (0..1).
    A completed print took all of it; one whose progress nobody saw is taken as nothing, for a person to correct.
    """
    share = 1.0 if completed else extruded_share(curve, progress or 0.0)
    return round(mass_g * share * 1000)
