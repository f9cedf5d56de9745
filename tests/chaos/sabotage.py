"""What goes wrong with printers, their servers and the lines to them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import partial

from fablab.machines.services import ABSENCE
from fablab.printers.octorest_client import READ_S
from fablab.printers.simulated import Fault, Mishap
from tests.chaos.benches import BY_HAND, Bench, SimulatedBench
from tests.chaos.episodes import Episode, Later, Of
from tests.chaos.octoprints import OctoPrintBench

TRIGGERS = {
    Mishap.ERROR: "error",
    Mishap.OFFLINE: "offline",
    Mishap.POWER_LOSS: "power loss",
    Mishap.PAUSE: "paused by itself",
    Mishap.STOP: "stopped at the machine",
}
INJECTED = {
    "serial line dropped": "!!DEBUG:drop_connection",
    "firmware error": "!!DEBUG:trigger_fatal_error_marlin",
    "heater too hot": "!!DEBUG:maxtemp_error",
    "stopped at the machine": "!!DEBUG:action_custom cancel",
    "paused at the machine": "!!DEBUG:action_pause",
}
TRY_TO_INJECT_EVERY_S, TRY_TO_INJECT_FOR_S = 0.5, 60.0


class Sabotage:
    """Makes faults on one of the printers that can have them. `pace`: how much shorter an absence is that counts."""

    def __init__(self, benches: Mapping[int, Bench], pace: float, chance: random.Random, later: Later) -> None:
        self.benches, self.pace, self.chance, self.later = benches, pace, chance, later
        self._by_hand = 0

    def kinds(self) -> list[Callable[[], Episode]]:
        """Return every kind of fault that these printers can have."""
        cut = partial(partial, self._cut)
        simulated = [
            cut("upload", Fault.CUT_AFTER),
            cut("select", Fault.CUT_AFTER),
            cut("start", Fault.CUT_BEFORE),
            cut("start", Fault.CUT_AFTER),
            cut("start", Fault.REFUSED),
            cut("start", Fault.SILENT),
            cut("start", Fault.SLOW),
            cut("start", Fault.LATE),
            cut("look", Fault.SLOW),
            cut("history", Fault.RESTARTED),
            cut("delete", Fault.CUT_BEFORE),
            *(partial(self._mishap, what) for what in TRIGGERS),
            self._switched_off,
            self._restarted_while_starting,
            self._restarted_before_a_late_start,
            self._print_by_hand,
        ]
        real = [self._killed, self._frozen, *(partial(self._inject, what) for what in INJECTED)]
        return [*simulated, *(real if self._real() else [])]

    def _simulated(self) -> tuple[int, SimulatedBench]:
        return self.chance.choice([(i, b) for i, b in self.benches.items() if isinstance(b, SimulatedBench)])

    def _real(self) -> list[tuple[int, OctoPrintBench]]:
        return [(i, b) for i, b in self.benches.items() if isinstance(b, OctoPrintBench)]

    # Simulated printers ----------------------------------------------------------------------------------------------

    def _cut(self, command: str, fault: Fault) -> Episode:
        machine_id, bench = self._simulated()
        bench.printer.fail_next(command, fault)
        kind = f"{command}: {fault.replace('_', ' ')}"
        return Episode(kind, of=Of.PRINTER, machine_id=machine_id, trigger=f"{command}: {fault}")

    def _mishap(self, what: Mishap) -> Episode:
        machine_id, bench = self._simulated()
        bench.printer.mishap(what, 0.5)
        return _on(machine_id, f"mid-print: {what.replace('_', ' ')}", TRIGGERS[what])

    def _switched_off(self) -> Episode:
        machine_id, bench = self._simulated()
        bench.printer.switch_off()
        self.later.at(self.chance.uniform(2, 6), lambda: bench.printer.switch_off(off=False))
        return _on(machine_id, "printer's server off the network")

    def _restarted_while_starting(self) -> Episode:
        """The start is swallowed, and the server comes back with nothing selected: nobody can know."""
        machine_id, bench = self._simulated()
        bench.printer.fail_next("start", Fault.CUT_AFTER)
        bench.printer.mishap(Mishap.POWER_LOSS, 0.0)
        return _on(machine_id, "printer's server restarted while starting", "power loss")

    def _restarted_before_a_late_start(self) -> Episode:
        """Nobody can know, a person says that nothing was printed, and then the start arrives after all."""
        machine_id, bench = self._simulated()
        bench.printer.fail_next("start", Fault.LATE)
        bench.printer.fail_next("history", Fault.RESTARTED)
        return _on(machine_id, "printer's server restarted, start late", "power loss")

    def _print_by_hand(self) -> Episode:
        """Somebody prints something without asking, for longer than an absence that is not noticed."""
        machine_id, bench = self._simulated()
        self._by_hand += 1
        seconds = 1.05 * ABSENCE.total_seconds() / self.pace
        name = f"somebody-{self._by_hand}.gcode"
        self._until_it_works(lambda: bench.print_by_hand(name, seconds))
        return _on(machine_id, "somebody prints by hand", BY_HAND, shows=False)

    # Real ones -------------------------------------------------------------------------------------------------------

    def _killed(self) -> Episode:
        machine_id, bench = self.chance.choice(self._real())
        bench.kill()
        self.later.at(1.0, bench.start)
        return _on(machine_id, "OctoPrint killed and restarted")

    def _frozen(self) -> Episode:
        machine_id, bench = self.chance.choice(self._real())
        bench.freeze(1.4 * READ_S)
        return _on(machine_id, "OctoPrint frozen past every time-out")

    def _inject(self, what: str) -> Episode:
        machine_id, bench = self.chance.choice(self._real())
        self._until_it_works(lambda: bench.inject(what, INJECTED[what]))
        return _on(machine_id, f"OctoPrint: {what}", what)

    def _until_it_works(self, act: Callable[[], bool], left_s: float = TRY_TO_INJECT_FOR_S) -> None:
        if left_s > 0 and not act():
            left_s -= TRY_TO_INJECT_EVERY_S
            self.later.at(TRY_TO_INJECT_EVERY_S, lambda: self._until_it_works(act, left_s))


def _on(machine_id: int, kind: str, trigger: str = "", *, shows: bool = True) -> Episode:
    return Episode(kind, of=Of.PRINTER, machine_id=machine_id, trigger=trigger, shows=shows)
