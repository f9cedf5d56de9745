"""Notes for each fault when the board showed it and when work went on, as far as that can be told from outside."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence

from fablab import db
from fablab.jobs.models import Attempt
from fablab.jobs.states import NEEDS_SIGNOFF, AttemptState
from fablab.machines import queries as machine_queries
from fablab.machines.models import Machine, Operation
from tests.chaos.benches import Happened
from tests.chaos.episodes import Episode, Of
from tests.chaos.place import Place

SAME_S = 0.05
TROUBLE = (Operation.OFFLINE, Operation.ERROR, Operation.PAUSED)
SIGNS = NEEDS_SIGNOFF | {AttemptState.START_FAILED, AttemptState.PAUSED, AttemptState.SIGNED_OFF}


class Watching:
    """Looks at a place a few times a second. Moments that lie ahead were written by a wrong clock and do not count."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def look(self, episodes: Sequence[Episode]) -> None:
        """Complete what is known about these faults."""
        open_ones = [each for each in episodes if each.working_s is None or (each.shows and each.noticed_s is None)]
        with db.reading() as session:
            everything = machine_queries.all_in_use(session)
            recent = session.query(Attempt).order_by(Attempt.id.desc()).limit(40).all()
        act: dict[Of, Callable[[Episode], None]] = {
            Of.PRINTER: lambda episode: self._look_at_printer(episode, everything, recent),
            Of.WORKERS: lambda episode: self._look_at_workers(episode, everything),
            Of.WEB: self._look_at_web,
        }
        for episode in open_ones:
            act[episode.of](episode)

    def _look_at_workers(self, episode: Episode, everything: Sequence[Machine]) -> None:
        now = time.time()
        moments = [
            machine.looked_at.timestamp() if machine.looked_at else 0.0
            for machine in everything
            if machine.operation != Operation.OFFLINE
        ]
        if all(max(episode.made_at, episode.over_at) < moment <= now for moment in moments):
            episode.working_s = now - episode.made_at

    def _look_at_web(self, episode: Episode) -> None:
        try:
            with urllib.request.urlopen(f"{self.place.alice.url}/readyz", timeout=0.5) as answer:
                ready = answer.status == 200
        except (urllib.error.URLError, OSError):
            return
        if ready and time.time() > episode.over_at:
            episode.working_s = time.time() - episode.made_at

    def _look_at_printer(self, episode: Episode, everything: Sequence[Machine], recent: Sequence[Attempt]) -> None:
        machine = next(each for each in everything if each.id == episode.machine_id)
        record = self.place.benches[machine.id].record()
        if episode.began_at is None:
            there = [line.at for line in record if line.what == episode.trigger and line.at >= episode.made_at]
            episode.began_at = there[0] if there else None
        if episode.began_at is None:
            return
        if episode.shows and episode.noticed_s is None and _is_noticed(episode, machine, recent):
            episode.noticed_s = time.time() - episode.began_at
        episode.working_s = _until_next_start(record, episode.began_at)


def _is_noticed(episode: Episode, machine: Machine, recent: Sequence[Attempt]) -> bool:
    assert episode.began_at is not None
    return machine.operation in TROUBLE or any(
        attempt.machine_id == machine.id
        and attempt.state in SIGNS
        and attempt.ended_at is not None
        and attempt.ended_at.timestamp() > episode.began_at
        for attempt in recent
    )


def _until_next_start(record: Sequence[Happened], began_at: float) -> float | None:
    starts = (line.at for line in record if line.what == "start" and line.at > began_at + SAME_S)
    return next((at - began_at for at in starts), None)
