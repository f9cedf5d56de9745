"""Printer drivers: one file each, one contract for all of them, chosen by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fablab.errors import Problem
from fablab.printers.contract import (
    BUSY,
    Denied,
    FileHistory,
    Finding,
    NobodyKnows,
    NotSent,
    Printer,
    PrinterState,
    Reading,
    Refused,
)
from fablab.printers.octoprint import OctoPrintPrinter
from fablab.printers.simulated import SimulatedPrinter
from fablab.words import say

__all__ = [
    "BUSY",
    "DRIVERS",
    "Denied",
    "FileHistory",
    "Finding",
    "NobodyKnows",
    "NotSent",
    "Printer",
    "PrinterState",
    "Reading",
    "Refused",
    "open_printer",
]

Opener = Callable[[str, str | None, Sequence[str]], Printer]

DRIVERS: Mapping[str, Opener] = {
    "octoprint": OctoPrintPrinter,
    "simulated": lambda address, _key, _networks: SimulatedPrinter(address),
}

PRIVATE_NETWORKS = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")


def open_printer(
    driver: str, address: str, key: str | None, *, allowed_networks: Sequence[str] = PRIVATE_NETWORKS
) -> Printer:
    """Return a driver for a printer. Nothing is sent yet.

    Raises `Problem` when there is no such driver or the address is not one a printer may have.
    """
    if driver not in DRIVERS:
        raise Problem(say("There is no driver called “{driver}”.", driver=driver))
    return DRIVERS[driver](address, key, allowed_networks)
