"""The printers of the chaos, as somebody sees them who stands in front of them: never through our database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fablab.printers.simulated import SimulatedPrinter

BY_HAND = "by_hand"


@dataclass(frozen=True, order=True)
class Happened:
    """One line of a printer's own record."""

    at: float
    what: str
    name: str | None


class Bench(Protocol):
    """A printer to stand in front of."""

    driver: str
    address: str
    key: str

    def record(self) -> Sequence[Happened]:
        """What the printer itself wrote down, in order."""

    def prints(self) -> bool:
        """Whether it is moving."""

    def take_off(self) -> bool:
        """Empty the plate and write that into the record; False while it is moving."""

    def reconnect(self) -> None:
        """Press the button that ends an error."""


class SimulatedBench:
    """A simulated printer."""

    driver, key = "simulated", ""

    def __init__(self, folder: Path, late_s: float) -> None:
        self.address = f"{folder}?speed=15&least=1.5&most=3&late={late_s}"
        self.printer = SimulatedPrinter(self.address)

    def record(self):
        return [Happened(line["at"], line["what"], line["name"]) for line in self.printer.journal()]

    def prints(self):
        with self.printer._open() as state:
            return state.printing

    def take_off(self):
        return self.printer.take_off()

    def reconnect(self):
        with self.printer._open() as state:
            state.error, state.offline = None, False

    def print_by_hand(self, name: str, seconds: float) -> bool:
        """Print something at the machine, as people do who do not ask; False while it is moving."""
        if self.prints():
            return False
        self.printer.print_by_hand(name, seconds)
        return True
