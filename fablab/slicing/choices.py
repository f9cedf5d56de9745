"""What a person chooses for a part: material, quality, infill and supports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fablab.errors import Invalid
from fablab.words import N_

MATERIAL_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+ ")
LONGEST_MATERIAL = 40


class Quality(StrEnum):
    """How thin the layers are: each word is also the name of a print profile."""

    DRAFT = "draft"
    NORMAL = "normal"
    FINE = "fine"


QUALITY_LABELS = {Quality.DRAFT: N_("Draft, quick"), Quality.NORMAL: N_("Normal"), Quality.FINE: N_("Fine, slow")}


@dataclass(frozen=True)
class Choices:
    """One way to print a part. `material` names a filament profile; `infill_percent` is any whole number 0..100."""

    material: str
    quality: Quality = Quality.NORMAL
    infill_percent: int = 15
    supports: bool = False

    def __post_init__(self) -> None:
        _check_material(self.material)
        object.__setattr__(self, "quality", _quality(self.quality))
        _check_infill(self.infill_percent)
        if not isinstance(self.supports, bool):
            raise Invalid("Supports are either wanted or not.", field="supports")


def _check_material(material: object) -> None:
    if not isinstance(material, str) or not material.strip():
        raise Invalid("Choose a material.", field="material")
    if len(material) > LONGEST_MATERIAL or not MATERIAL_CHARACTERS.issuperset(material):
        raise Invalid(
            "“{material}” is not the name of a material.", field="material", material=material[:LONGEST_MATERIAL]
        )


def _quality(word: object) -> Quality:
    try:
        return Quality(str(word))
    except ValueError:
        known = ", ".join(Quality)
        raise Invalid(
            "“{quality}” is not a quality we know. Choose one of: {known}.",
            field="quality",
            quality=str(word)[:LONGEST_MATERIAL],
            known=known,
        ) from None


def _check_infill(percent: object) -> None:
    if isinstance(percent, bool) or not isinstance(percent, int):
        raise Invalid("The infill is a whole number of percent.", field="infill_percent")
    if not 0 <= percent <= 100:
        raise Invalid("The infill is between 0 and 100 %.", field="infill_percent")
