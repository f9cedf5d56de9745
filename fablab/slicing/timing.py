"""How long the layers of one part take: lengths of lines, their speeds, corners, ends and travels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.deposits import Supports, infill_mm
from fablab.slicing.features import Features
from fablab.slicing.motion import corner_speed, line_time, move_time
from fablab.slicing.process import Line, Process

Floats = NDArray[np.float64]

SMALL_LOOP_MM = 2 * math.pi * 6.5
"""Loops shorter than this are printed at the small perimeter speed (SMALL_PERIMETER_LENGTH)."""
SHORTEST_CHORD_MM = 0.4
INFILL_CHORD_SHARE = 0.8
"""Lines of grid infill are joined along the walls: what is left of a chord between two turns."""
SUPPORT_CHORD_MM = 8.0


@dataclass(frozen=True)
class LayerTimes:
    """Seconds per layer of each slab, (K,): by kind, at nominal speeds throughout, and at the slowest allowed.

    `first_layer_s` is what the first layer takes more than one like the layers above it.
    """

    by_kind: dict[str, Floats]
    unhurried: Floats
    slowest: Floats
    first_layer_s: float


def layer_times(features: Features, process: Process, areas: dict[str, Floats], supports: Supports) -> LayerTimes:
    """Return what layers take, before calibration. `areas` (K,) by kind, in mm² per layer."""
    loops = _loop_lengths(features, process, areas["walls"])
    inside = areas["skins"] + areas["bridges"] + areas["infill"]
    chord = np.maximum(SHORTEST_CHORD_MM, math.pi * inside / np.maximum(features.slab_perimeter_mm, 1e-6))
    lengths = {
        "outer": loops[0],
        "inner": loops[1],
        "skins": areas["skins"] / process.solid.spacing_mm,
        "bridges": areas["bridges"] / process.bridge.spacing_mm,
        "infill": infill_mm(features, process, areas),
        "supports": _support_lengths(features, process, supports),
    }
    by_kind = {
        "walls": _wall_times(features, process, lengths["outer"], lengths["inner"]),
        "skins": _line_times(lengths["skins"], chord, process.solid, process),
        "bridges": _line_times(lengths["bridges"], chord, process.bridge, process),
        "infill": _line_times(lengths["infill"], chord * INFILL_CHORD_SHARE, process.sparse, process),
        "supports": _line_times(lengths["supports"], np.full(len(chord), SUPPORT_CHORD_MM), process.support, process),
        "travel": _travel_times(features, process, lengths["supports"]),
        "layers": np.full(len(chord), process.layer_change_s),
    }
    speeds = {
        "outer": process.outer, "inner": process.inner, "skins": process.solid, "bridges": process.bridge,
        "infill": process.sparse, "supports": process.support,
    }  # fmt: skip
    moving = [length / speeds[kind].speed_mm_s for kind, length in lengths.items()]
    total = np.sum(list(lengths.values()), axis=0)
    return LayerTimes(
        by_kind=by_kind,
        unhurried=np.sum(moving, axis=0) + by_kind["travel"],
        slowest=total / process.slowest_mm_s + by_kind["travel"],
        first_layer_s=_first_layer(features, process, by_kind),
    )


def _loop_lengths(features: Features, process: Process, walls_mm2: Floats) -> tuple[Floats, Floats]:
    """Return the lengths of outer and inner wall lines in a layer of each slab."""
    if process.loops == 0:
        nothing = np.zeros_like(walls_mm2)
        return nothing, nothing
    total = walls_mm2 / (process.wall_mm / process.loops)
    outer = np.minimum(features.slab_perimeter_mm, total)
    return outer, total - outer


def _wall_times(features: Features, process: Process, outer_mm: Floats, inner_mm: Floats) -> Floats:
    """Return seconds (K,) of walls: each run of contour is accelerated and slowed at its corners."""
    slabs = len(outer_mm)
    small = features.run_loop_mm < SMALL_LOOP_MM
    measured = np.bincount(features.run_slab, weights=features.run_mm * features.run_weight, minlength=slabs)
    pace = []
    for line in (process.outer, process.inner):
        cruise = np.where(small, min(process.small.speed_mm_s, line.speed_mm_s), line.speed_mm_s)
        enter = corner_speed(features.run_start_turn, process.jerk_mm_s, cruise)
        leave = corner_speed(features.run_end_turn, process.jerk_mm_s, cruise)
        seconds = move_time(features.run_mm, cruise, enter, leave, line.acceleration_mm_s2) * features.run_weight
        per_mm = np.bincount(features.run_slab, weights=seconds, minlength=slabs) / np.maximum(measured, 1e-9)
        pace.append(np.where(measured > 0, per_mm, 1 / line.speed_mm_s))
    return np.asarray(outer_mm * pace[0] + inner_mm * pace[1])


def _line_times(length_mm: Floats, chord_mm: Floats, line: Line, process: Process) -> Floats:
    """Return seconds (K,) of so many mm of straight lines, `chord_mm` long on average, turned around at their ends."""
    one = line_time(chord_mm, line.speed_mm_s, process.jerk_mm_s / math.sqrt(2), line.acceleration_mm_s2)
    return np.asarray(length_mm / chord_mm * one)


def _support_lengths(features: Features, process: Process, supports: Supports) -> Floats:
    """Return mm of support lines in a layer of each slab: the volume, spread by the area at each height."""
    volume = supports.body_mm3 + supports.interface_mm3
    spread = supports.slab_mm2 * np.diff(features.slab_edges_mm)
    if volume <= 0 or spread.sum() <= 0:
        return np.zeros_like(spread)
    return np.asarray(supports.slab_mm2 * (volume / spread.sum()) / process.support.spacing_mm)


def _travel_times(features: Features, process: Process, support_mm: Floats) -> Floats:
    """Return seconds (K,) of moving between loops: a retraction and a way as long as the loops are apart."""
    loops = np.maximum(features.slab_loops, 1)
    apart = np.sqrt(np.maximum(features.slab_mm2, 1.0) / loops)
    way = move_time(apart, process.travel_mm_s, 1.0, 1.0, process.travel_mm_s2)
    more = (support_mm > 0) * np.maximum(1, float(features.support_islands))
    return np.asarray((loops + more) * (process.retraction_s + way))


def _first_layer(features: Features, process: Process, by_kind: dict[str, Floats]) -> float:
    """Return what the first layer takes more: all of it at the first layer's speed, and nothing sparse."""
    area = float(features.slab_mm2[0])
    alike = sum(float(by_kind[kind][0]) for kind in ("walls", "skins", "bridges", "infill"))
    return max(0.0, 1.1 * area / process.solid.spacing_mm / process.first_layer_mm_s - alike)
