"""Bob, who walks about: he looks at plates, takes parts off, says what he saw, and presses what the board offers him."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import partial

from fablab import db
from fablab.jobs import handprints
from fablab.jobs import queries as jobs
from fablab.jobs.models import Attempt
from fablab.jobs.signoff import Reason, Verdict
from fablab.jobs.states import NEEDS_SIGNOFF, ON_THE_PRINTER, AttemptState, JobState
from fablab.machines import queries as machine_queries
from fablab.machines.models import Machine, Operation, Plate
from tests.chaos.benches import Bench
from tests.chaos.visitor import Patience, Visitor

BAD_SHARE = 0.1
FILE_SHARE = 0.05
ONE_BAD_SHARE = 0.3
LEFT_ON_THE_PLATE_SHARE = 0.15
MEDDLES_SHARE = 0.06
AWAY = (Operation.ERROR, Operation.OFFLINE)


class Bob(Visitor):
    """A volunteer who needs a moment for everything. `waits_s`: how long he waits for a printer that is away."""

    def __init__(self, url: str, benches: Mapping[int, Bench], waits_s: float, chance: random.Random) -> None:
        super().__init__(url, "Bob", chance)
        self.benches, self.waits_s = benches, waits_s
        self.patience = Patience(chance)
        self._meddled: dict[int, str] = {}

    def walk(self) -> None:
        """Do whatever is to be done and has waited its moment."""
        with db.reading() as session:
            attempts = jobs.live_attempts(session)
            everything = machine_queries.all_in_use(session)
            stopped = [job for job in jobs.open_jobs(session) if job.held or job.state == JobState.SLICE_FAILED]
            by_hand = [(each.public_id, each.spool.public_id) for each in handprints.to_file(session)]
        taken = {attempt.machine_id: attempt for attempt in attempts}
        for attempt in attempts:
            self.tried(partial(self._look_after, attempt))
        for machine in everything:
            self.tried(partial(self._tend, machine, taken.get(machine.id)))
        for job in stopped:
            if self.patience.over("release", job.id, job.failed_starts):
                press = "release" if job.held else "slice"
                self.tried(partial(self.post, f"/board/jobs/{job.public_id}/{press}"))
        for public_id, spool in by_hand:
            if self.patience.over("file", public_id):
                self.tried(
                    partial(self.post, f"/board/hand-prints/{public_id}", for_whom="Eve", spool=spool, used_g="1")
                )

    def _look_after(self, attempt: Attempt) -> None:
        if attempt.state in NEEDS_SIGNOFF and self.patience.over("judge", attempt.id, attempt.state):
            self._judge(attempt)
        elif attempt.state == AttemptState.PAUSED and self.patience.over("resume", attempt.id):
            self.post(f"/board/attempts/{attempt.public_id}/resume")
        elif attempt.state in ON_THE_PRINTER:
            self._meddle(attempt)

    def _meddle(self, attempt: Attempt) -> None:
        """Pause or stop a print now and then, at whatever moment that happens to be."""
        press = self._meddled.get(attempt.id)
        if press is None:
            meddles = self.chance.random() < MEDDLES_SHARE
            press = self._meddled[attempt.id] = self.chance.choice(("pause", "cancel")) if meddles else ""
        if press and self.patience.over("meddle", attempt.id, most_s=2.0):
            self._meddled[attempt.id] = ""
            self.post(f"/board/attempts/{attempt.public_id}/{press}")

    def _tend(self, machine: Machine, attempt: Attempt | None) -> None:
        bench = self.benches[machine.id]
        if machine.operation in AWAY:
            if self.patience.over("reconnect", machine.id, machine.operation):
                bench.reconnect()
            if attempt is not None and attempt.state in ON_THE_PRINTER and self._gave_up(attempt):
                self.post(f"/board/attempts/{attempt.public_id}/lost")
        elif attempt is None and machine.plate == Plate.HELD and self._took_off(machine, bench):
            self.post(f"/board/machines/{machine.public_id}/clear")

    def _took_off(self, machine: Machine, bench: Bench) -> bool:
        return self.patience.over("clear", machine.id) and bench.take_off()

    def _gave_up(self, attempt: Attempt) -> bool:
        return self.patience.over("give up", attempt.id, least_s=self.waits_s / 2, most_s=self.waits_s)

    def _judge(self, attempt: Attempt) -> None:
        bench = self.benches[attempt.machine_id]
        cleared = self.chance.random() >= LEFT_ON_THE_PLATE_SHARE
        if bench.prints() or (cleared and not bench.take_off()):
            return
        verdict = self._verdict(attempt, bench, cleared=cleared)
        fields = {"good": verdict.good, "reason": verdict.reason or ""}
        if cleared:
            fields["plate_cleared"] = "y"
        self.post(f"/board/attempts/{attempt.public_id}/check", **fields)

    def _verdict(self, attempt: Attempt, bench: Bench, *, cleared: bool) -> Verdict:
        """Say what lies on the plate."""
        seen = {line.what for line in bench.record() if line.name == attempt.file_name}
        if "start" not in seen:
            return Verdict(0, Reason.NOT_STARTED, cleared)
        if "finish" not in seen:
            return Verdict(0, Reason.POWER, cleared)
        if self.chance.random() < BAD_SHARE:
            return Verdict(0, Reason.QUALITY, cleared)
        if self.chance.random() < FILE_SHARE:
            return Verdict(attempt.copies - 1, Reason.FILE, cleared)
        if attempt.copies > 1 and self.chance.random() < ONE_BAD_SHARE:
            return Verdict(attempt.copies - 1, Reason.DETACHED, cleared)
        return Verdict(attempt.copies, None, cleared)
