"""Bob, who walks about: he looks at plates, takes parts off, says what he saw, and presses what the board offers him."""

from __future__ import annotations

import random
import time
from collections.abc import Hashable

from fablab import db
from fablab.billing import services as billing
from fablab.errors import Problem
from fablab.jobs import queries as jobs
from fablab.jobs import services as job_services
from fablab.jobs.models import Attempt, Job, Wish
from fablab.jobs.signoff import Reason, Verdict
from fablab.jobs.states import NEEDS_SIGNOFF, AttemptState
from fablab.machines import queries as machine_queries
from fablab.machines.models import Operation, Plate
from tests.chaos.benches import Bench
from tests.chaos.place import Place

BAD_SHARE = 0.1
LEFT_ON_THE_PLATE_SHARE = 0.15


class Bob:
    """A volunteer who needs a moment for everything."""

    def __init__(self, place: Place, chance: random.Random) -> None:
        self.place, self.chance = place, chance
        self._due: dict[Hashable, float] = {}

    def walk(self) -> None:
        """Do whatever is to be done and has waited its moment."""
        with db.reading() as session:
            attempts = jobs.live_attempts(session)
            everything = machine_queries.all_in_use(session)
            held = [job for job in jobs.open_jobs(session) if job.held]
        taken = {attempt.machine_id for attempt in attempts}
        for attempt in attempts:
            if attempt.state in NEEDS_SIGNOFF and self._now("judge", attempt.id, attempt.state):
                self._judge(attempt)
            elif attempt.state == AttemptState.PAUSED and self._now("resume", attempt.id):
                self._resume(attempt)
        for machine in everything:
            bench = self.place.benches[machine.id]
            if machine.operation in (Operation.ERROR, Operation.OFFLINE):
                if self._now("reconnect", machine.id, machine.operation):
                    bench.reconnect()
            elif machine.id not in taken and machine.plate == Plate.HELD and self._now("clear", machine.id, 0):
                self._clear(machine.id, bench)
        for job in held:
            if self._now("release", job.id, job.failed_starts):
                self._release(job)

    def _now(self, *what: Hashable) -> bool:
        """Tell whether something that was seen before has waited long enough, and forget it then."""
        now = time.monotonic()
        due = self._due.setdefault(what, now + self.chance.uniform(0.1, 1.0))
        if now >= due:
            del self._due[what]
        return now >= due

    def _judge(self, attempt: Attempt) -> None:
        bench = self.place.benches[attempt.machine_id]
        cleared = self.chance.random() >= LEFT_ON_THE_PLATE_SHARE
        if bench.prints() or (cleared and not bench.take_off()):
            return
        verdict = self._verdict(attempt, bench, cleared=cleared)
        with db.transaction() as session:
            billing.sign_off(session, session.get_one(Attempt, attempt.id), verdict, self.place.bob)

    def _verdict(self, attempt: Attempt, bench: Bench, *, cleared: bool) -> Verdict:
        """Say what lies on the plate."""
        seen = {line.what for line in bench.record() if line.name == attempt.file_name}
        if "start" not in seen:
            return Verdict(0, Reason.NOT_STARTED, cleared)
        if "finish" not in seen:
            return Verdict(0, Reason.POWER, cleared)
        if self.chance.random() < BAD_SHARE:
            return Verdict(0, Reason.QUALITY, cleared)
        return Verdict(attempt.copies, None, cleared)

    def _resume(self, attempt: Attempt) -> None:
        with db.transaction() as session:
            job_services.ask_printer(session, session.get_one(Attempt, attempt.id), Wish.RESUME, self.place.bob.id)

    def _clear(self, machine_id: int, bench: Bench) -> None:
        if not bench.take_off():
            return
        with db.transaction() as session:
            job_services.clear_plate(session, machine_id, self.place.bob.id)

    def _release(self, job: Job) -> None:
        try:
            with db.transaction() as session:
                job_services.hold(session, session.get_one(Job, job.id), self.place.bob.id, held=False)
        except Problem:
            return
