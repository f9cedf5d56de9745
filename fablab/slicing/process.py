"""The numbers of some settings that the estimate calculates with, by name and in units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.profiles import Settings

SHARPEST_MM_S = 0.1

Layer = TypeVar("Layer", float, NDArray[np.float64])


@dataclass(frozen=True)
class Line:
    """A kind of extruded line: its width, its cross-section, and how it is moved."""

    spacing_mm: float
    section_mm2: float
    speed_mm_s: float
    acceleration_mm_s2: float


@dataclass(frozen=True)
class Shape:
    """What decides which parts of a section become walls, skins and bridges: two settings with the same share them.

    `inner_edge_mm` is the depth of the inner edge of the walls, `fill_edge_mm` where infill begins (it overlaps them).
    `first_edge_mm` is the depth of the outer edge of the outermost line: lines are a little narrower than their width
    says, as their sides are round.
    """

    layer_mm: float
    first_layer_mm: float
    top_layers: int
    bottom_layers: int
    loops: int
    outer_spacing_mm: float
    inner_spacing_mm: float
    solid_spacing_mm: float
    first_edge_mm: float
    bridge_layers: int
    """Layers below a bridge that must be sparse: a thick bridge hangs down into them."""
    bridge_width_mm: float
    elephant_foot_mm: float

    @property
    def inner_edge_mm(self) -> float:
        """Depth of the inner edge of the walls."""
        if self.loops == 0:
            return 0.0
        return self.first_edge_mm + self.outer_spacing_mm + (self.loops - 1) * self.inner_spacing_mm

    @property
    def fill_edge_mm(self) -> float:
        """Depth where infill begins: 20 % of half a wall and half an infill line reach into the walls."""
        return max(0.0, self.inner_edge_mm - INFILL_OVERLAP * (self.inner_spacing_mm + self.solid_spacing_mm) / 2)

    @property
    def wall_mm2_per_mm(self) -> float:
        """Area of all wall lines per mm of contour."""
        return max(0.0, self.inner_edge_mm - self.first_edge_mm)


TALLEST_LAYER = 0.73
"""Layers of supports that hold no slope share the height between two contacts, each at most 0.75 of the nozzle."""
INFILL_OVERLAP = 0.2
"""`infill_overlap` in our print profiles."""


@dataclass(frozen=True)
class Process:
    """Settings as the estimate reads them."""

    shape: Shape

    layer_mm: float
    first_layer_mm: float
    infill_share: float
    outer: Line
    inner: Line
    small: Line
    sparse: Line
    solid: Line
    top: Line
    bridge: Line
    support: Line
    support_interface: Line
    support_width_mm: float
    support_gap_mm: float
    support_tallest_mm: float
    support_spacing_mm: float
    support_interface_spacing_mm: float
    support_interface_layers: int
    with_supports: bool
    first_layer_mm_s: float
    jerk_mm_s: float
    travel_mm_s: float
    travel_mm_s2: float
    retraction_s: float
    retract_from_mm: float
    layer_change_s: float
    slow_below_s: float
    slowest_mm_s: float
    skirt_loops: int
    skirt_distance_mm: float
    skirt_least_mm3: float
    density_g_mm3: float
    filament_mm2: float

    @property
    def skirt_mm2(self) -> float:
        """Cross-section of a line of the skirt: one of the outer wall, as thick as the first layer."""
        return self.outer.section_mm2 / self.layer_mm * self.first_layer_mm


@lru_cache(maxsize=512)
def process_of(settings: Settings) -> Process:
    """Return the numbers of `settings`."""
    layer = settings.number("layer_height")
    outer = _line(settings, "external_perimeter", "external_perimeter_speed", "perimeter_acceleration")
    inner = _line(settings, "perimeter", "perimeter_speed", "perimeter_acceleration")
    filament_mm2 = math.pi * settings.filament.diameter_mm**2 / 4
    return Process(
        shape=_shape(settings, outer.spacing_mm, inner.spacing_mm),
        layer_mm=layer,
        first_layer_mm=settings.number("first_layer_height"),
        infill_share=settings.choices.infill_percent / 100,
        outer=outer,
        inner=inner,
        small=_line(settings, "external_perimeter", "small_perimeter_speed", "perimeter_acceleration"),
        sparse=_line(settings, "infill", "infill_speed", "infill_acceleration"),
        solid=_line(settings, "solid_infill", "solid_infill_speed", "infill_acceleration"),
        top=_line(settings, "top_infill", "top_solid_infill_speed", "infill_acceleration"),
        bridge=_bridge(settings),
        support=_line(settings, "support_material", "support_material_speed", "default_acceleration"),
        support_interface=_line(
            settings, "support_material", "support_material_interface_speed", "default_acceleration"
        ),
        support_width_mm=settings.number("support_material_extrusion_width"),
        support_gap_mm=settings.number("support_material_contact_distance"),
        support_tallest_mm=TALLEST_LAYER * settings.machine.nozzle_mm,
        support_spacing_mm=settings.number("support_material_spacing"),
        support_interface_spacing_mm=settings.number("support_material_interface_spacing"),
        support_interface_layers=int(settings.number("support_material_interface_layers")),
        with_supports=settings.choices.supports,
        first_layer_mm_s=settings.number("first_layer_speed"),
        jerk_mm_s=settings.number("machine_max_jerk_x"),
        travel_mm_s=settings.number("travel_speed"),
        travel_mm_s2=settings.number("machine_max_acceleration_travel"),
        retraction_s=_retraction(settings),
        retract_from_mm=settings.number("retract_before_travel"),
        layer_change_s=_z_move(settings, layer),
        slow_below_s=settings.number("slowdown_below_layer_time") if settings.switched_on("cooling") else 0.0,
        slowest_mm_s=max(SHARPEST_MM_S, settings.number("min_print_speed")),
        skirt_loops=int(settings.number("skirts")),
        skirt_distance_mm=settings.number("skirt_distance"),
        skirt_least_mm3=settings.number("min_skirt_length") * filament_mm2,
        density_g_mm3=settings.filament.density_g_cm3 / 1000,
        filament_mm2=filament_mm2,
    )


def _shape(settings: Settings, outer_mm: float, inner_mm: float) -> Shape:
    layer, nozzle = settings.number("layer_height"), settings.machine.nozzle_mm
    return Shape(
        layer_mm=layer,
        first_layer_mm=settings.number("first_layer_height"),
        top_layers=int(settings.number("top_solid_layers")),
        bottom_layers=int(settings.number("bottom_solid_layers")),
        loops=int(settings.number("perimeters")),
        outer_spacing_mm=outer_mm,
        inner_spacing_mm=inner_mm,
        solid_spacing_mm=spacing_mm(settings.number("solid_infill_extrusion_width"), layer),
        first_edge_mm=(settings.number("external_perimeter_extrusion_width") - outer_mm) / 2,
        bridge_layers=max(1, math.floor(nozzle / layer + 1e-6)),
        bridge_width_mm=nozzle,
        elephant_foot_mm=settings.number("elefant_foot_compensation"),
    )


def spacing_mm(width_mm: float, layer_mm: Layer) -> Layer:
    """Return the distance of neighbouring lines: rectangles with half-circles at their sides (Slic3r's Flow)."""
    return width_mm - layer_mm * (1 - math.pi / 4)


def _line(settings: Settings, width_of: str, speed_key: str, acceleration_key: str) -> Line:
    layer = settings.number("layer_height")
    spacing = spacing_mm(settings.number(f"{width_of}_extrusion_width"), layer)
    section = spacing * layer
    base = settings.number("support_material_speed") if "interface" in speed_key else settings.number("perimeter_speed")
    speed = min(settings.speed(speed_key, base), _flow_limit(settings) / section)
    acceleration = min(settings.number(acceleration_key), settings.number("machine_max_acceleration_extruding"))
    return Line(spacing, section, speed, acceleration)


def _bridge(settings: Settings) -> Line:
    """Return the line of thick bridges: a thread as thick as the nozzle, 0.05 mm apart (BRIDGE_EXTRA_SPACING)."""
    nozzle = settings.machine.nozzle_mm
    section = math.pi * nozzle**2 / 4 * settings.number("bridge_flow_ratio")
    speed = min(settings.number("bridge_speed"), _flow_limit(settings) / section)
    return Line(nozzle + 0.05, section, speed, settings.number("bridge_acceleration"))


def _flow_limit(settings: Settings) -> float:
    limit = settings.number("filament_max_volumetric_speed")
    return limit if limit > 0 else math.inf


def _retraction(settings: Settings) -> float:
    """Return the time to pull back, lift, lower and push again."""
    speed = settings.number("retract_speed")
    pull = settings.number("retract_length") / speed + speed / settings.number("machine_max_acceleration_retracting")
    lift = settings.number("retract_lift")
    return 2 * pull + (2 * _z_move(settings, lift) if lift else 0.0)


def _z_move(settings: Settings, distance_mm: float) -> float:
    fastest, acceleration = settings.number("machine_max_feedrate_z"), settings.number("machine_max_acceleration_z")
    peak = min(fastest, math.sqrt(distance_mm * acceleration))
    return distance_mm / peak + peak / acceleration
