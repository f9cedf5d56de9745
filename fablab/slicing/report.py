"""What a person wants to know about a part they sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fablab.slicing.findings import Finding, Kind, Severity
from fablab.slicing.orientation import Pose
from fablab.words import Sentence

Size = tuple[float, float, float]


@dataclass(frozen=True)
class MeshReport:
    """What was measured. `size_mm` is as it lies, `poses` other ways to lie; `trusted` says whether estimates hold."""

    triangles: int
    size_mm: Size
    volume_mm3: float
    area_mm2: float
    watertight: bool
    inverted: bool
    trusted: bool
    findings: list[Finding]
    bodies: int | None = None
    poses: list[Pose] = field(default_factory=list)

    @property
    def warnings(self) -> list[Sentence]:
        """The sentences of the findings."""
        return [finding.sentence for finding in self.findings]

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` turns back into this report."""
        return {
            "triangles": self.triangles,
            "size_mm": list(self.size_mm),
            "volume_mm3": self.volume_mm3,
            "area_mm2": self.area_mm2,
            "watertight": self.watertight,
            "inverted": self.inverted,
            "trusted": self.trusted,
            "findings": [each.to_json() for each in self.findings],
            "bodies": self.bodies,
            "poses": [each.to_json() for each in self.poses],
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> MeshReport:
        """Return the report that `to_json` wrote; reports from before there were findings have warnings."""
        x, y, z = data["size_mm"]
        notes = [Finding(Kind.NOTE, Severity.WARN, Sentence.from_json(each)) for each in data.get("warnings", [])]
        return MeshReport(
            triangles=data["triangles"],
            size_mm=(x, y, z),
            volume_mm3=data["volume_mm3"],
            area_mm2=data["area_mm2"],
            watertight=data["watertight"],
            inverted=data["inverted"],
            trusted=data["trusted"],
            findings=[Finding.from_json(each) for each in data.get("findings", [])] or notes,
            bodies=data.get("bodies"),
            poses=[Pose.from_json(each) for each in data.get("poses", [])],
        )
