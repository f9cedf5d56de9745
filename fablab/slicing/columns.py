"""Vertical rays through a mesh: where material begins and ends above each point of a grid (a layered depth image)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fablab.slicing.sections import Cuts, count_cuts, cut

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_CROSSINGS = 2_000_000
FEWEST_CELLS = 400
FINEST_CELL_MM = 0.1


@dataclass(frozen=True)
class Grid:
    """Cells of `dx` × `dy` mm from (`x0`, `y0`), `nx` × `ny` of them; cell (i, j) has the number i·ny + j."""

    x0: float
    y0: float
    dx: float
    dy: float
    nx: int
    ny: int

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.nx * self.ny

    @property
    def cell_mm2(self) -> float:
        """Area of one cell."""
        return self.dx * self.dy

    def centres(self, cells: Integers) -> Floats:
        """Return the middles (n, 2) of cells in mm."""
        i, j = np.divmod(cells, self.ny)
        return np.column_stack([self.x0 + (i + 0.5) * self.dx, self.y0 + (j + 0.5) * self.dy])


@dataclass(frozen=True)
class Solid:
    """Pieces of rays inside the material, sorted by cell and height; touching bodies are one piece.

    `cell`, `bottom_mm`, `top_mm`, `bottom_tilt` and `top_tilt` are (n,); a tilt is |z| of the unit normal, 1 is level.
    `unpaired` is the share of rays with an entry without an exit: 0 for closed meshes.
    """

    grid: Grid
    cell: Integers
    bottom_mm: Floats
    top_mm: Floats
    bottom_tilt: Floats
    top_tilt: Floats
    unpaired: float


def lay_grid(low: Floats, high: Floats, cells: int) -> Grid:
    """Return a grid of about `cells` square cells over the box from `low` to `high`."""
    sx, sy = float(high[0] - low[0]), float(high[1] - low[1])
    side = max(FINEST_CELL_MM, math.sqrt(sx * sy / cells))
    nx, ny = max(1, min(cells, math.ceil(sx / side))), max(1, min(cells, math.ceil(sy / side)))
    return Grid(float(low[0]), float(low[1]), sx / nx, sy / ny, nx, ny)


def cast(triangles: Floats, tilts: Floats, cells: int) -> Solid:
    """Send a ray up through every cell of a grid of about `cells` cells; fewer when the mesh is a thicket."""
    low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
    grid = lay_grid(low, high, cells)
    while True:
        rows = np.asarray(grid.y0 + (np.arange(grid.ny) + 0.5) * grid.dy, dtype=np.float64)
        if count_cuts(triangles, rows, axis=1) <= MOST_CROSSINGS:
            slices = cut(triangles, rows, axis=1)
            first, counts = _rays_of(slices, grid)
            if counts.sum() <= MOST_CROSSINGS or grid.cells <= FEWEST_CELLS:
                return _pair(grid, slices, first, counts, tilts)
        if grid.cells <= FEWEST_CELLS:
            raise MemoryError("too many crossings")
        grid = lay_grid(low, high, grid.cells // 4)


def _rays_of(slices: Cuts, grid: Grid) -> tuple[Integers, Integers]:
    """Return for each segment (in z, x) the first ray it meets and how many."""
    columns = grid.x0 + (np.arange(grid.nx) + 0.5) * grid.dx
    ends = np.stack([slices.start[:, 1], slices.end[:, 1]])
    first = np.searchsorted(columns, ends.min(axis=0), side="left").astype(np.int64)
    return first, np.searchsorted(columns, ends.max(axis=0), side="left") - first


def _pair(grid: Grid, slices: Cuts, first: Integers, counts: Integers, tilts: Floats) -> Solid:
    """Meet rays with segments, sort the meetings along each ray, and pair entries with exits by winding number."""
    segment = np.repeat(np.arange(len(counts)), counts)
    column = np.arange(len(segment)) - np.repeat(np.cumsum(counts) - counts, counts) + first[segment]
    start, end = slices.start[segment], slices.end[segment]
    x = grid.x0 + (column + 0.5) * grid.dx
    height = start[:, 0] + (x - start[:, 1]) / (end[:, 1] - start[:, 1]) * (end[:, 0] - start[:, 0])
    cell = column * grid.ny + slices.plane[segment]
    turn = np.where(end[:, 1] > start[:, 1], -1, 1)
    tilt = tilts[slices.triangle[segment]]
    order = np.lexsort((-turn, height, cell))
    cell, height, turn, tilt = cell[order], height[order], turn[order], tilt[order]
    whole = np.bincount(cell, weights=turn, minlength=grid.cells) == 0
    met = np.bincount(cell, minlength=grid.cells) > 0
    unpaired = 1 - float(whole[met].mean()) if met.any() else 1.0
    keep = whole[cell]
    cell, height, turn, tilt = cell[keep], height[keep], turn[keep], tilt[keep]
    winding = np.cumsum(turn)
    entries = np.flatnonzero((winding > 0) & (winding - turn <= 0))
    exits = np.flatnonzero((winding <= 0) & (winding - turn > 0))
    thick = height[exits] > height[entries]
    entries, exits = entries[thick], exits[thick]
    return Solid(grid, cell[entries], height[entries], height[exits], tilt[entries], tilt[exits], unpaired)
