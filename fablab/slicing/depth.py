"""How deep inside the part, or how far outside, each point of a grid lies in each section: signed distances in mm.

Every contour is met exactly by the lines of the grid, along x and along y; the distance to the nearest contour is the
lower envelope of what those meetings say (Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions,
2012), or straight to the contour that was met where that is nearer, cut off at `REACH_MM`. Areas are then sums over the
grid of how much of a cell lies deeper than some depth, exact for straight walls however they run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.sections import Cuts

Depths = NDArray[np.float32]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

REACH_MM = 2.4
"""Depths beyond are all alike: five walls of 0.45 mm."""
FINEST_MM = 0.15
FOOT_CELLS = 1.5
"""Contours are taken to be straight for so many cells to either side of a meeting."""
MARGIN = 2
MOST_CROSSINGS = 3_000_000
COARSEST_CELLS = 400
FAR = 1e4
CACHED_CELLS = 65_536


@dataclass(frozen=True)
class DepthField:
    """`depth_mm` (K, ny, nx), positive inside, at the middles of square cells of `cell_mm`; see the module.

    `unpaired` is the share of grid lines that enter the part more often than they leave it: 0 for closed meshes.
    """

    depth_mm: Depths
    cell_mm: float
    unpaired: float


@dataclass(frozen=True)
class _Grid:
    x0: float
    y0: float
    cell: float
    nx: int
    ny: int


def depth_field(sections: Cuts, planes: int, low: Floats, high: Floats, cells: int) -> DepthField:
    """Return the depths in `planes` sections on about `cells` cells over the box from `low` to `high` (x, y).

    Raises `MemoryError` for a thicket of contours that even the coarsest grid cannot hold.
    """
    while True:
        grid = _lay(low, high, cells)
        if _crossings(sections, grid) <= MOST_CROSSINGS:
            break
        if cells <= COARSEST_CELLS:
            raise MemoryError("too many contours")
        cells = max(COARSEST_CELLS, cells // 4)
    over_x = _meet(sections, planes, (0, 1), (grid.x0, grid.y0), grid.cell, (grid.nx, grid.ny))
    over_y = _meet(sections, planes, (1, 0), (grid.y0, grid.x0), grid.cell, (grid.ny, grid.nx))
    along_x, straight_x, inside_x, whole_x = over_x
    along_y, straight_y, inside_y, whole_y = over_y
    along_y, inside_y = along_y.transpose(0, 2, 1), inside_y.transpose(0, 2, 1)
    inside = np.where(whole_x[:, :, None], inside_x, inside_y)
    distance = _envelope(along_x, np.ascontiguousarray(along_y), grid.cell)
    np.minimum(distance, straight_x, out=distance)
    np.minimum(distance, straight_y.transpose(0, 2, 1), out=distance)
    unpaired = 1.0 - float(min(whole_x.mean(), whole_y.mean()))
    return DepthField(np.where(inside, distance, -distance), grid.cell, unpaired)


def share_deeper(depth_mm: Depths, than_mm: float, cell_mm: float) -> Depths:
    """Return which share 0..1 of each cell lies deeper than `than_mm`, taking the depth to rise evenly across it."""
    share = depth_mm * np.float32(1 / cell_mm)
    share += np.float32(0.5 - than_mm / cell_mm)
    return np.clip(share, np.float32(0), np.float32(1), out=share)


def grown(masks: Bools, reach_cells: float) -> Bools:
    """Return masks (n, ny, nx) grown by a disc of a radius in cells."""
    from scipy import ndimage

    rows = masks.shape[1]
    out = masks.copy()
    wide, width = masks, 0
    for row in range(min(round(reach_cells), rows - 1) + 1):
        half = round(math.sqrt(max(reach_cells**2 - row**2, 0.0)))
        if half != width:
            wide, width = ndimage.maximum_filter1d(masks.view(np.uint8), 2 * half + 1, axis=2).view(np.bool_), half
        out[:, row:] |= wide[:, : rows - row]
        out[:, : rows - row] |= wide[:, row:]
    return out


def opened(masks: Bools, reach_cells: float) -> Bools:
    """Return masks without what is narrower than a disc of a radius in cells."""
    if round(reach_cells) < 1:
        return masks
    return np.asarray(grown(~grown(~masks, reach_cells), reach_cells) & masks)


def rims(shares: Depths, cell_mm: float) -> Floats:
    """Return mm of outline of each map (n, ny, nx) of shares: its total variation, which no direction is dearer to."""
    flat, row = shares.reshape(len(shares), -1), shares.shape[2]
    found = np.empty(len(flat))
    for some in blocks(len(flat), flat.shape[1]):
        maps = flat[some]
        square = maps[:, row:] - maps[:, :-row]
        np.multiply(square, square, out=square)
        along = maps[:, 1 : 1 - row] - maps[:, :-row]
        np.multiply(along, along, out=along)
        square += along
        found[some] = np.sqrt(square, out=square).sum(axis=1)
    return found * cell_mm


def blocks(maps: int, cells: int) -> Iterator[slice]:
    """Divide so many maps into blocks that stay in the processor's cache while they are worked on."""
    size = max(1, CACHED_CELLS // max(cells, 1))
    return (slice(begin, begin + size) for begin in range(0, maps, size))


def _lay(low: Floats, high: Floats, cells: int) -> _Grid:
    sx, sy = float(high[0] - low[0]), float(high[1] - low[1])
    cell = max(FINEST_MM, math.sqrt(sx * sy / cells))
    while (nx := math.ceil(sx / cell) + 2 * MARGIN) * (ny := math.ceil(sy / cell) + 2 * MARGIN) > 1.5 * cells + 4000:
        cell *= 1.1
    middle = (low + high) / 2
    return _Grid(float(middle[0]) - nx * cell / 2, float(middle[1]) - ny * cell / 2, cell, nx, ny)


def _crossings(sections: Cuts, grid: _Grid) -> float:
    along = np.abs(sections.end - sections.start).sum(axis=0) / grid.cell
    return float(along.max()) + len(sections.plane)


def _meet(
    sections: Cuts,
    planes: int,
    axes: tuple[int, int],
    origin: tuple[float, float],
    cell: float,
    counts: tuple[int, int],
) -> tuple[Depths, Depths, Bools, Bools]:
    """Meet the contours with the grid lines along `axes[0]`.

    Return for each cell (planes, lines, places) the distance in cells along its line to the nearest contour, the
    distance in mm straight to that contour if it goes on as it does there, and whether the cell is inside; and for each
    line (planes, lines) whether it leaves the part as often as it enters it.
    """
    places, lines = counts
    position, line, turn, facing = _meetings(sections, axes, origin, cell, lines)
    order = np.argsort(line * (places + 4.0) + np.clip(position, -1, places + 1))
    position, line, turn, facing = position[order], line[order], turn[order], facing[order]
    total = planes * lines
    winding, whole = _windings(line, turn, total)
    bounds = ((winding > 0) != (winding - turn > 0)) & whole[line]
    position, line, facing, enters = position[bounds], line[bounds], facing[bounds], winding[bounds] > 0
    # Every line begins with a contour that is far away; between two contours all cells are alike.
    starts = np.searchsorted(line, np.arange(total))
    position = np.insert(position, starts, -FAR).astype(np.float32)
    facing = np.insert(facing, starts, 1.0).astype(np.float32)
    enters = np.insert(enters, starts, False)
    line = np.insert(line, starts, np.arange(total))
    first = line * places + np.clip(np.ceil(position), 0, places).astype(np.int64)
    cells = np.diff(first, append=total * places)
    ahead = np.append(position[1:], np.float32(-FAR))
    ahead[ahead == -FAR] = FAR
    shape = (planes, lines, places)
    middles = np.arange(places, dtype=np.float32)

    def spread(values: NDArray[Any]) -> NDArray[Any]:
        return np.repeat(values, cells).reshape(shape)

    behind_cells, ahead_cells = middles - spread(position), spread(ahead) - middles
    straight = np.minimum(
        _straight(behind_cells, spread(facing)), _straight(ahead_cells, spread(np.append(facing[1:], np.float32(1))))
    ) * np.float32(cell)
    return np.minimum(behind_cells, ahead_cells), straight, spread(enters), whole.reshape(planes, lines)


def _straight(along: Depths, facing: Depths) -> Depths:
    """Return distances straight to contours met `along` a line that face it with this cosine, far where unsafe."""
    sideways = along * np.sqrt(1 - facing * facing)
    return np.where(sideways < FOOT_CELLS, along * facing, np.float32(FAR))


def _meetings(
    sections: Cuts, axes: tuple[int, int], origin: tuple[float, float], cell: float, lines: int
) -> tuple[Floats, Integers, Integers, Floats]:
    """Return where contours cross grid lines.

    Places in cells, numbers of lines (of all planes), 1 for going in, and cosines between lines and contours' normals.
    """
    along, across = axes
    start = (sections.start[:, [along, across]] - origin) / cell - 0.5
    end = (sections.end[:, [along, across]] - origin) / cell - 0.5
    first = np.clip(np.ceil(np.minimum(start[:, 1], end[:, 1])), 0, lines).astype(np.int64)
    last = np.clip(np.ceil(np.maximum(start[:, 1], end[:, 1])), 0, lines).astype(np.int64)
    hit = np.flatnonzero(last > first)
    counts = (last - first)[hit]
    segment = np.repeat(hit, counts)
    line = np.arange(len(segment)) - np.repeat(np.cumsum(counts) - counts, counts) + first[segment]
    rise = end[segment] - start[segment]
    place = start[segment, 0] + (line - start[segment, 1]) / rise[:, 1] * rise[:, 0]
    forward = (rise[:, 1] < 0) == (along == 0)  # the material is on the left of a contour
    facing = np.abs(rise[:, 1]) / np.maximum(np.hypot(rise[:, 0], rise[:, 1]), 1e-12)
    return place, sections.plane[segment] * lines + line, np.where(forward, 1, -1), facing


def _windings(line: Integers, turn: Integers, lines: int) -> tuple[Integers, Bools]:
    """Return the winding number behind each meeting, and which lines end outside."""
    winding = np.cumsum(turn)
    begins = np.flatnonzero(np.r_[True, line[1:] != line[:-1]][: len(line)])
    before = (winding - turn)[begins]
    winding -= np.repeat(before, np.diff(np.r_[begins, len(line)]))
    return winding, np.bincount(line, turn, lines) == 0


def _envelope(along_x: Depths, along_y: Depths, cell: float) -> Depths:
    """Return the distances in mm from the distances in cells along both kinds of lines."""
    x2, y2 = along_x * along_x, along_y * along_y
    nearest = np.minimum(x2, y2)
    for step in range(1, math.ceil(REACH_MM / cell) + 1):
        x2 += np.float32(2 * step - 1)
        y2 += np.float32(2 * step - 1)
        if step < nearest.shape[1]:
            np.minimum(nearest[:, step:], x2[:, :-step], out=nearest[:, step:])
            np.minimum(nearest[:, :-step], x2[:, step:], out=nearest[:, :-step])
        if step < nearest.shape[2]:
            np.minimum(nearest[:, :, step:], y2[:, :, :-step], out=nearest[:, :, step:])
            np.minimum(nearest[:, :, :-step], y2[:, :, step:], out=nearest[:, :, :-step])
    distance = np.sqrt(nearest, out=nearest)
    distance *= np.float32(cell)
    return np.asarray(np.minimum(distance, np.float32(REACH_MM), out=distance))
