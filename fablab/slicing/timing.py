"""How long the layers of a part take: lengths of lines, their speeds, what corners and ends cost, travels, cooling."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.bands import Bands
from fablab.slicing.deposits import Deposits
from fablab.slicing.features import Features
from fablab.slicing.motion import corner_speed, line_time, move_time
from fablab.slicing.plates import GAP_MM
from fablab.slicing.process import Line, Process

Floats = NDArray[np.float64]

LINES = ("outer", "inner", "solid", "top", "bridge", "infill", "supports", "interfaces")
"""Kinds of lines. What corners and ends cost on each is corrected by calibration, at these names."""
TRAVELS = ("loops", "nests", "fills", "far fills", "skins", "far skins", "props", "regions", "layers")
"""Kinds of moves between lines, corrected by calibration."""
NOT_SLOWED = LINES.index("bridge")

SMALL_LOOP_MM = 2 * math.pi * 6.5
"""Loops shorter than this are printed at the small perimeter speed (SMALL_PERIMETER_LENGTH)."""
SHORTEST_CHORD_MM = 0.3
NEST_MM, NEAR_FILL_MM, FAR_FILL_MM, NEAR_SKIN_MM, FAR_SKIN_MM, LAYER_MM = 0.4, 2.0, 8.0, 1.5, 5.0, 15.0
"""How long moves of each kind are: from wall to wall, to the next line of infill or skin, to the next layer's start."""
LOSS_POWER = 1.6
"""What stops cost grows with this power of the speed: between 1 (short lines) and 2 (long ones)."""
SEEN_TRAVEL = 0.55
"""Share of the time of travels that the slicer's cooling counts: it ignores acceleration."""
FIRST_LAYER = 1.04
UNLINKED_SUPPORTS = 0.06
"""Share of the lines of supports that are reached by a move, besides one move to each piece of them."""
SUPPORT_SIDE_MM = 3.0
"""How far lines around supports go between two corners, at least."""


@dataclass(frozen=True)
class LayerWork:
    """What a layer of each band takes before calibration: mm of lines and seconds lost on them (G, 8), travels (G, 9).

    `speed_mm_s` (8,) are the speeds wanted; `first_mm` is the length of lines of the first layer; `hop_s` is a move to
    the next copy.
    """

    layers: NDArray[np.int64]
    line_mm: Floats
    loss_s: Floats
    travel_s: Floats
    speed_mm_s: Floats
    first_mm: float
    hop_s: float


def work_of(features: Features, bands: Bands, deposits: Deposits, process: Process) -> LayerWork:
    """Return what the layers of one part take."""
    supports = deposits.supports
    across, around = supports.across_mm, supports.around_mm
    lengths = {**deposits.line_mm, "supports": across + around, "interfaces": supports.interface_mm}
    lines = _lines(process)
    solid_chord = _chord(bands.solid_mm2, bands.solid_rim_mm)
    sparse_chord = _chord(bands.sparse_mm2, bands.sparse_rim_mm)
    support_chord = _chord(supports.band_mm2, supports.band_outline_mm)
    losses = {
        "outer": lengths["outer"] * _wall_loss(features, process, process.outer)[bands.slab],
        "inner": lengths["inner"] * _wall_loss(features, process, process.inner)[bands.slab],
        "solid": _line_loss(lengths["solid"], solid_chord, process.solid, process, process.solid.spacing_mm),
        "top": _line_loss(lengths["top"], solid_chord, process.top, process, process.top.spacing_mm),
        "bridge": _line_loss(lengths["bridge"], solid_chord, process.bridge, process),
        "infill": _line_loss(lengths["infill"], sparse_chord, process.sparse, process),
        "supports": _line_loss(across, support_chord, process.support, process, process.support_spacing_mm)
        + _line_loss(around, np.maximum(support_chord, SUPPORT_SIDE_MM), process.support, process),
        "interfaces": _line_loss(
            lengths["interfaces"], support_chord, process.support_interface, process, process.support.spacing_mm
        ),
    }
    walls = float(lengths["outer"][0] + lengths["inner"][0])
    solid = float(bands.solid_mm2[0] + bands.sparse_mm2[0]) / process.solid.spacing_mm
    return LayerWork(
        layers=bands.layers,
        line_mm=np.stack([lengths[kind] for kind in LINES], axis=1),
        loss_s=np.stack([np.maximum(losses[kind], 0) for kind in LINES], axis=1),
        travel_s=_travels(features, bands, deposits, (solid_chord, sparse_chord, support_chord), process),
        speed_mm_s=np.array([lines[kind].speed_mm_s for kind in LINES]),
        first_mm=walls + solid + float(lengths["supports"][0]),
        hop_s=float(_travel(np.array(float(features.size_mm[:2].mean()) + GAP_MM), process)),
    )


def joined(works: Sequence[tuple[LayerWork, int]]) -> LayerWork:
    """Return the work of a plate with several parts, each so many times, layer by layer."""
    most = max(int(work.layers.sum()) for work, _ in works)
    line_mm, loss_s = np.zeros((most, len(LINES))), np.zeros((most, len(LINES)))
    travel_s, hops_s, longest_s = np.zeros((most, len(TRAVELS))), np.zeros(most), np.zeros(most)
    for work, copies in works:
        band = np.repeat(np.arange(len(work.layers)), work.layers)
        count = len(band)
        line_mm[:count] += work.line_mm[band] * copies
        loss_s[:count] += work.loss_s[band] * copies
        travel_s[:count, :-1] += work.travel_s[band, :-1] * copies
        travel_s[:count, -1] = np.maximum(travel_s[:count, -1], work.travel_s[band, -1])
        hops_s[:count] += work.hop_s * copies
        longest_s[:count] = np.maximum(longest_s[:count], work.hop_s)
    travel_s[:, -1] += hops_s - longest_s  # one less than there are parts in the layer
    first_mm = sum(work.first_mm * copies for work, copies in works)
    return LayerWork(np.ones(most, dtype=np.int64), line_mm, loss_s, travel_s, works[0][0].speed_mm_s, first_mm, 0.0)


def plate_seconds(work: LayerWork, process: Process, factors: Mapping[str, float], copies: int) -> dict[str, Floats]:
    """Return seconds (G,) by kind that all layers of each band take on a plate with so many copies.

    "cooling" is what lines take longer because the layer would else be too quick to cool.
    """
    travel_factors = np.array([factors[kind] for kind in TRAVELS])
    travel_factors[:-1] *= copies  # layers are changed once for all copies
    travel = work.travel_s @ travel_factors + work.hop_s * (copies - 1) * factors["layers"]
    line_mm = work.line_mm * copies
    loss = work.loss_s * np.array([factors[kind] for kind in LINES]) * copies
    speed = np.broadcast_to(work.speed_mm_s, line_mm.shape)
    quick = line_mm / speed + loss
    slowed = _slowed(line_mm, work.speed_mm_s, process, travel * SEEN_TRAVEL)
    taken = line_mm / slowed + loss * (slowed / speed) ** LOSS_POWER
    seconds = {kind: quick[:, place].copy() for place, kind in enumerate(LINES)}
    seconds["travel"] = travel
    seconds["cooling"] = (taken - quick).sum(axis=1)
    total = {kind: each * work.layers for kind, each in seconds.items()}
    _replace_first_layer(total, seconds, work, process, copies)
    return total


def _replace_first_layer(
    total: dict[str, Floats], layer: dict[str, Floats], work: LayerWork, process: Process, copies: int
) -> None:
    """Let the first layer be all at its own speed; the difference counts as skins."""
    moving = work.first_mm * copies
    first = moving / process.first_layer_mm_s * FIRST_LAYER + float(layer["travel"][0])
    slowest = moving / process.slowest_mm_s + float(layer["travel"][0])
    first = max(first, min(process.slow_below_s, slowest))
    total["solid"][0] += first - sum(float(each[0]) for each in layer.values())


def _slowed(line_mm: Floats, speed: Floats, process: Process, other_s: Floats) -> Floats:
    """Return the speeds (G, 8) after the slicer's cooling: it slows the fastest lines first, all to one speed at last.

    Found by halving: the time of a layer falls with the speed that no line may exceed.
    """
    free = np.arange(len(speed)) != NOT_SLOWED
    slowable = line_mm * free
    fixed_s = other_s + (line_mm * ~free / speed).sum(axis=1)
    high = np.full(len(line_mm), float(speed.max()))
    quick = (slowable / speed).sum(axis=1) + fixed_s < process.slow_below_s
    if not quick.any():
        return np.broadcast_to(speed, line_mm.shape)
    some, fixed = slowable[quick], fixed_s[quick]
    low, most = np.full(len(some), process.slowest_mm_s), high[quick]
    for _ in range(16):
        middle = (low + most) / 2
        slow = (some / np.minimum(speed, middle[:, None])).sum(axis=1) + fixed > process.slow_below_s
        low, most = np.where(slow, middle, low), np.where(slow, most, middle)
    high[quick] = low
    return np.where(free, np.minimum(speed, high[:, None]), speed)


def _lines(process: Process) -> dict[str, Line]:
    return {
        "outer": process.outer, "inner": process.inner, "solid": process.solid, "top": process.top,
        "bridge": process.bridge, "infill": process.sparse, "supports": process.support,
        "interfaces": process.support_interface,
    }  # fmt: skip


def _chord(area: Floats, rim: Floats) -> Floats:
    """Return the mean length of lines across regions of an area and an outline: π A / P (Cauchy)."""
    return np.asarray(np.maximum(SHORTEST_CHORD_MM, math.pi * area / np.maximum(rim, 1e-6)))


def _wall_loss(features: Features, process: Process, line: Line) -> Floats:
    """Return seconds (K,) lost per mm of wall: each run of contour is slowed at its corners."""
    slabs = len(features.slab_mm2)
    small = features.run_loop_mm < SMALL_LOOP_MM
    cruise = np.where(small, min(process.small.speed_mm_s, line.speed_mm_s), line.speed_mm_s)
    enter = corner_speed(features.run_start_turn, process.jerk_mm_s, cruise)
    leave = corner_speed(features.run_end_turn, process.jerk_mm_s, cruise)
    seconds = move_time(features.run_mm, cruise, enter, leave, line.acceleration_mm_s2)
    taken = np.bincount(features.run_slab, weights=seconds, minlength=slabs)
    length = np.bincount(features.run_slab, weights=features.run_mm, minlength=slabs)
    traced = np.flatnonzero(length > 0)
    if not len(traced):
        return np.zeros(slabs)
    nearest = traced[np.clip(np.searchsorted(traced, np.arange(slabs), side="right") - 1, 0, len(traced) - 1)]
    return np.asarray((taken / np.maximum(length, 1e-9))[nearest] - 1 / line.speed_mm_s)


def _line_loss(length_mm: Floats, chord_mm: Floats, line: Line, process: Process, link_mm: float = 0.0) -> Floats:
    """Return seconds (G,) lost on so many mm of lines, turned around at their ends over links of `link_mm`."""
    end = process.jerk_mm_s / math.sqrt(2)
    one = line_time(chord_mm, line.speed_mm_s, end, line.acceleration_mm_s2) - chord_mm / line.speed_mm_s
    if link_mm:
        slow = min(end, line.speed_mm_s)
        link = move_time(np.array(link_mm), line.speed_mm_s, slow, slow, line.acceleration_mm_s2)
        one = one + link - link_mm / line.speed_mm_s
    return np.asarray(length_mm / chord_mm * one)


def _travels(
    features: Features,
    bands: Bands,
    deposits: Deposits,
    chords: tuple[Floats, Floats, Floats],
    process: Process,
) -> Floats:
    """Return seconds (G, 9) of each kind of travel in a layer: how many there are, times how long one takes.

    `chords` (G,) are the mean lengths of lines of skins, of infill and of supports.
    """
    solid, sparse, support = chords
    lengths, supports = deposits.line_mm, deposits.supports
    loops = np.maximum(features.slab_loops[bands.slab], 1).astype(np.float64)
    area = np.maximum(bands.wall_mm2 + bands.solid_mm2 + bands.sparse_mm2, 0.1)
    contour = np.maximum(features.slab_perimeter_mm[bands.slab], 1e-6)
    apart = np.minimum(np.sqrt(area / loops), 3 * area / contour)
    fills = lengths["infill"] / np.maximum(sparse, 0.5)
    skins = (lengths["solid"] + lengths["top"] + lengths["bridge"]) / np.maximum(solid, 0.4)
    held = (supports.across_mm + supports.interface_mm) / np.maximum(support, 0.5)
    props = features.support_islands[bands.slab] * (held > 0) + UNLINKED_SUPPORTS * held
    across = np.sqrt(np.maximum(bands.sparse_mm2, 0.1))
    kinds = {
        "loops": loops * _travel(apart, process),
        "nests": loops * _travel(np.array(NEST_MM), process, retract=False),
        "fills": fills * _travel(np.array(NEAR_FILL_MM), process),
        "far fills": fills * _travel(np.array(FAR_FILL_MM), process),
        "skins": skins * _travel(np.array(NEAR_SKIN_MM), process),
        "far skins": skins * _travel(np.array(FAR_SKIN_MM), process),
        "props": props * _travel(np.array(FAR_FILL_MM), process),
        "regions": (bands.sparse_mm2 > 1) * _travel(across, process),
        "layers": np.full(len(loops), float(_travel(np.array(LAYER_MM), process)) + process.layer_change_s),
    }
    return np.stack([kinds[kind] for kind in TRAVELS], axis=1)


def _travel(way_mm: Floats, process: Process, *, retract: bool = True) -> Floats:
    """Return the seconds of moves of about this length, retracting on those long enough."""
    seconds = move_time(way_mm, process.travel_mm_s, 1.0, 1.0, process.travel_mm_s2)
    if retract:
        seconds = seconds + process.retraction_s * np.exp(-process.retract_from_mm / np.maximum(way_mm, 0.05))
    return np.asarray(seconds)
