"""Which parts of each layer become walls, skins, bridges and infill: the slicer's own rules, on grids of depths.

Neighbouring layers for which every rule gives the same answer are one *band*. PrusaSlicer 2.5 (PrintObject.cpp,
`detect_surfaces_type`, `process_external_surfaces`, `discover_vertical_shells`, `bridge_over_infill`): a layer is solid
where a layer within the reach of the shells has walls or air; surfaces that show in the infill are solid 3 mm further
around; the lowest solid layer over sparse infill is a bridge.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.depth import Bools, Depths, blocks, grown, opened, rims, share_deeper
from fablab.slicing.features import Features
from fablab.slicing.process import Shape

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SKIN_GROWTH_MM = 3.0
"""Skins that show are grown sideways by this much (EXTERNAL_INFILL_MARGIN)."""
NARROWEST_SKIN = 0.84
"""Solid rings narrower than this many lines are left to the infill (min_perimeter_infill_spacing, less the overlap)."""
SKIN_OVERLAP = 0.315
"""Solid areas inside reach so many lines into the infill (0.8 − 0.5 of min_perimeter_infill_spacing)."""
BRIDGE_OPENING = 3.0
"""Bridges narrower than twice so many lines are none."""
SMALLEST_BRIDGE_MM2 = 4.0
SINGLE_LINE, PAIR_OF_LINES = 0.75, 1.25
"""Half widths, in lines, up to which a rib is one line, or has no inner line (Arachne's transitions)."""
ABSORBED = 0.5
"""So many lines of room beyond the walls are filled by widening them, not by infill (Arachne)."""
THINNEST_LINE_MM = 0.16
"""Area per mm of contour of a rib thinner than a line: it is printed as wide as a line can be narrow."""
OVERHANG_REACH_MM = 0.2
"""Walls further than half a nozzle over air are printed as bridges."""
MOST_NORMALISED = 0.1


@dataclass(frozen=True)
class Bands:
    """Bands of layers, from the plate up, G of them; areas in mm² and lengths in mm are those of one layer.

    `top_mm2`, `inner_bridge_mm2`, `outer_bridge_mm2` are parts of `solid_mm2`; `overhang_mm2` is a part of `wall_mm2`.
    """

    layers: Integers  # (G,) how many
    slab: Integers  # (G,) of the features
    wall_mm2: Floats
    overhang_mm2: Floats
    outer_mm: Floats
    inner_mm: Floats
    solid_mm2: Floats
    top_mm2: Floats
    inner_bridge_mm2: Floats
    outer_bridge_mm2: Floats
    sparse_mm2: Floats
    solid_rim_mm: Floats
    sparse_rim_mm: Floats


@lru_cache(maxsize=24)
def bands_of(features: Features, shape: Shape) -> Bands:
    """Return the bands of a part printed with walls, skins and layers of this `shape`."""
    return _Sections(features, shape).bands()


def layer_middles(top_mm: float, shape: Shape) -> Floats:
    """Return the heights at which a part of this height is cut into layers, (N,)."""
    count = max(1, int(np.ceil((top_mm - shape.first_layer_mm) / shape.layer_mm + 0.5 - 1e-6)))
    middles = shape.first_layer_mm + (np.arange(count) - 0.5) * shape.layer_mm
    middles[0] = min(shape.first_layer_mm, top_mm) / 2
    return np.asarray(middles[middles < top_mm])


class _Sections:
    """The sections that layers are cut from: those slabs of the features that hold a layer, K of them."""

    def __init__(self, features: Features, shape: Shape) -> None:
        self.features, self.shape = features, shape
        self.cell = float(features.cell_mm)
        edges = features.edges_mm
        self.middles = layer_middles(float(edges[-1]), shape)
        slab = np.clip(np.searchsorted(edges, self.middles, side="right") - 1, 0, len(edges) - 2)
        self.used, self.of_layer = np.unique(slab, return_inverse=True)
        self.low, self.high = edges[self.used], edges[self.used + 1]
        self.moving = features.is_moving[self.used].astype(bool)
        below = np.cumsum(features.is_level)[self.used]
        self.level_above = np.diff(below) > 0
        self.depth = features.depth_mm[self.used]
        layer = np.arange(len(self.middles))
        self.lowest = np.maximum(layer - max(shape.bottom_layers - 1, 0), 0)
        self.highest = np.minimum(layer + max(shape.top_layers - 1, 0), len(layer) - 1)
        self._measure()
        self._find_exposed()
        self._lay_nodes()

    def bands(self) -> Bands:
        """Group the layers and work out the areas of each group."""
        first, count = self._grouped()
        section = self.of_layer[first]
        solid = self._solid(first, count)
        bridges = self._inner_bridges(first, solid)
        mm2 = (self.scale * self.cell**2)[section]
        begins = (first > 0) & np.r_[False, section[1:] != section[:-1]]
        ends = np.r_[section[1:] != section[:-1], True]
        top = np.where(ends, self.top_cells[section], 0.0)
        outer = np.where(begins, self.bottom_cells[section], 0.0)
        solid_rim, core_rim = rims(solid, self.cell), rims(self.core, self.cell)[section]
        sparse_rim = np.empty(len(first))
        for some in blocks(len(first), solid[0].size):
            sparse_rim[some] = rims(np.maximum(self.core[section[some]] - solid[some], 0), self.cell)
        by_grid = self.core.sum(axis=(1, 2), dtype=np.float64)[section] * mm2
        core_mm2 = by_grid + self.excess_mm2[section]
        of_core = core_mm2 / np.maximum(by_grid, 1e-9)
        border = np.maximum(solid_rim + sparse_rim - core_rim, 0) / 2
        overlap = SKIN_OVERLAP * self.shape.solid_spacing_mm * border
        solid_mm2 = np.minimum(solid.sum(axis=(1, 2), dtype=np.float64) * mm2 * of_core + overlap, core_mm2)
        sparse_mm2 = core_mm2 - solid_mm2
        solid_mm2[0] -= min(self.shape.elephant_foot_mm * core_rim[0], solid_mm2[0] / 2)
        return Bands(
            layers=count,
            slab=self.used[section],
            wall_mm2=self.wall_mm2[section],
            overhang_mm2=np.where(begins, self.overhang_cells[section], 0.0) * mm2,
            outer_mm=self.outer_mm[section],
            inner_mm=self.inner_mm[section],
            solid_mm2=solid_mm2,
            top_mm2=np.minimum(top * mm2, solid_mm2),
            inner_bridge_mm2=bridges * mm2,
            outer_bridge_mm2=outer * mm2,
            sparse_mm2=sparse_mm2,
            solid_rim_mm=solid_rim,
            sparse_rim_mm=np.where(sparse_mm2 > 1, sparse_rim, 0.0),
        )

    def _measure(self) -> None:
        """Measure walls and what is inside them in each section: `core` (K, ny, nx), areas and lengths (K,)."""
        count = len(self.depth)
        self.inside, self.core = np.empty_like(self.depth), np.empty_like(self.depth)
        self.scale, self.excess_mm2 = np.ones(count), np.zeros(count)
        self.wall_mm2, self.outer_mm, self.inner_mm = np.zeros(count), np.zeros(count), np.zeros(count)
        for some in blocks(count, self.depth[0].size):
            self._measure_some(some)

    def _measure_some(self, some: slice) -> None:
        shape, depth, cell = self.shape, self.depth[some], self.cell
        area, contour = self.features.slab_mm2[self.used[some]], self.features.slab_perimeter_mm[self.used[some]]
        inside = share_deeper(depth, 0.0, cell)
        by_grid = inside.sum(axis=(1, 2), dtype=np.float64) * cell**2
        scale = np.where(by_grid > 0, area / np.maximum(by_grid, 1e-9), 1.0)
        scale = np.where(np.abs(scale - 1) < MOST_NORMALISED, scale, 1.0)

        def total(share: Depths) -> Floats:
            return np.asarray(share.sum(axis=(1, 2), dtype=np.float64) * scale * cell**2)

        ridge = self._ridge(depth)
        walls_take_all = ridge < np.float32(shape.inner_edge_mm + ABSORBED * shape.inner_spacing_mm)
        within = share_deeper(depth, shape.inner_edge_mm, cell)
        core = share_deeper(depth, shape.fill_edge_mm, cell)
        if shape.loops:
            core[walls_take_all] = 0
        self.inside[some], self.core[some], self.scale[some] = inside, core, scale
        if shape.loops == 0:
            return
        absorbed = total(np.where(walls_take_all, within, 0))
        wall = total(share_deeper(depth, shape.first_edge_mm, cell) - within) + absorbed
        most = contour * shape.wall_mm2_per_mm * 1.01 + absorbed
        self.excess_mm2[some] = np.maximum(wall - most, 0.0)
        self.wall_mm2[some] = np.maximum(np.minimum(wall, most), THINNEST_LINE_MM * contour)
        thin_mm = total(self._single_lines(inside, ridge))
        self.outer_mm[some] = np.maximum(contour - thin_mm / 2, contour / 2)
        inner = total(self._second_lines(depth, within, ridge)) / shape.inner_spacing_mm
        self.inner_mm[some] = np.minimum(inner, contour * (shape.loops - 1))

    def _single_lines(self, inside: Depths, ridge: Depths) -> Depths:
        """Return what lies in ribs thinner than two lines, which have one, divided by half their width."""
        single = ridge < np.float32(self.shape.first_edge_mm + SINGLE_LINE * self.shape.outer_spacing_mm)
        return np.asarray(np.where(single, inside / np.maximum(ridge, np.float32(0.1)), 0))

    def _second_lines(self, depth: Depths, within: Depths, ridge: Depths) -> Depths:
        """Return what inner lines cover: ribs thinner than three lines have none."""
        pair = ridge < np.float32(self.shape.first_edge_mm + PAIR_OF_LINES * self.shape.inner_spacing_mm)
        second = share_deeper(depth, self.shape.first_edge_mm + self.shape.outer_spacing_mm, self.cell) - within
        return np.where(pair, np.float32(0), second)

    def _ridge(self, depth: Depths) -> Depths:
        """Return for each cell the greatest depth nearby: half the width of the rib it lies in."""
        shape = self.shape
        room = shape.inner_edge_mm + ABSORBED * shape.inner_spacing_mm - shape.fill_edge_mm
        line = shape.first_edge_mm + SINGLE_LINE * shape.outer_spacing_mm + self.cell / 2
        reach = max(1, int(np.ceil(max(room, line) / self.cell - 0.1)))
        ridge = depth
        for axis in (1, 2):
            here, wide = ridge, ridge.copy()
            for step in range(1, min(reach, here.shape[axis] - 1) + 1):
                after = (slice(None), slice(step, None)) if axis == 1 else (slice(None), slice(None), slice(step, None))
                before = (slice(None), slice(-step)) if axis == 1 else (slice(None), slice(None), slice(-step))
                np.maximum(wide[after], here[before], out=wide[after])
                np.maximum(wide[before], here[after], out=wide[before])
            ridge = wide
        return ridge

    def _find_exposed(self) -> None:
        """Find skins that show inside the walls, between each section and the next: `tops`, `bottoms` (K, ny, nx)."""
        fill, count = np.float32(self.shape.fill_edge_mm), len(self.depth)
        tops, bottoms = np.zeros(self.depth.shape, dtype=bool), np.zeros(self.depth.shape, dtype=bool)
        self.overhang_cells = np.zeros(count)
        filled = self.core > 0
        for below in range(count - 1):
            above = below + 1
            step = self.depth[below] - self.depth[above]
            if not step.any():
                continue
            step *= np.float32(self._step_share(below))
            tops[below] = filled[below] & (self.depth[below] > fill) & (self.depth[above] < 0) & (step > fill)
            bottoms[above] = filled[above] & (self.depth[above] > fill) & (self.depth[below] < 0) & (-step > fill)
            hanging = (self.depth[below] < -OVERHANG_REACH_MM) & (-step > 2 * OVERHANG_REACH_MM)
            self.overhang_cells[above] = np.where(hanging, self.inside[above] - self.core[above], 0).sum()
        self.tops, self.bottoms = self._grown(tops), self._grown(bottoms)
        self.has_tops: Bools = np.asarray(self.tops.any(axis=(1, 2)))
        self.has_bottoms: Bools = np.asarray(self.bottoms.any(axis=(1, 2)))
        self.top_cells = np.where(self.tops, self.core, 0).sum(axis=(1, 2), dtype=np.float64)
        self.top_cells[-1] = self.core[-1].sum()
        self.bottom_cells = np.where(self.bottoms, self.core, 0).sum(axis=(1, 2), dtype=np.float64)

    def _grown(self, masks: Bools) -> Bools:
        some = np.flatnonzero(masks.any(axis=(1, 2)))
        if len(some):
            masks[some] = grown(masks[some], SKIN_GROWTH_MM / self.cell)
        return masks

    def _step_share(self, below: int) -> float:
        """Return how much of the change from one section to the next happens from one layer to the next."""
        if self.level_above[below]:
            return 1.0
        low, high = self._node(below), self._node(below + 1, from_below=False)
        return min(1.0, self.shape.layer_mm / max(high - low, 1e-6))

    def _node(self, section: int, *, from_below: bool = True) -> float:
        """Return the height nearest to the next section at which this section holds exactly."""
        if self.moving[section]:
            return float(self.low[section] + self.high[section]) / 2
        return float(self.high[section] if from_below else self.low[section])

    def _lay_nodes(self) -> None:
        """Lay down at which heights depths are known; between two nodes they change evenly."""
        nodes, owners = [], []
        for section, moving in enumerate(self.moving):
            low, high = float(self.low[section]), float(self.high[section])
            nodes += [(low + high) / 2] if moving else [low, high]
            owners += [section] if moving else [section, section]
        self.nodes, self.owner = np.array(nodes), np.array(owners)

    def _depth_at(self, height: float, section: int) -> Depths:
        """Return the depths at a height that lies in a section."""
        after = int(np.searchsorted(self.nodes, height, side="right"))
        if after in (0, len(self.nodes)):
            return np.asarray(self.depth[self.owner[0 if after == 0 else -1]])
        below, above = self.owner[after - 1], self.owner[after]
        if below == above:
            return np.asarray(self.depth[below])
        if self.level_above[below:above].any():
            return np.asarray(self.depth[section])
        low, high = self.nodes[after - 1], self.nodes[after]
        share = np.float32((height - low) / max(high - low, 1e-6))
        return np.asarray(self.depth[below] + share * (self.depth[above] - self.depth[below]))

    def _grouped(self) -> tuple[Integers, Integers]:
        """Return the first layer of each band and how many layers it has."""
        lowest, highest, section = self.lowest, self.highest, self.of_layer
        self.last: Bools = np.r_[section[1:] != section[:-1], True]
        self.first: Bools = np.r_[True, section[1:] != section[:-1]]
        layer = np.arange(len(section))
        self.full = (layer < self.shape.bottom_layers) | (layer >= len(layer) - self.shape.top_layers)
        alike = [
            section, section[lowest], section[highest], self.last[highest], self.first[lowest], self.full, self.last,
            self.first, np.searchsorted(self.nodes, self.middles[lowest]),
            np.searchsorted(self.nodes, self.middles[highest]),
        ]  # fmt: skip
        table = np.stack(alike, axis=1)
        first = np.flatnonzero(np.r_[True, (table[1:] != table[:-1]).any(axis=1)])
        return first, np.diff(np.r_[first, len(section)])

    def _solid(self, first: Integers, count: Integers) -> Depths:
        """Return which share of each cell is solid in each band (G, ny, nx)."""
        solid = np.zeros((len(first), *self.depth.shape[1:]), dtype=np.float32)
        for band, (begin, layers) in enumerate(zip(first, count, strict=True)):
            section = self.of_layer[begin]
            if self.full[begin]:
                solid[band] = self.core[section]
                continue
            self._add_shell(solid[band], int(begin), int(begin + layers - 1))
            self._add_exposed(solid[band], int(begin))
        return solid

    def _add_shell(self, solid: Depths, begin: int, end: int) -> None:
        """Add where a layer within reach has its walls or air: what shells on slopes are made of."""
        lowest, highest = self.lowest, self.highest
        section = self.of_layer[begin]
        below, above = self.of_layer[lowest[begin]], self.of_layer[highest[begin]]
        if not self.moving[section] and below == section == above:
            return
        here = (self.middles[begin] + self.middles[end]) / 2
        down = (self.middles[lowest[begin]] + self.middles[lowest[end]]) / 2
        up = (self.middles[highest[begin]] + self.middles[highest[end]]) / 2
        least = np.minimum(self._depth_at(up, above), self._depth_at(down, below))
        between = self.owner[np.searchsorted(self.nodes, down) : np.searchsorted(self.nodes, up)]
        for other in set(between.tolist()) - {int(section)}:
            least = np.minimum(least, self.depth[other])
        shift = self._depth_at(here, section) - least
        is_ring = shift > np.float32(NARROWEST_SKIN * self.shape.solid_spacing_mm)
        if not is_ring.any():
            return
        open_still = share_deeper(self.depth[section] - shift, self.shape.inner_edge_mm, self.cell)
        ring = np.maximum(self.core[section] - open_still, 0)
        np.copyto(solid, ring, where=is_ring)

    def _add_exposed(self, solid: Depths, begin: int) -> None:
        """Add what lies under tops and over bottoms that show."""
        section, lowest, highest = int(self.of_layer[begin]), self.lowest[begin], self.highest[begin]
        up_to = self.of_layer[highest] + int(self.last[highest])
        down_to = self.of_layer[lowest] + int(not self.first[lowest])
        for layers, masks, there in (
            (self.shape.top_layers, self.tops[section:up_to], self.has_tops[section:up_to]),
            (self.shape.bottom_layers, self.bottoms[down_to : section + 1], self.has_bottoms[down_to : section + 1]),
        ):
            if layers and there.any():
                np.copyto(solid, self.core[section], where=masks[there].any(axis=0))

    def _inner_bridges(self, first: Integers, solid: Depths) -> Floats:
        """Return for each band, in cells, what its first layer bridges: solid over sparse, and wide enough."""
        found: dict[int, Depths] = {}
        for band in range(1, len(first)):
            begin, section = int(first[band]), self.of_layer[first[band]]
            if begin < self.shape.bottom_layers:
                continue
            bridge = solid[band]
            if not bridge.any():
                continue
            for layer in range(max(0, begin - self.shape.bridge_layers), begin):
                other = int(np.searchsorted(first, layer, side="right")) - 1
                bridge = np.minimum(bridge, self.core[self.of_layer[layer]] - solid[other])
            if self.last[begin] and self.has_tops[section]:
                bridge = np.where(self.tops[section], 0, bridge)
            if bridge.sum() * self.cell**2 > SMALLEST_BRIDGE_MM2:
                found[band] = bridge
        cells = np.zeros(len(first))
        if found:
            bridges = np.stack(list(found.values()))
            wide = opened(bridges > 0.5, BRIDGE_OPENING * self.shape.bridge_width_mm / self.cell)
            cells[list(found)] = np.where(wide, bridges, 0).sum(axis=(1, 2))
        return cells
