"""What is measured once about a part and kept: enough to estimate any settings without the mesh."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fablab.errors import Invalid

VERSION = 1
"""Changes whenever the meaning of a feature changes: older files are measured again."""
OVERHANG_DEG = 45.0
"""Faces flatter than this are held up: `support_material_threshold` in our print profiles."""

Array = NDArray[Any]


class StaleFeatures(Invalid):
    """The file was measured by another version, or is not a features file: measure the part again."""


@dataclass(frozen=True)
class Features:
    """Measurements of one part as it lies, in mm, mm² and mm³: K slabs, N points, R runs of contour, M levels.

    A *slab* is a range of heights with one section through its middle. A *point* stands for `point_mm2` of a section. A
    *run* is a piece of contour between two corners. A *level* is a height at which supports stand.
    """

    size_mm: Array  # (3,)
    volume_mm3: Array  # ()
    area_mm2: Array  # ()
    trusted: Array  # () bool
    base_hull_mm: Array  # () length of the convex hull of the lowest section

    slab_edges_mm: Array  # (K+1,) heights above the plate
    slab_mm2: Array  # (K,) mean area of the sections
    slab_perimeter_mm: Array  # (K,)
    slab_loops: Array  # (K,) closed contours

    point_slab: Array  # (N,)
    point_mm2: Array  # (N,)
    point_depth_mm: Array  # (N,) to the nearest contour in the section
    point_lean: Array  # (N,) horizontal over vertical at that contour: positive where the surface looks up
    point_above_mm: Array  # (N,) material above the middle of the slab
    point_below_mm: Array  # (N,) and below
    point_ceiling_mm: Array  # (N,) like above, to the nearest level top within 3 mm sideways
    point_floor_mm: Array  # (N,) like below, to the nearest level bottom within 3 mm sideways

    run_slab: Array  # (R,)
    run_mm: Array  # (R,) length
    run_weight: Array  # (R,) how many such runs it stands for
    run_start_turn: Array  # (R,) radians at its first corner
    run_end_turn: Array  # (R,) and at its last
    run_loop_mm: Array  # (R,) length of the whole contour

    level_edges_mm: Array  # (M+1,)
    level_mm2: Array  # (M,) area of supports
    level_outline_mm: Array  # (M,) length around them
    support_roof_mm2: Array  # () area of supports right under overhangs
    support_floor_mm2: Array  # () area of supports standing on the part
    support_base_mm2: Array  # () area of supports standing on the plate
    support_islands: Array  # ()

    def save(self, path: Path) -> None:
        """Write all of it to `path` (.npz)."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        with path.open("wb") as file:
            np.savez(file, version=np.array(VERSION), **arrays)

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
