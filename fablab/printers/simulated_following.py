"""Following a simulated printer: a glance at its file now and then, which costs less than any connection."""

from __future__ import annotations

import asyncio

from fablab.printers.contract import Notice, Reach, Sign
from fablab.printers.simulated import SimulatedPrinter

GLANCE_EVERY_S = 0.5


async def follow(reach: Reach, notice: Notice) -> None:
    """Glance until the printer's server is switched off."""
    printer = SimulatedPrinter(reach.address)
    while True:
        notice(Sign(printer.glance()))
        await asyncio.sleep(GLANCE_EVERY_S)
