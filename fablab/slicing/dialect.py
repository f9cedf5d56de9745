"""The port to slicers: what the system needs to know about a family of them in order to slice with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from fablab.slicing.plates import Size
from fablab.slicing.profiles import Settings
from fablab.words import Sentence

MODEL = "model.stl"
"""The name of the part in the folder a slicer works in."""


class Fault(StrEnum):
    """Who can do something about a failure: the person, with another part or choice, or the place."""

    PART = "part"
    PLACE = "place"


@dataclass(frozen=True)
class Failure:
    """Why there is no G-code, and whose matter it is."""

    sentence: Sentence
    fault: Fault = Fault.PART


@dataclass(frozen=True)
class Plate:
    """What is to be sliced: so many copies of a part of this size, with these settings."""

    settings: Settings
    copies: int
    size_mm: Size


class Dialect(Protocol):
    """How one family of slicers is spoken to. An implementation is one file."""

    name: str
    names_on_path: Sequence[str]
    supported: str
    """The versions that are known to understand us, in words."""

    writes: str
    """The name of the G-code it leaves in its folder."""

    def version_in(self, help_text: str) -> str | None:
        """Return the version a program of this family states in its help, or None when it is of another."""

    def supports(self, version: str) -> bool:
        """Tell whether this version understands our settings and arguments."""

    def fingerprint(self, settings: Settings) -> str:
        """Return what, beside `settings.hash`, decides about the G-code."""

    def prepare(self, program: Path, plate: Plate, work: Path) -> list[str]:
        """Write the settings into `work`, beside `MODEL`, and return the command that slices there."""

    def failure_in(self, said: str, plate: Plate, work: Path) -> Failure | None:
        """Return what the last words of the slicer mean for `plate`, or None when they are no complaint."""
