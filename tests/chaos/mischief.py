"""Makes one fault after the other: those of printers, and those of our own processes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import redis
from sqlalchemy import select

from fablab import bus, db, files
from fablab.embedded import Child
from fablab.jobs import queries as jobs
from fablab.jobs.models import Slice
from fablab.settings import settings
from tests.chaos import clock
from tests.chaos.episodes import Episode, Later, Of
from tests.chaos.place import Place, freeze, kill
from tests.chaos.sabotage import Sabotage

LEASE_S = 45.0
FROZEN_LEASES = 1.3
DOUBLED = 12
AN_HOUR_S = 3600.0


class Mischief:
    """Makes faults, each kind in turn, in an order that the seed decides."""

    def __init__(self, place: Place, chance: random.Random) -> None:
        self.place, self.chance, self.later = place, chance, Later()
        self.printers = Sabotage(place.benches, place.options.pace, chance, self.later)
        self.episodes: list[Episode] = []
        self.ended_by_themselves = 0
        self._deck: list[Callable[[], Episode]] = []
        self._coming: set[str] = set()

    def make(self) -> None:
        """Make the next fault."""
        if not self._deck:
            self._deck = [*self.printers.kinds(), *self._kinds()]
            self.chance.shuffle(self._deck)
        self.episodes.append(self._deck.pop()())

    def supervise(self) -> None:
        """Start again what has ended by itself, as every supervisor does: some losses of Redis end a Celery worker."""
        for child in self.place.everything:
            if not child.alive() and child.program.name not in self._coming:
                self.ended_by_themselves += 1
                self._back(child, 0.5)

    def heal(self) -> None:
        """Let everything that is down come back, and set every clock right."""
        self.later.do_all()

    def _back(self, child: Child, seconds: float) -> None:
        name = child.program.name

        def start() -> None:
            self._coming.discard(name)
            child.start()

        self._coming.add(name)
        self.later.at(seconds, start)

    def _kinds(self) -> list[Callable[[], Episode]]:
        return [
            self._worker_killed,
            self._worker_killed,
            self._worker_frozen,
            self._watcher_killed,
            self._watcher_frozen,
            self._worker_ahead,
            self._everybody_ahead,
            self._web_killed,
            self._web_killed,
            self._redis_emptied,
            self._redis_killed,
            self._messages_doubled,
            self._messages_doubled,
            self._prepared_file_lost,
        ]

    def _killed(self, victim: Child, what: str, of: Of) -> Episode:
        pause = self.chance.uniform(0.3, 2.0)
        if victim.alive():
            kill(victim)
            self._back(victim, pause)
        return Episode(what, of=of, over_at=time.time() + pause)

    def _worker_killed(self) -> Episode:
        return self._killed(self.chance.choice(self.place.workers), "worker killed", Of.WORKERS)

    def _web_killed(self) -> Episode:
        return self._killed(self.place.web, "web killed", Of.WEB)

    def _redis_killed(self) -> Episode:
        return self._killed(self.place.broker, "Redis killed and restarted", Of.WORKERS)

    def _watcher_killed(self) -> Episode:
        return self._killed(self.place.watcher, "watcher killed", Of.WORKERS)

    def _worker_frozen(self) -> Episode:
        return self._frozen(self.chance.choice(self.place.workers), "worker frozen past its lease")

    def _watcher_frozen(self) -> Episode:
        return self._frozen(self.place.watcher, "watcher frozen past its lease")

    def _frozen(self, victim: Child, what: str) -> Episode:
        if victim.alive():
            freeze(victim, FROZEN_LEASES * LEASE_S / self.place.options.pace)
        return Episode(what)

    def _worker_ahead(self) -> Episode:
        return self._ahead([self.chance.choice(self.place.workers)], "clock of a worker an hour ahead, then right")

    def _everybody_ahead(self) -> Episode:
        everybody = [self.place.web, self.place.watcher, *self.place.workers]
        return self._ahead(everybody, "all clocks an hour ahead, then right")

    def _ahead(self, victims: list[Child], what: str) -> Episode:
        clocks = [self.place.clock_of(victim) for victim in victims]
        for each in clocks:
            clock.set_off(each, AN_HOUR_S)
        seconds = self.chance.uniform(2, 8)
        self.later.at(seconds, lambda: [clock.set_off(each, 0.0) for each in clocks])
        return Episode(what, over_at=time.time() + seconds)

    def _redis_emptied(self) -> Episode:
        try:
            with redis.Redis.from_url(settings().redis(), socket_connect_timeout=1) as connection:
                connection.flushall()
        except redis.RedisError:
            return Episode("Redis emptied (while away)")
        return Episode("Redis emptied")

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
        return Episode(f"messages sent {DOUBLED} times")

    def _prepared_file_lost(self) -> Episode:
        """The disk loses a file that was sliced, and damages the next."""
        with db.reading() as session:
            hashes = list(session.scalars(select(Slice.gcode_sha256).order_by(Slice.id)))
        if hashes:
            path = files.path_of(self.chance.choice(hashes))
            if path.exists() and self.chance.random() < 0.5:
                path.write_text("G28\n")
            else:
                path.unlink(missing_ok=True)
        return Episode("prepared file lost or damaged")
