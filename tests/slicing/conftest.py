"""Parts drawn for the tests, and the installed slicer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fablab.slicing import samples
from fablab.slicing import slicer as slicing
from fablab.slicing.choices import Choices, Quality
from fablab.slicing.profiles import Settings, settings
from fablab.slicing.stl import write_stl

DrawnStl = Callable[..., Path]


@pytest.fixture
def stl(tmp_path: Path) -> DrawnStl:
    """Return a function that writes triangles (n, 3, 3), or a trimesh, as a binary STL and returns its path."""

    def write(shape: object, name: str = "part.stl") -> Path:
        return write_stl(tmp_path / name, np.asarray(getattr(shape, "triangles", shape), dtype=float))

    return write


@pytest.fixture(scope="session")
def sample_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The generated samples, written once."""
    return samples.write_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="session")
def slicer() -> slicing.Slicer:
    """The real PrusaSlicer of this computer."""
    found = slicing.find_slicer()
    if found is None:
        pytest.skip("PrusaSlicer is not installed on this computer.")
    return found


@pytest.fixture
def normal() -> Settings:
    """PLA on the larger machine, as most people print."""
    return settings("mk3", Choices("PLA", Quality.NORMAL, 15))
