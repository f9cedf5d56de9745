"""Take a part apart into `Features`: slabs, how deep points lie in each section, runs of contour, room for supports.

Everything is measured without regard to layer height, walls or material, and without chance: the same file gives the
same figures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from fablab.slicing.contours import trace
from fablab.slicing.depth import REACH_MM, DepthField, depth_field, share_deeper
from fablab.slicing.features import DEPTH_STEP_MM, Features
from fablab.slicing.mesh import bounds, lowest
from fablab.slicing.sections import Cuts, Floats, Integers, count_cuts, cut
from fablab.slicing.slabs import Slabs, slabs_of
from fablab.slicing.supports import supports_of

MOST_SLABS, FEWEST_SLABS = 224, 64
COARSEST_SLABS = 8
MOST_CUTS = 400_000
POINTS = 300_000
"""Cells times slabs: more of them make a part's estimate finer and slower."""
MOST_CELLS, FEWEST_CELLS = 40_000, 2500
TRACED_CUTS = 60_000
MOST_RUNS = 6000
TRUSTED_AREA_ERROR = 0.05
TRUSTED_UNPAIRED = 0.01
BASE_MM = 0.3

Arrays = dict[str, NDArray[Any]]


def features_of(triangles: Floats, volume_mm3: float, area_mm2: float, closed: bool) -> Features:
    """Return the features of a part: outward triangles (n, 3, 3) that stand on z = 0.

    Raises `MemoryError` for meshes that are too much of a thicket to be looked at.
    """
    low, high = bounds(triangles)
    slabs = _affordable(triangles, (high - low)[:2])
    count = len(slabs.is_moving)
    sections = cut(triangles, slabs.middles_mm)
    cells = int(np.clip(POINTS / count, FEWEST_CELLS, MOST_CELLS))
    field = depth_field(sections, count, low[:2].astype(np.float64), high[:2].astype(np.float64), cells)
    area = np.maximum(sections.areas(count), 0.0)
    return Features(
        size_mm=(high - low).astype(np.float64),
        volume_mm3=np.array(volume_mm3),
        area_mm2=np.array(area_mm2),
        trusted=np.array(closed and field.unpaired < TRUSTED_UNPAIRED and _agree(field, area, slabs)),
        base_hull_mm=np.array(_base_hull(triangles, float(high[2]))),
        edges_mm=slabs.edges_mm,
        is_level=slabs.is_level,
        is_moving=slabs.is_moving,
        slab_mm2=area,
        slab_perimeter_mm=sections.perimeters(count),
        depth_steps=np.rint(np.clip(field.depth_mm, -REACH_MM, REACH_MM) / DEPTH_STEP_MM).astype(np.int16),
        cell_mm=np.array(field.cell_mm),
        **_traced(sections, count),
        **supports_of(field, slabs),
    )


def _affordable(triangles: Floats, sides: Floats) -> Slabs:
    """Return slabs with a number of cuts that takes no more than some tenths of a second."""
    most = int(np.clip(POINTS / max(float(sides[0] * sides[1]), 1.0), FEWEST_SLABS, MOST_SLABS))
    while True:
        slabs = slabs_of(triangles, most)
        if most <= COARSEST_SLABS or count_cuts(triangles, slabs.middles_mm) <= MOST_CUTS:
            return slabs
        most //= 2


def _agree(field: DepthField, area: Floats, slabs: Slabs) -> bool:
    """Say whether contours and grid see the same volume: they do unless bodies overlap or surfaces are torn."""
    heights = np.diff(slabs.edges_mm)
    by_grid = share_deeper(field.depth_mm, 0.0, field.cell_mm).sum(axis=(1, 2)) * field.cell_mm**2
    volume = float((area * heights).sum())
    return abs(float((by_grid * heights).sum()) - volume) < TRUSTED_AREA_ERROR * volume


def _base_hull(triangles: Floats, top_mm: float) -> float:
    """Return the length of the convex hull around everything in the first 0.3 mm."""
    low = triangles[lowest(triangles[:, :, 2]) < BASE_MM].reshape(-1, 3)
    low = low[low[:, 2] < max(BASE_MM, 1e-3 * top_mm)]
    try:
        return float(ConvexHull(low[:, :2]).area)
    except (QhullError, ValueError):
        return float(2 * np.ptp(triangles[:, :, :2], axis=(0, 1)).sum())


def _traced(sections: Cuts, slabs: int) -> Arrays:
    """Return runs and loops of evenly chosen slabs, no more than can be traced quickly; the others are like these."""
    every = max(1, -(-len(sections.plane) // TRACED_CUTS))
    chosen = np.arange(0, slabs, every)
    keep = sections.plane % every == 0
    runs = trace(Cuts(sections.plane[keep] // every, sections.start[keep], sections.end[keep], sections.triangle[keep]),
                 len(chosen))  # fmt: skip
    kept = np.linspace(0, len(runs.plane) - 1, min(len(runs.plane), MOST_RUNS)).astype(np.int64)
    return {
        "slab_loops": np.repeat(runs.loops, every)[:slabs],
        "run_slab": _compact(chosen[runs.plane[kept]]),
        **{f"run_{name}": _compact(getattr(runs, of)[kept]) for name, of in RUN_FIELDS.items()},
    }


RUN_FIELDS = {"mm": "length_mm", "start_turn": "start_turn", "end_turn": "end_turn", "loop_mm": "loop_mm"}


def _compact(values: Floats | Integers) -> NDArray[Any]:
    return np.asarray(values).astype(np.float32 if values.dtype.kind == "f" else np.int32)
