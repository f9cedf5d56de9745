"""What goes wrong, by name; each returns how one can tell that it was noticed and that work goes on."""

from __future__ import annotations

import heapq
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import redis

from fablab import bus, db
from fablab.embedded import Child
from fablab.jobs import queries as jobs
from fablab.printers.simulated import Fault, Mishap
from fablab.settings import settings
from tests.chaos.benches import OctoPrintBench, SimulatedBench
from tests.chaos.place import Place, freeze, kill

LEASE_S = 45.0
FROZEN_LEASES = 1.3
DOUBLED = 12
TRIGGERS = {
    Mishap.ERROR: "error",
    Mishap.OFFLINE: "offline",
    Mishap.POWER_LOSS: "power loss",
    Mishap.PAUSE: "paused by itself",
    Mishap.STOP: "stopped at the machine",
}


@dataclass
class Episode:
    """A fault that was made. On a printer it begins with the line `trigger` of its record, at once if that is empty.

    `shows`: the board shows it, so that one can tell when it was noticed.

    Faults of our own processes have no machine: work goes on when every printer in reach was looked at after `over_at`.
    """

    kind: str
    made_at: float
    machine_id: int | None = None
    trigger: str | None = None
    shows: bool = True
    over_at: float = 0.0
    began_at: float | None = None
    noticed_s: float | None = None
    working_s: float | None = None


@dataclass
class Later:
    """Things to be done by the main thread when their moment has come."""

    waiting: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    numbers: count[int] = field(default_factory=count)

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self.waiting, (time.monotonic() + seconds, next(self.numbers), act))

    def do_due(self) -> None:
        while self.waiting and self.waiting[0][0] <= time.monotonic():
            heapq.heappop(self.waiting)[2]()


class Mischief:
    """Makes one fault after the other, each kind in turn, in an order that the seed decides."""

    def __init__(self, place: Place, chance: random.Random) -> None:
        self.place, self.chance, self.later = place, chance, Later()
        self.episodes: list[Episode] = []
        self.ended_by_themselves = 0
        self._deck: list[Callable[[], Episode]] = []
        self._coming: set[str] = set()

    def make(self) -> None:
        """Make the next fault."""
        if not self._deck:
            self._deck = self._kinds()
            self.chance.shuffle(self._deck)
        self.episodes.append(self._deck.pop()())

    def supervise(self) -> None:
        """Start again what has ended by itself, as every supervisor does: some losses of Redis end a Celery worker."""
        for child in (self.place.broker, *self.place.workers):
            if not child.alive() and child.program.name not in self._coming:
                self.ended_by_themselves += 1
                self._back(child, 0.5)

    def _back(self, child: Child, seconds: float) -> None:
        name = child.program.name

        def start() -> None:
            self._coming.discard(name)
            child.start()

        self._coming.add(name)
        self.later.at(seconds, start)

    def heal(self) -> None:
        """Let everything that is down come back, and wake what is asleep, at its own moment."""
        for _, _, act in sorted(self.later.waiting, key=lambda each: each[:2]):
            act()
        self.later.waiting.clear()

    def _kinds(self) -> list[Callable[[], Episode]]:
        printers = [
            lambda: self._cut("upload", Fault.CUT_AFTER),
            lambda: self._cut("select", Fault.CUT_AFTER),
            lambda: self._cut("start", Fault.CUT_BEFORE),
            lambda: self._cut("start", Fault.CUT_AFTER),
            lambda: self._cut("start", Fault.REFUSED),
            lambda: self._cut("start", Fault.SILENT),
            lambda: self._cut("start", Fault.SLOW),
            lambda: self._cut("start", Fault.LATE),
            lambda: self._cut("look", Fault.SLOW),
            lambda: self._cut("history", Fault.RESTARTED),
            lambda: self._cut("delete", Fault.CUT_BEFORE),
            *(lambda what=what: self._mishap(what) for what in TRIGGERS),
            self._switched_off,
            self._restarted_while_starting,
            self._restarted_before_a_late_start,
        ]
        ours = [
            self._worker_killed,
            self._worker_killed,
            self._worker_frozen,
            self._redis_emptied,
            self._redis_killed,
            self._messages_doubled,
            self._messages_doubled,
        ]
        real = [self._octoprint_killed] * 2 if self._real() else []
        return [*printers, *ours, *real]

    # Printers --------------------------------------------------------------------------------------------------------

    def _simulated(self) -> tuple[int, SimulatedBench]:
        return self.chance.choice([(i, b) for i, b in self.place.benches.items() if isinstance(b, SimulatedBench)])

    def _real(self) -> list[tuple[int, OctoPrintBench]]:
        return [(i, b) for i, b in self.place.benches.items() if isinstance(b, OctoPrintBench)]

    def _cut(self, command: str, fault: Fault) -> Episode:
        machine_id, bench = self._simulated()
        bench.printer.fail_next(command, fault)
        return Episode(
            f"{command}: {fault.replace('_', ' ')}", time.time(), machine_id, f"{command}: {fault}", shows=False
        )

    def _mishap(self, what: Mishap) -> Episode:
        machine_id, bench = self._simulated()
        bench.printer.mishap(what, 0.5)
        return Episode(f"mid-print: {what.replace('_', ' ')}", time.time(), machine_id, TRIGGERS[what])

    def _switched_off(self) -> Episode:
        machine_id, bench = self._simulated()
        bench.printer.switch_off()
        self.later.at(self.chance.uniform(2, 6), lambda: bench.printer.switch_off(off=False))
        return Episode("printer's server off the network", time.time(), machine_id, "")

    def _restarted_while_starting(self) -> Episode:
        """The start is swallowed, and the server comes back with nothing selected: nobody can know."""
        machine_id, bench = self._simulated()
        bench.printer.fail_next("start", Fault.CUT_AFTER)
        bench.printer.mishap(Mishap.POWER_LOSS, 0.0)
        return Episode("printer's server restarted while starting", time.time(), machine_id, "power loss")

    def _restarted_before_a_late_start(self) -> Episode:
        """Nobody can know, a person says that nothing was printed, and then the start arrives after all."""
        machine_id, bench = self._simulated()
        bench.printer.fail_next("start", Fault.LATE)
        bench.printer.fail_next("history", Fault.RESTARTED)
        return Episode("printer's server restarted, start late", time.time(), machine_id, "power loss")

    def _octoprint_killed(self) -> Episode:
        machine_id, bench = self.chance.choice(self._real())
        bench.kill()
        self.later.at(1.0, bench.start)
        return Episode("OctoPrint killed and restarted", time.time(), machine_id, "")

    # Our own processes -----------------------------------------------------------------------------------------------

    def _worker_killed(self) -> Episode:
        victim = self.chance.choice(self.place.workers)
        pause = self.chance.uniform(0.3, 2.0)
        if victim.alive():
            kill(victim)
            self._back(victim, pause)
        return Episode("worker killed", time.time())

    def _worker_frozen(self) -> Episode:
        victim = self.chance.choice(self.place.workers)
        if victim.alive():
            freeze(victim, FROZEN_LEASES * LEASE_S / self.place.options.pace)
        return Episode("worker frozen past its lease", time.time())

    def _redis_emptied(self) -> Episode:
        try:
            with redis.Redis.from_url(settings().redis(), socket_connect_timeout=1) as connection:
                connection.flushall()
        except redis.RedisError:
            return Episode("Redis emptied (while away)", time.time())
        return Episode("Redis emptied", time.time())

    def _redis_killed(self) -> Episode:
        pause = self.chance.uniform(0.5, 3.0)
        if self.place.broker.alive():
            kill(self.place.broker)
            self._back(self.place.broker, pause)
        return Episode("Redis killed and restarted", time.time(), over_at=time.time() + pause)

    def _messages_doubled(self) -> Episode:
        with db.reading() as session:
            attempts = [attempt.id for attempt in jobs.live_attempts(session)]
        transport = bus.transport()
        for _ in range(DOUBLED):
            transport.ask("schedule", ())
            for machine_id in self.place.benches:
                transport.ask("watch", (machine_id,))
            for attempt_id in attempts:
                transport.ask("dispatch", (attempt_id,))
        return Episode(f"messages sent {DOUBLED} times", time.time())
