"""Take a part apart into `Features`: slabs, sections, points inside, runs of contour, room for supports.

Everything is measured without regard to layer height, walls or material, in one pass over the triangles, with a fixed
random seed: the same file gives the same figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from fablab.slicing.columns import Solid, cast
from fablab.slicing.contours import Runs, depths, trace
from fablab.slicing.features import OVERHANG_DEG, Features
from fablab.slicing.sections import Cuts, Floats, Integers, count_cuts, cut

SLABS = 56
FINE_PLANES = 320
MOST_CUTS = 2_500_000
CELLS = 24_000
POINTS = 14_000
FEWEST_POINTS = 60
LEVELS = 36
MOST_RUNS = 4000
SEED = 20

LEVEL_TILT = 0.98
"""|z| of the unit normal of a nearly level face, up to 11°: there PrusaSlicer sees an exposed skin."""
LEVEL_MARGIN_MM = 0.9
"""A level face must reach further than the walls to show a skin inside them."""
SKIN_GROWTH_MM = 3.0
"""PrusaSlicer grows exposed skins sideways by this much (EXTERNAL_INFILL_MARGIN)."""
SUPPORT_GROWTH_MM = 3.0
"""PrusaSlicer grows supports sideways by this much (SUPPORT_MATERIAL_MARGIN) and snaps them to a grid."""
SUPPORT_GAP_MM = 0.27
"""Between supports and walls: 60 % of an outer wall."""
STEEPEST_LEAN = 20.0
NEAR_FACE_MM = 1.5
TRUSTED_AREA_ERROR = 0.05
TRUSTED_UNPAIRED = 0.01
FAR_MM = 1e4


@dataclass(frozen=True)
class Slabs:
    """Ranges of heights: `edges` (K+1,), and for each the section through its middle."""

    edges: Floats
    area: Floats
    perimeter: Floats

    @property
    def middles(self) -> Floats:
        """Heights of the sections, (K,)."""
        return (self.edges[1:] + self.edges[:-1]) / 2

    @property
    def heights(self) -> Floats:
        """Thickness of each slab, (K,)."""
        return np.diff(self.edges)


def features_of(triangles: Floats, volume_mm3: float, area_mm2: float, closed: bool) -> Features:
    """Return the features of a part: outward triangles (n, 3, 3) that stand on z = 0."""
    normals = _unit_normals(triangles)
    slabs = _slabs(triangles, normals)
    sections = cut(triangles, slabs.middles)
    solid = cast(triangles, np.abs(normals[:, 2]), CELLS)
    runs = trace(sections, len(slabs.area))
    points = _points(solid, slabs, sections, _leans(normals))
    supports = _supports(solid, slabs)
    return Features(
        size_mm=triangles.max(axis=(0, 1)) - triangles.min(axis=(0, 1)),
        volume_mm3=np.array(volume_mm3),
        area_mm2=np.array(area_mm2),
        trusted=np.array(closed and _agree(solid, slabs)),
        base_hull_mm=np.array(_base_hull(triangles, slabs)),
        slab_edges_mm=slabs.edges,
        slab_mm2=slabs.area,
        slab_perimeter_mm=slabs.perimeter,
        slab_loops=runs.loops,
        **_compact(points),
        **_compact(_runs(runs)),
        **supports,
    )


def _compact(arrays: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    """Return the arrays in 32 bits: half the file, and a tenth of a micrometre is exact enough."""
    return {
        name: values.astype(np.float32 if values.dtype.kind == "f" else np.int32) for name, values in arrays.items()
    }


def _unit_normals(triangles: Floats) -> Floats:
    from trimesh.triangles import cross

    crosses = np.asarray(cross(triangles))
    lengths = np.linalg.norm(crosses, axis=1, keepdims=True)
    return np.asarray(np.divide(crosses, lengths, out=np.zeros_like(crosses), where=lengths > 0))


def _leans(normals: Floats) -> Floats:
    """Return how far the contour of each face moves inwards per mm of height."""
    sideways = np.hypot(normals[:, 0], normals[:, 1])
    return np.asarray(np.clip(normals[:, 2] / np.maximum(sideways, 1 / FAR_MM), -STEEPEST_LEAN, STEEPEST_LEAN))


def _slabs(triangles: Floats, normals: Floats) -> Slabs:
    """Cut the part into slabs: thin where sections change and near level faces, thick where nothing happens."""
    top = float(triangles[:, :, 2].max())
    planes = FINE_PLANES
    while planes > SLABS and count_cuts(triangles, _middles(top, planes)) > MOST_CUTS:
        planes //= 2
    heights = _middles(top, planes)
    fine = cut(triangles, heights)
    area, perimeter = np.maximum(fine.areas(planes), 0), fine.perimeters(planes)
    faces = _level_faces(triangles, normals, float(area.max()))
    edges = _edges(top, area, faces)
    return Slabs(edges, _means(heights, area, edges), _means(heights, perimeter, edges))


def _middles(top: float, planes: int) -> Floats:
    return np.asarray((np.arange(planes) + 0.5) * (top / planes), dtype=np.float64)


def _level_faces(triangles: Floats, normals: Floats, largest_mm2: float) -> Floats:
    """Return the heights of level faces of some extent."""
    level = np.abs(normals[:, 2]) > 0.999
    if not level.any():
        return np.empty(0)
    flat = triangles[level]
    one, other = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    extent = np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]) / 2
    height = np.round(flat[:, :, 2].mean(axis=1), 3)
    heights, group = np.unique(height, return_inverse=True)
    return heights[np.bincount(group, weights=extent) > 0.02 * largest_mm2]


def _edges(top: float, area: Floats, faces: Floats) -> Floats:
    """Return SLABS + 1 heights at equal steps of a weight that grows evenly, with change, and near level faces."""
    planes = len(area)
    fine_edges = np.linspace(0, top, planes + 1)
    middles = _middles(top, planes)
    change = np.abs(np.diff(area, prepend=area[0]))
    weight = np.full(planes, 1.0 / planes) + change / max(float(change.sum()), 1e-9)
    near = np.zeros(planes)
    for face in (0.0, top, *faces):
        near += np.abs(middles - face) < NEAR_FACE_MM
    weight += np.minimum(near, 1) / max(float(np.minimum(near, 1).sum()), 1.0)
    edges = np.interp(np.linspace(0, weight.sum(), SLABS + 1), np.r_[0, np.cumsum(weight)], fine_edges)
    for face in faces:
        edges[np.abs(edges - face).argmin()] = face
    edges = np.unique(np.clip(edges, 0, top))
    edges[0], edges[-1] = 0.0, top
    return np.asarray(edges[np.r_[True, np.diff(edges) > 1e-4 * top]])


def _means(heights: Floats, values: Floats, edges: Floats) -> Floats:
    """Return the mean of a function of height, given at even `heights`, in each slab."""
    step = heights[1] - heights[0] if len(heights) > 1 else 2 * heights[0]
    summed = np.r_[0, np.cumsum(values) * step]
    at_edges = np.interp(edges, np.arange(len(values) + 1) * step, summed)
    return np.asarray(np.diff(at_edges) / np.diff(edges))


def _agree(solid: Solid, slabs: Slabs) -> bool:
    """Say whether rays and sections see the same volume: they do unless bodies overlap or surfaces are torn."""
    by_rays = float((solid.top_mm - solid.bottom_mm).sum()) * solid.grid.cell_mm2
    by_sections = float((slabs.area * slabs.heights).sum())
    return solid.unpaired < TRUSTED_UNPAIRED and abs(by_rays - by_sections) < TRUSTED_AREA_ERROR * by_sections


def _base_hull(triangles: Floats, slabs: Slabs) -> float:
    """Return the length of the convex hull around everything in the first 0.3 mm."""
    low = triangles[triangles[:, :, 2].min(axis=1) < 0.3].reshape(-1, 3)
    low = low[low[:, 2] < max(0.3, 1e-3 * slabs.edges[-1])]
    try:
        return float(ConvexHull(low[:, :2]).area)
    except (QhullError, ValueError):
        return float(2 * np.ptp(triangles[:, :, :2], axis=(0, 1)).sum())


def _points(solid: Solid, slabs: Slabs, sections: Cuts, leans: Floats) -> dict[str, NDArray[np.generic]]:
    """Return the points: spread over slabs by their volume, over each section at random."""
    inside = _inside(solid, slabs)
    above, below = _reach(solid, slabs, inside)
    ceiling, floor = _levels_nearby(solid, slabs, inside)
    chosen = _choose(inside, slabs)
    piece, slab = inside[0][chosen], inside[1][chosen]
    cell = solid.cell[piece]
    counts = np.bincount(slab, minlength=len(slabs.area))
    places = solid.grid.centres(cell) + _jitter(len(cell)) * [solid.grid.dx, solid.grid.dy]
    depth, lean = _depths(sections, leans, places, slab, len(slabs.area))
    return {
        "point_slab": slab,
        "point_mm2": slabs.area[slab] / counts[slab],
        "point_depth_mm": depth,
        "point_lean": lean,
        "point_above_mm": above[chosen],
        "point_below_mm": below[chosen],
        "point_ceiling_mm": ceiling[slab, cell],
        "point_floor_mm": floor[slab, cell],
    }


def _inside(solid: Solid, slabs: Slabs) -> tuple[Integers, Integers]:
    """Return pairs (piece of ray, slab): the middle of the slab lies in the piece."""
    first = np.searchsorted(slabs.middles, solid.bottom_mm, side="right")
    counts = np.maximum(np.searchsorted(slabs.middles, solid.top_mm, side="left") - first, 0)
    piece = np.repeat(np.arange(len(counts)), counts)
    slab = np.arange(len(piece)) - np.repeat(np.cumsum(counts) - counts, counts) + first[piece]
    return piece, slab


def _reach(solid: Solid, slabs: Slabs, inside: tuple[Integers, Integers]) -> tuple[Floats, Floats]:
    piece, slab = inside
    return solid.top_mm[piece] - slabs.middles[slab], slabs.middles[slab] - solid.bottom_mm[piece]


def _levels_nearby(solid: Solid, slabs: Slabs, inside: tuple[Integers, Integers]) -> tuple[Floats, Floats]:
    """Return maps (slab, cell) of the distance up to the nearest level top, and down to the nearest level bottom."""
    piece, slab = inside
    above, below = _reach(solid, slabs, inside)
    ceiling = np.where(solid.top_tilt[piece] > LEVEL_TILT, above, FAR_MM)
    floor = np.where(solid.bottom_tilt[piece] > LEVEL_TILT, below, FAR_MM)
    cell, count = solid.cell[piece], len(slabs.area)
    return _spread(solid, slab, cell, ceiling, count), _spread(solid, slab, cell, floor, count)


def _spread(solid: Solid, slab: Integers, cell: Integers, values: Floats, slabs: int) -> Floats:
    """Shrink the level faces by the walls, then grow them by the walls and the growth of skins (in squares)."""
    grid = solid.grid
    level = np.full((slabs, grid.cells), FAR_MM, dtype=np.float32)
    level[slab, cell] = values
    cube = level.reshape(slabs, grid.nx, grid.ny)
    shrink, grow = (_window(grid.dx, grid.dy, reach) for reach in (LEVEL_MARGIN_MM, LEVEL_MARGIN_MM + SKIN_GROWTH_MM))
    cube = ndimage.maximum_filter(cube, size=shrink, mode="constant", cval=FAR_MM)
    cube = ndimage.minimum_filter(cube, size=grow, mode="constant", cval=FAR_MM)
    return np.asarray(cube.reshape(slabs, grid.cells), dtype=np.float64)


def _window(dx: float, dy: float, reach_mm: float) -> tuple[int, int, int]:
    return (1, 2 * round(0.89 * reach_mm / dx) + 1, 2 * round(0.89 * reach_mm / dy) + 1)


def _choose(inside: tuple[Integers, Integers], slabs: Slabs) -> Integers:
    """Return which pairs become points: in each slab an even random share."""
    slab = inside[1]
    volume = slabs.area * slabs.heights
    wanted = np.maximum(FEWEST_POINTS, POINTS * volume / max(float(volume.sum()), 1e-9))
    there = np.bincount(slab, minlength=len(slabs.area))
    share = np.minimum(1.0, wanted / np.maximum(there, 1))
    return np.flatnonzero(np.random.default_rng(SEED).random(len(slab)) < share[slab])


def _jitter(count: int) -> Floats:
    return np.random.default_rng(SEED + 1).random((count, 2)) - 0.5


def _depths(sections: Cuts, leans: Floats, places: Floats, slab: Integers, slabs: int) -> tuple[Floats, Floats]:
    depth, lean = np.zeros(len(slab)), np.zeros(len(slab))
    by_plane = np.argsort(sections.plane, kind="stable")
    plane_ends = np.searchsorted(sections.plane[by_plane], np.arange(slabs + 1))
    by_slab = np.argsort(slab, kind="stable")
    slab_ends = np.searchsorted(slab[by_slab], np.arange(slabs + 1))
    for number in range(slabs):
        rows = by_plane[plane_ends[number] : plane_ends[number + 1]]
        chosen = by_slab[slab_ends[number] : slab_ends[number + 1]]
        if len(rows) and len(chosen):
            contour = Cuts(sections.plane[rows], sections.start[rows], sections.end[rows], sections.triangle[rows])
            depth[chosen], lean[chosen] = depths(contour, leans[contour.triangle], places[chosen])
    return depth, lean


def _runs(runs: Runs) -> dict[str, NDArray[np.generic]]:
    count = len(runs.plane)
    chosen = np.arange(count)
    if count > MOST_RUNS:
        chosen = np.sort(np.random.default_rng(SEED + 2).choice(count, MOST_RUNS, replace=False))
    return {
        "run_slab": runs.plane[chosen],
        "run_mm": runs.length_mm[chosen],
        "run_weight": np.full(len(chosen), count / max(1, len(chosen))),
        "run_start_turn": runs.start_turn[chosen],
        "run_end_turn": runs.end_turn[chosen],
        "run_loop_mm": runs.loop_mm[chosen],
    }


def _supports(solid: Solid, slabs: Slabs) -> dict[str, NDArray[np.generic]]:
    """Return where supports stand: under overhangs, down to part or plate, grown sideways, kept off the walls."""
    grid = solid.grid
    first_of_cell = np.r_[True, solid.cell[1:] != solid.cell[:-1]]
    ground = np.where(first_of_cell, 0.0, np.r_[0.0, solid.top_mm[:-1]])
    held = (solid.bottom_tilt > np.cos(np.radians(OVERHANG_DEG))) & (solid.bottom_mm - ground > 0.3)
    edges = np.linspace(0, slabs.edges[-1], LEVELS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    areas = np.zeros(LEVELS)
    around = np.zeros(LEVELS)
    gaps = np.zeros(LEVELS)
    islands = 0
    if held.any():
        for number, height in enumerate(middles):
            gap = np.zeros(grid.cells, dtype=bool)
            gap[solid.cell[held & (ground < height) & (solid.bottom_mm > height)]] = True
            if not gap.any():
                continue
            part = np.zeros(grid.cells, dtype=bool)
            part[solid.cell[(solid.bottom_mm <= height) & (solid.top_mm >= height)]] = True
            mask = _grown(gap, solid, SUPPORT_GROWTH_MM) & ~_grown(part, solid, SUPPORT_GAP_MM)
            areas[number] = mask.sum() * grid.cell_mm2
            around[number] = _outline_mm(mask, solid)
            gaps[number] = gap.sum() * grid.cell_mm2
            islands = max(islands, int(ndimage.label(mask.reshape(grid.nx, grid.ny))[1]))
    growth = areas.sum() / gaps.sum() if gaps.any() else 1.0
    roof = held.sum() * grid.cell_mm2 * growth
    on_part = (held & ~first_of_cell).sum() * grid.cell_mm2 * growth
    return {
        "level_edges_mm": edges,
        "level_mm2": areas,
        "level_outline_mm": around,
        "support_roof_mm2": np.array(roof),
        "support_floor_mm2": np.array(on_part),
        "support_base_mm2": np.array(areas[0]),
        "support_islands": np.array(islands),
    }


def _outline_mm(mask: NDArray[np.bool_], solid: Solid) -> float:
    """Return the length around a mask: its steps, shortened as steps in all directions are on average (π/4)."""
    grid = solid.grid
    square = np.pad(mask.reshape(grid.nx, grid.ny), 1)
    across, along = np.diff(square, axis=0).sum() * grid.dy, np.diff(square, axis=1).sum() * grid.dx
    return float(across + along) * np.pi / 4


def _grown(mask: NDArray[np.bool_], solid: Solid, reach_mm: float) -> NDArray[np.bool_]:
    grid = solid.grid
    away = ndimage.distance_transform_edt(~mask.reshape(grid.nx, grid.ny), sampling=(grid.dx, grid.dy))
    return np.asarray(away <= reach_mm).ravel()
