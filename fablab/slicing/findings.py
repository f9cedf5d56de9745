"""What was noticed about a part: one sentence each and, where something can be done about it, one action."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fablab.slicing.changes import Change
from fablab.words import Sentence

MOST_SHOWN = 4
"""More is a wall of warnings that nobody reads."""


class Kind(StrEnum):
    """What a finding is about, the most serious first."""

    OPEN = "open"
    UNIT = "unit"
    TOO_BIG = "too_big"
    FLAT_SIDE = "flat_side"
    CONTACT = "contact"
    OVERHANG = "overhang"
    THIN = "thin"
    OVERLAP = "overlap"
    BODIES = "bodies"
    INVERTED = "inverted"
    NOTE = "note"


class Severity(StrEnum):
    """How much a person should mind: it will fail, it may, or it is only good to know."""

    BAD = "bad"
    WARN = "warn"
    NOTE = "note"


@dataclass(frozen=True)
class Action:
    """What one button does: change the part, or print it with supports."""

    label: Sentence
    change: Change | None = None
    supports: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` turns back into this action."""
        change = self.change.to_json() if self.change is not None else None
        return {"label": self.label.to_json(), "change": change, "supports": self.supports}

    @staticmethod
    def from_json(data: dict[str, Any]) -> Action:
        """Return the action that `to_json` wrote."""
        change = Change.from_json(data["change"]) if data["change"] is not None else None
        return Action(Sentence.from_json(data["label"]), change, bool(data["supports"]))


@dataclass(frozen=True)
class Finding:
    """Something noticed. `pictured` says whether a picture shows where."""

    kind: Kind
    severity: Severity
    sentence: Sentence
    action: Action | None = None
    pictured: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` turns back into this finding."""
        return {
            "kind": self.kind.value,
            "severity": self.severity.value,
            "sentence": self.sentence.to_json(),
            "action": self.action.to_json() if self.action is not None else None,
            "pictured": self.pictured,
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> Finding:
        """Return the finding that `to_json` wrote."""
        return Finding(
            Kind(data["kind"]),
            Severity(data["severity"]),
            Sentence.from_json(data["sentence"]),
            Action.from_json(data["action"]) if data["action"] is not None else None,
            bool(data["pictured"]),
        )


def ranked(findings: list[Finding]) -> list[Finding]:
    """Return the findings worth showing, the most serious first."""
    order = list(Kind)
    return sorted(findings, key=lambda finding: order.index(finding.kind))[:MOST_SHOWN]
