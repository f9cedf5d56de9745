"""How much material each kind of line takes: walls, skins, bridges, infill, supports, skirt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.bands import Bands
from fablab.slicing.features import Features
from fablab.slicing.plates import GAP_MM
from fablab.slicing.process import Process, spacing_mm

Floats = NDArray[np.float64]

VOLUMES = ("walls", "skins", "bridges", "infill", "joints", "supports", "interfaces")
"""The kinds of volume that calibration corrects."""
JOINTS, JOINTS_LESS_WHEN_DENSE = 0.37, 0.4
"""Infill lines are joined along the walls: so much of the rim of sparse infill is traced once more, and so much less
for each unit of infill share (the lines themselves end a little before the rim)."""
FIRST_SUPPORT_LAYER = 0.95
"""The first layer of supports is nearly full."""
SUPPORT_BASE_MM = 0.4
"""And broader by this much around."""
SUPPORT_EDGE_SHARE = 0.8
"""One more line along this share of the outline of supports."""
LEVEL_INTERFACES, SLOPE_INTERFACES, FLOOR_INTERFACES = 1.1, 1.3, 2.2


@dataclass(frozen=True)
class Supports:
    """Supports of one part: areas, outlines and mm of lines in a layer of each band (G,), and volumes in mm³.

    The lines of their body go across and around what they stand on: `band_mm2`, `band_outline_mm`.
    """

    band_mm2: Floats
    band_outline_mm: Floats
    across_mm: Floats
    around_mm: Floats
    interface_mm: Floats
    body_mm3: float
    interface_mm3: float


@dataclass(frozen=True)
class Deposits:
    """What one part takes, before calibration: `volume_mm3` by kind, and mm of lines (G,) in a layer, by kind."""

    volume_mm3: dict[str, float]
    line_mm: dict[str, Floats]
    supports: Supports


def deposits_of(features: Features, bands: Bands, process: Process) -> Deposits:
    """Return what one part takes with these settings."""
    heights = band_heights(bands, process)
    share = process.infill_share
    if share >= 1:
        solid, sparse, joints = bands.solid_mm2 + bands.sparse_mm2, np.zeros(len(heights)), np.zeros(len(heights))
    else:
        solid, sparse = bands.solid_mm2, bands.sparse_mm2
        joints = bands.sparse_rim_mm * max(0.0, JOINTS - JOINTS_LESS_WHEN_DENSE * share) * (share > 0)
    bridge = np.minimum(_bridged(bands, process), solid)
    top = np.minimum(bands.top_mm2, solid - bridge)
    line_mm = {
        "outer": bands.outer_mm,
        "inner": bands.inner_mm,
        "solid": (solid - bridge - top) / process.solid.spacing_mm,
        "top": top / process.top.spacing_mm,
        "bridge": bridge / process.bridge.spacing_mm,
        "infill": sparse * share / process.sparse.spacing_mm + joints,
    }
    supports = supports_of(features, bands, process)
    thick = process.bridge.section_mm2 / process.bridge.spacing_mm
    over_air = process.bridge.section_mm2 / process.outer.section_mm2 - 1
    volume_mm3 = {
        "walls": float((bands.wall_mm2 * heights).sum())
        + float((bands.overhang_mm2 * bands.layers).sum()) * process.layer_mm * over_air,
        "skins": float(((solid - bridge) * heights).sum()),
        "bridges": float((bridge * bands.layers).sum()) * thick,
        "infill": float((sparse * heights).sum()) * share,
        "joints": float((joints * heights).sum()) * process.sparse.spacing_mm,
        "supports": supports.body_mm3,
        "interfaces": supports.interface_mm3,
    }
    return Deposits(volume_mm3, line_mm, supports)


def band_heights(bands: Bands, process: Process) -> Floats:
    """Return the height of all layers of each band, (G,)."""
    heights = bands.layers * process.layer_mm
    heights[0] += process.first_layer_mm - process.layer_mm
    return np.asarray(heights, dtype=np.float64)


def _bridged(bands: Bands, process: Process) -> Floats:
    """Return mm² of bridges in a layer: none over full infill."""
    inner = bands.inner_bridge_mm2 / bands.layers if process.infill_share < 1 else 0.0
    return np.asarray(inner + bands.outer_bridge_mm2 / bands.layers)


def supports_of(features: Features, bands: Bands, process: Process) -> Supports:
    """Return the supports of one part, none when none are wanted."""
    area = features.support_mm2
    if not process.with_supports or not area.any():
        nothing = np.zeros(len(bands.layers))
        return Supports(nothing, nothing, nothing, nothing, nothing, 0.0, 0.0)
    layer = np.where(features.support_is_fine, process.layer_mm, process.support_tallest_mm)
    spacing = spacing_mm(process.support_width_mm, layer)
    density = spacing / (spacing + process.support_spacing_mm)
    heights, outline = np.diff(features.edges_mm), features.support_outline_mm
    level, floor, slope = _interfaces(features, process)
    volume = float((area * heights).sum())
    gaps = float(features.support_level_roof_mm2) * process.support_gap_mm
    body_share = max(0.0, 1 - (level + floor + slope + gaps) / max(volume, 1e-9))
    across, around = area * density * body_share, SUPPORT_EDGE_SHARE * outline * spacing * body_share
    first = float(area[0] * (FIRST_SUPPORT_LAYER - density[0]) + outline[0] * SUPPORT_BASE_MM)
    dense = process.support.spacing_mm / (process.support.spacing_mm + process.support_interface_spacing_mm)
    interface = (level + floor + slope) * dense
    section = (spacing * layer / process.layer_mm)[bands.slab]
    weight = float((area[bands.slab] * bands.layers).sum()) * process.support_interface.section_mm2
    return Supports(
        band_mm2=area[bands.slab],
        band_outline_mm=outline[bands.slab],
        across_mm=across[bands.slab] / section,
        around_mm=around[bands.slab] / section,
        interface_mm=area[bands.slab] * interface / max(weight, 1e-9),
        body_mm3=float(((across + around) * heights).sum()) + max(0.0, first) * process.first_layer_mm,
        interface_mm3=interface,
    )


def _interfaces(features: Features, process: Process) -> tuple[float, float, float]:
    """Return the room in mm³ of the interfaces under level roofs, over floors, and under slopes."""
    layers, tallest = process.support_interface_layers, process.support_tallest_mm
    level = LEVEL_INTERFACES * float(features.support_level_roof_mm2) * layers * tallest
    floor = FLOOR_INTERFACES * float(features.support_floor_mm2) * tallest
    slope = SLOPE_INTERFACES * float(features.support_slope_roof_mm3) * (layers > 0)
    return level, floor, slope


def skirt_mm(features: Features, process: Process, copies: int) -> float:
    """Return the length of the skirt around all copies, laid out in a square."""
    if process.skirt_loops == 0:
        return 0.0
    loop = _hull_of_copies(features, copies) + 2 * math.pi * process.skirt_distance_mm
    section = process.outer.section_mm2 / process.layer_mm * process.first_layer_mm
    length, loops = 0.0, 0
    while loops < process.skirt_loops or length * section < process.skirt_least_mm3:
        length += loop + loops * 2 * math.pi * process.outer.spacing_mm
        loops += 1
    return length


def _hull_of_copies(features: Features, copies: int) -> float:
    if copies == 1:
        return float(features.base_hull_mm)
    x, y = float(features.size_mm[0]) + GAP_MM, float(features.size_mm[1]) + GAP_MM
    columns = max(1, min(copies, round(math.sqrt(copies * y / x))))
    rows = math.ceil(copies / columns)
    return float(features.base_hull_mm) + 2 * ((columns - 1) * x + (rows - 1) * y)
