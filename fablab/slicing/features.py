"""What is measured once about a part and kept: enough to estimate any settings without the mesh."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fablab.errors import Invalid

VERSION = 4
"""Changes whenever the meaning of a feature changes: older files are measured again."""
OVERHANG_LEAN = 0.966
"""Faces that lean out further per mm of height are held up: 46°, one more than `support_material_threshold` says."""
DEPTH_STEP_MM = 0.001
"""Depths are kept in two bytes each. In one, in steps of 0.02 mm, walls along the axes came out 1 % wrong."""

Array = NDArray[Any]


class StaleFeatures(Invalid):
    """The file was measured by another version, or is not a features file: measure the part again."""


@dataclass(frozen=True, eq=False)
class Features:
    """Measurements of one part as it lies, in mm, mm² and mm³: K slabs, R runs of contour.

    A *slab* is a range of heights with one section through its middle. A *run* is a piece of contour between two
    corners.
    """

    size_mm: Array  # (3,)
    volume_mm3: Array  # ()
    area_mm2: Array  # ()
    trusted: Array  # () bool
    base_hull_mm: Array  # () length of the convex hull of the lowest section

    edges_mm: Array  # (K+1,) heights above the plate
    is_level: Array  # (K+1,) bool, a level face lies at the edge
    is_moving: Array  # (K,) bool, contours move with the height
    slab_mm2: Array  # (K,) area of the section
    slab_perimeter_mm: Array  # (K,)
    slab_loops: Array  # (K,) closed contours

    depth_steps: Array  # (K, ny, nx) int16, depth inside the section in steps of DEPTH_STEP_MM
    cell_mm: Array  # ()

    run_slab: Array  # (R,)
    run_mm: Array  # (R,) length
    run_start_turn: Array  # (R,) radians at its first corner
    run_end_turn: Array  # (R,) and at its last
    run_loop_mm: Array  # (R,) length of the whole contour

    support_mm2: Array  # (K,) area of supports in the slab
    support_outline_mm: Array  # (K,) length around them
    support_islands: Array  # (K,) how many pieces they are in
    support_is_fine: Array  # (K,) bool, they hold slopes there: their layers are as thin as those of the part
    support_level_roof_mm2: Array  # () area of supports right under level overhangs
    support_slope_roof_mm3: Array  # () volume of the top layers of supports under sloping overhangs
    support_floor_mm2: Array  # () area of supports standing on the part

    @cached_property
    def depth_mm(self) -> NDArray[np.float32]:
        """Depth inside each section, (K, ny, nx): negative outside, cut off at `depth.REACH_MM`."""
        return np.asarray(self.depth_steps, dtype=np.float32) * np.float32(DEPTH_STEP_MM)

    def save(self, path: Path) -> None:
        """Write all of it to `path` (.npz)."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        with path.open("wb") as file:
            np.savez_compressed(file, version=np.array(VERSION), **arrays)

    @staticmethod
    def load(path: Path) -> Features:
        """Read what `save` wrote. Raises `StaleFeatures` for other versions and other files."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                if int(stored["version"]) != VERSION:
                    raise StaleFeatures("This part was measured by another version: measure it again.")
                return Features(**{field.name: stored[field.name] for field in fields(Features)})
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise StaleFeatures("The measurements of this part cannot be read: measure it again.") from error
