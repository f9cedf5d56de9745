"""Which parts of each section become walls, skins, bridges and infill, and how much support stands below."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.features import Features
from fablab.slicing.plates import GAP_MM
from fablab.slicing.process import Process

Floats = NDArray[np.float64]

INFILL_EDGE_SHARE = 0.22
"""Infill lines are joined along the walls: so much of the contour around sparse infill is traced once more. Fitted."""
SUPPORT_BODY_SHARE = 1.13
SUPPORT_EDGE_SHARE = 0.24
SUPPORT_BASE_MM = 1.44
SUPPORT_INTERFACE_SHARE = 0.92
"""Fitted to 100 parts sliced with supports: lines per area, one more line along this share of the outline, a broader
and denser first layer by this much along its outline, and how many of the interface layers are really full."""


@dataclass(frozen=True)
class Supports:
    """Supports of one part: mean area (K,) in each slab, and the volumes in mm³ of sparse body and dense interfaces."""

    slab_mm2: Floats
    body_mm3: float
    interface_mm3: float


def areas_by_kind(features: Features, process: Process) -> dict[str, Floats]:
    """Return mean areas (K,) in mm² per layer of each slab, by kind; "bridges" are also part of no other kind."""
    thickness = np.diff(features.slab_edges_mm)[features.point_slab]
    wall = np.clip((process.wall_mm - features.point_depth_mm) / 0.02 + 0.5, 0, 1)
    core = 1 - wall
    top, bottom = process.top_layers * process.layer_mm, process.bottom_layers * process.layer_mm
    above = np.minimum(features.point_above_mm, features.point_ceiling_mm)
    below = np.minimum(features.point_below_mm, features.point_floor_mm)
    skin_top, skin_bottom = _within(above, thickness, top), _within(below, thickness, bottom)
    slope = _on_slope(features, process, top, bottom)
    solid = np.maximum.reduce([skin_top, skin_bottom, slope])
    inner_bridge = np.clip(skin_top - _within(above, thickness, top - process.layer_mm) - skin_bottom, 0, 1)
    over_air = features.point_below_mm < features.slab_edges_mm[features.point_slab] + thickness / 2 - process.layer_mm
    outer_bridge = _within(below, thickness, process.layer_mm) * over_air
    if process.infill_share >= 1:
        solid, inner_bridge = np.ones_like(solid), np.zeros_like(solid)
    bridge = np.minimum(solid, np.maximum(inner_bridge * (slope < 1), outer_bridge))
    parts = {"walls": wall, "skins": core * (solid - bridge), "bridges": core * bridge, "infill": core * (1 - solid)}
    slabs = len(features.slab_mm2)
    return {
        kind: np.asarray(np.bincount(features.point_slab, share * features.point_mm2, slabs), dtype=np.float64)
        for kind, share in parts.items()
    }


def _within(distance: Floats, thickness: Floats, reach: float) -> Floats:
    """Return which share of a slab lies within `reach` of a surface `distance` from its middle."""
    return np.asarray(np.clip((reach - distance) / thickness + 0.5, 0, 1))


def _on_slope(features: Features, process: Process, top: float, bottom: float) -> Floats:
    """Return 1 where a layer within the reach of skins has its wall: on slopes the shell stays as thick as upright."""
    lean = features.point_lean
    shifted = features.point_depth_mm - np.where(lean > 0, lean * top, -lean * bottom)
    return np.asarray(shifted < process.wall_mm).astype(float)


def infill_mm(features: Features, process: Process, areas: dict[str, Floats]) -> Floats:
    """Return mm of sparse infill lines (K,) in a layer of each slab, with what joins them along the walls."""
    if process.infill_share <= 0:
        return np.zeros_like(areas["infill"])
    inside = areas["skins"] + areas["bridges"] + areas["infill"]
    joints = features.slab_perimeter_mm * areas["infill"] / np.maximum(inside, 1e-9) * INFILL_EDGE_SHARE
    return np.asarray(areas["infill"] * process.infill_share / process.sparse.spacing_mm + joints)


def supports_of(features: Features, process: Process) -> Supports:
    """Return the supports of one part, none when none are wanted."""
    slabs = len(features.slab_mm2)
    if not process.with_supports or not features.level_mm2.any():
        return Supports(np.zeros(slabs), 0.0, 0.0)
    line, layers = process.support, process.support_interface_layers
    density = line.spacing_mm / (line.spacing_mm + process.support_spacing_mm)
    dense = line.spacing_mm / (line.spacing_mm + process.support_interface_spacing_mm)
    heights = np.diff(features.level_edges_mm)
    volume, sides = float((features.level_mm2 * heights).sum()), float((features.level_outline_mm * heights).sum())
    faces = float(features.support_roof_mm2 + features.support_floor_mm2)
    interface = faces * layers * process.layer_mm * dense * SUPPORT_INTERFACE_SHARE
    base = float(features.level_outline_mm[0]) * SUPPORT_BASE_MM * process.first_layer_mm
    body = SUPPORT_BODY_SHARE * volume * density + SUPPORT_EDGE_SHARE * sides * line.spacing_mm + base
    return Supports(_level_areas(features), body, interface)


def _level_areas(features: Features) -> Floats:
    """Return the mean support area in each slab."""
    edges = features.level_edges_mm
    volume_below = np.r_[0.0, np.cumsum(features.level_mm2 * np.diff(edges))]
    at_edges = np.interp(features.slab_edges_mm, edges, volume_below)
    return np.asarray(np.diff(at_edges) / np.diff(features.slab_edges_mm))


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
