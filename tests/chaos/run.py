"""A run: orders and faults at moments that the seed decides, people who do their part, and what came of it."""

from __future__ import annotations

import logging
import random
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from sqlalchemy.exc import SQLAlchemyError

from fablab import db
from fablab.errors import Problem
from fablab.jobs import queries as jobs
from fablab.jobs.models import Attempt
from fablab.jobs.states import NEEDS_SIGNOFF, AttemptState
from fablab.machines import queries as machine_queries
from fablab.machines.models import Operation
from tests.chaos import checks
from tests.chaos.benches import Happened
from tests.chaos.mischief import LEASE_S, Episode, Mischief
from tests.chaos.people import Bob
from tests.chaos.place import Options, Place, open_place

log = logging.getLogger(__name__)

STEP_S = 0.25
SETTLE_S = 150.0
SAME_S = 0.05
SIGNS = NEEDS_SIGNOFF | {AttemptState.START_FAILED, AttemptState.PAUSED, AttemptState.SIGNED_OFF}


@dataclass
class Outcome:
    """What came of a run: the sentences of everything that was wrong, and how long faults took."""

    orders: int
    episodes: list[Episode]
    starts: int
    settled_s: float
    ended_by_themselves: int
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def figures(self) -> dict[str, int]:
        """Return the figures of the last line."""
        counted = {name: len(found) for name, found in self.wrong.items()}
        return {"orders": self.orders, "faults": len(self.episodes), **counted}

    def table(self) -> str:
        """Return the faults by kind, with the median and the worst seconds until noticed and until working again."""
        kinds: dict[str, list[Episode]] = defaultdict(list)
        for episode in self.episodes:
            kinds[episode.kind].append(episode)
        lines = [f"{'fault':<44}{'times':>6}{'noticed, s':>16}{'working again, s':>20}"]
        for kind, found in sorted(kinds.items()):
            noticed, working = _spread([e.noticed_s for e in found]), _spread([e.working_s for e in found])
            lines.append(f"{kind:<44}{len(found):>6}{noticed:>16}{working:>20}")
        return "\n".join(lines)


def _spread(seconds: list[float | None]) -> str:
    known = [each for each in seconds if each is not None]
    return f"{median(known):.1f} / {max(known):.1f}" if known else "–"


class Run:
    """One run in a place that is open."""

    def __init__(self, place: Place) -> None:
        self.place, self.options = place, place.options
        self.bob = Bob(place, random.Random(f"people {self.options.seed}"))
        self.mischief = Mischief(place, random.Random(f"faults {self.options.seed}"))
        self.copies = random.Random(f"orders {self.options.seed}")
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
        while time.monotonic() - healed < SETTLE_S and not self._settled():
            self._step()
        settled_s = time.monotonic() - healed
        self._watch_for(1.5 * LEASE_S / self.options.pace)
        return self._outcome(settled_s)

    def _step(self) -> None:
        now = time.monotonic() - self.began
        if self.order_at and self.order_at[0] <= now and self._tried(self._order):
            self.order_at.pop(0)
        if self.fault_at and self.fault_at[0] <= now and self._tried(self.mischief.make):
            self.fault_at.pop(0)
        self.mischief.later.do_due()
        self.mischief.supervise()
        self._tried(self.bob.walk)
        self._tried(self._observe)
        time.sleep(STEP_S)

    def _watch_for(self, seconds: float) -> None:
        """Wait until whoever was frozen or slow has had the time to do harm."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._step()

    def _order(self) -> None:
        self.place.order(self.copies.choice((1, 1, 2)))

    @staticmethod
    def _tried(act: Callable[[], None]) -> bool:
        """Do something as a person does: who meets a locked database or somebody faster tries again a moment later."""
        try:
            act()
        except (SQLAlchemyError, Problem) as problem:
            log.warning("%s: %s", act.__qualname__, problem)
            return False
        return True

    def _settled(self) -> bool:
        try:
            with db.reading() as session:
                return not checks.open_orders(session, self.place.orders) and not jobs.live_attempts(session)
        except SQLAlchemyError:
            return False

    # Observing -------------------------------------------------------------------------------------------------------

    def _observe(self) -> None:
        """Note for each fault when it was noticed and when work went on, as far as that can be told."""
        with db.reading() as session:
            everything = machine_queries.all_in_use(session)
            recent = session.query(Attempt).order_by(Attempt.id.desc()).limit(40).all()
        looked = [m.looked_at.timestamp() for m in everything if m.looked_at and m.operation != Operation.OFFLINE]
        seen_all_since = min(looked, default=0.0)
        now = time.time()
        for episode in self.mischief.episodes:
            if episode.machine_id is None:
                if episode.working_s is None and seen_all_since > max(episode.made_at, episode.over_at):
                    episode.working_s = now - episode.made_at
                continue
            machine = next(m for m in everything if m.id == episode.machine_id)
            record = self.place.benches[machine.id].record()
            self._began(episode, record)
            if episode.began_at is None:
                continue
            if episode.shows and episode.noticed_s is None and self._noticed(episode, machine.operation, recent):
                episode.noticed_s = now - episode.began_at
            if episode.working_s is None:
                starts = [line.at for line in record if line.what == "start" and line.at > episode.began_at + SAME_S]
                episode.working_s = starts[0] - episode.began_at if starts else None

    @staticmethod
    def _began(episode: Episode, record: list[Happened]) -> None:
        if episode.began_at is not None or episode.trigger is None:
            return
        if not episode.trigger:
            episode.began_at = episode.made_at
            return
        there = [line.at for line in record if line.what == episode.trigger and line.at >= episode.made_at]
        episode.began_at = there[0] if there else None

    @staticmethod
    def _noticed(episode: Episode, operation: Operation, recent: list[Attempt]) -> bool:
        if operation in (Operation.OFFLINE, Operation.ERROR, Operation.PAUSED):
            return True
        assert episode.began_at is not None
        return any(
            attempt.machine_id == episode.machine_id
            and attempt.state in SIGNS
            and attempt.ended_at is not None
            and attempt.ended_at.timestamp() > episode.began_at
            for attempt in recent
        )

    def _outcome(self, settled_s: float) -> Outcome:
        records = {machine_id: bench.record() for machine_id, bench in self.place.benches.items()}
        starts = sum(line.what == "start" for record in records.values() for line in record)
        with db.reading() as session:
            wrong = {
                "double_starts": checks.double_starts(records) + checks.late_starts(session, records),
                "dirty_starts": checks.dirty_starts(records),
                "lost": checks.lost(session, self.place.orders) + checks.unknown_starts(session, records),
                "stuck": checks.stuck(session, self.place.orders),
                "unbalanced": checks.unbalanced(session),
                "held_without_release": checks.held_without_release(session),
            }
        mischief = self.mischief
        return Outcome(
            len(self.place.orders), mischief.episodes, starts, settled_s, mischief.ended_by_themselves, wrong
        )


def run(folder: Path, options: Options) -> Outcome:
    """Run chaos in an empty folder."""
    with open_place(folder, options) as place:
        return Run(place).go()
