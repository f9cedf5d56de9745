"""A run: orders and faults at moments that the seed decides, people who do their part, and what came of it."""

from __future__ import annotations

import logging
import random
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median

from sqlalchemy.exc import SQLAlchemyError

from fablab import db
from fablab.jobs import queries as jobs
from tests.chaos import checks
from tests.chaos.alice import Manner
from tests.chaos.episodes import Episode
from tests.chaos.mischief import LEASE_S, Mischief
from tests.chaos.place import Options, Place, open_place
from tests.chaos.watching import Watching
from tests.running import FABLAB

log = logging.getLogger(__name__)

STEP_S = 0.25
SETTLE_S, SETTLE_REAL_S = 120.0, 400.0


@dataclass
class Outcome:
    """What came of a run: the sentences of everything that was wrong, and how long faults took."""

    orders: int
    episodes: list[Episode]
    starts: int
    settled_s: float
    ended_by_themselves: int
    money: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    @property
    def happened(self) -> list[Episode]:
        """The faults that took place: one that waited for a command or a print may never have had its moment."""
        return [episode for episode in self.episodes if episode.began_at is not None]

    def figures(self) -> dict[str, int]:
        """Return the figures of the last line."""
        counted = {name: len(found) for name, found in self.wrong.items()}
        return {"orders": self.orders, "faults": len(self.happened), **self.money, **counted}


def table(episodes: Iterable[Episode]) -> str:
    """Return the faults by kind, with the median and the worst seconds until noticed and until working again."""
    kinds: dict[str, list[Episode]] = defaultdict(list)
    for episode in episodes:
        kinds[episode.kind].append(episode)
    lines = [f"{'fault':<44}{'times':>6}{'noticed, s':>16}{'working again, s':>20}"]
    for kind, found in sorted(kinds.items()):
        noticed, working = _spread(e.noticed_s for e in found), _spread(e.working_s for e in found)
        lines.append(f"{kind:<44}{len(found):>6}{noticed:>16}{working:>20}")
    return "\n".join(lines)


def _spread(seconds: Iterable[float | None]) -> str:
    known = [each for each in seconds if each is not None]
    return f"{median(known):.1f} / {max(known):.1f}" if known else "–"


class Run:
    """One run in a place that is open."""

    def __init__(self, place: Place) -> None:
        self.place, self.options = place, place.options
        self.mischief = Mischief(place, random.Random(f"faults {self.options.seed}"))
        self.watching = Watching(place)
        self.copies = random.Random(f"orders {self.options.seed}")
        self.manners = cycle(Manner)
        clock = random.Random(f"moments {self.options.seed}")
        end = self.options.seconds
        self.order_at = sorted([0.0, *(clock.uniform(0, 0.7 * end) for _ in range(self.options.orders - 1))])
        self.fault_at = sorted(clock.uniform(1, 0.95 * end) for _ in range(self.options.faults))
        self.began = time.monotonic()

    def go(self) -> Outcome:
        """Let it all happen, wait until it is settled, and look at what is there."""
        while self.order_at or self.fault_at:
            self._step()
        self.mischief.heal()
        healed = time.monotonic()
        within_s = SETTLE_REAL_S if self.options.octoprints else SETTLE_S
        while time.monotonic() - healed < within_s and not self._settled():
            self._step()
        settled_s = time.monotonic() - healed
        self._watch_for(1.5 * LEASE_S / self.options.pace)
        for person in self.place.people:
            person.go_home()
        return self._outcome(settled_s)

    def _step(self) -> None:
        now = time.monotonic() - self.began
        while self.order_at and self.order_at[0] <= now:
            self.order_at.pop(0)
            self.place.alice.wants(self.copies.choice((1, 1, 2)), next(self.manners))
        if self.fault_at and self.fault_at[0] <= now and self._tried(self.mischief.make):
            self.fault_at.pop(0)
        self.mischief.later.do_due()
        self.mischief.supervise()
        self._tried(lambda: self.watching.look(self.mischief.episodes))
        time.sleep(STEP_S)

    def _watch_for(self, seconds: float) -> None:
        """Wait until whoever was frozen or slow has had the time to do harm."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._step()

    @staticmethod
    def _tried(act: Callable[[], None]) -> bool:
        """Do something, or a moment later when the database is locked or away."""
        try:
            act()
        except SQLAlchemyError as problem:
            log.warning("%s", problem)
            return False
        return True

    def _settled(self) -> bool:
        if self.place.alice.intents:
            return False
        try:
            with db.reading() as session:
                printed = not checks.open_orders(session, self.place.confirmed()) and not jobs.live_attempts(session)
                return printed and self.place.thea.has_done_everything(session)
        except SQLAlchemyError:
            return False

    def _outcome(self, settled_s: float) -> Outcome:
        records = {machine_id: bench.record() for machine_id, bench in self.place.benches.items()}
        starts = sum(line.what == "start" for record in records.values() for line in record)
        confirmed, waiting = self.place.confirmed(), len(self.place.alice.intents)
        with db.reading() as session:
            money = checks.money(session)
            wrong = {
                "double_starts": checks.double_starts(records) + checks.late_starts(session, records),
                "dirty_starts": checks.dirty_starts(records),
                "lost": checks.lost(session, confirmed)
                + checks.unknown_starts(session, records)
                + checks.unwanted(session, confirmed),
                "stuck": checks.stuck(session, confirmed) + ["an order cannot be confirmed"] * waiting,
                "unbalanced": checks.unbalanced(session) + checks.untold(session, self.place.thea.told) + verified(),
                "without_money": checks.without_money(money),
                "held_without_release": checks.held_without_release(session),
            }
        mischief = self.mischief
        ended = mischief.ended_by_themselves
        return Outcome(len(confirmed), mischief.episodes, starts, settled_s, ended, money, wrong)


def verified() -> list[str]:
    """Return what `fablab billing verify` says, as a process of its own, when it does not leave with 0."""
    answer = subprocess.run([FABLAB, "billing", "verify"], capture_output=True, text=True, timeout=120, check=False)
    return [f"verify: {line}" for line in (answer.stderr or "failed").splitlines()] if answer.returncode else []


def run(folder: Path, options: Options) -> Outcome:
    """Run chaos in an empty folder."""
    with open_place(folder, options) as place:
        return Run(place).go()
