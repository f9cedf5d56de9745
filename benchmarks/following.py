"""The watcher beside a plain loop: a hundred printers over real HTTP, both at the same time, on the same printers.

All printers print for us, started by the whole path (queue, worker, upload, start). Then both watch: processor, memory,
and how late each whole per cent and each ending is in the database. Then plates are cleared, and some printers freeze
or die.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from benchmarks.delays import changes, delay_s, summary
from benchmarks.observing import Observer, memory_mb, processor_s
from fablab import bus, db
from fablab.accounts.models import Person
from fablab.billing import prepaid, seller
from fablab.billing import services as billing
from fablab.db import utcnow
from fablab.embedded import Child, redis_program, ticker_program, watcher_program, worker_programs
from fablab.jobs.models import Attempt
from fablab.jobs.signoff import Verdict
from fablab.jobs.states import AttemptState
from fablab.machines import services as machines
from fablab.machines.models import Machine, Plate, Service
from fablab.machines.services import MachineData
from fablab.migrating import migrate
from tests.conftest import environment
from tests.people import add_spool, queued_order, small_place
from tests.watching.lookalike import KEY

CLEARED = 10
SETTLE_S = 12.0  # the loop has been round, the watcher has measured how fast each print goes
CALM_S, TROUBLE_S = 35.0, 20.0
PLENTY_CENTS = 1_000_000


@dataclass
class Fleet:
    """The process of the look-alikes: what their ports are, and what happened to them."""

    process: subprocess.Popen[str]
    ports: Sequence[int]

    def tell(self, **wish: object) -> None:
        """Let something happen to some of them."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(wish) + "\n")
        self.process.stdin.flush()

    def logs(self) -> list[list[tuple[float, str, Any]]]:
        """Return what happened at each printer, by their own records."""
        assert self.process.stdout is not None
        self.tell(log=True)
        return json.loads(self.process.stdout.readline())  # type: ignore[no-any-return]


@contextmanager
def fleet_of(count: int) -> Iterator[Fleet]:
    """Serve look-alikes for the block."""
    command = [sys.executable, "-m", "benchmarks.lookalikes", str(count), str(CLEARED)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Fleet(process, json.loads(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()


def fill(ports: Sequence[int], jobs: int) -> Person:
    """Make a place with these printers, all with a spool and a clear plate, and so many jobs; return its volunteer."""
    migrate()
    with bus.using(bus.SilentTransport()), db.transaction() as session:
        rules = prepaid.RulesData(seller.today(utcnow()), cap_cents=PLENTY_CENTS)
        prepaid.set_rules(session, rules, None)
        cast = small_place(session, cents=PLENTY_CENTS)
        cast.ada.service = Service.RETIRED
        for number, port in enumerate(ports):
            data = MachineData(f"P{number}", "octoprint", f"http://127.0.0.1:{port}", "mk3", KEY)
            machine = machines.add(session, data, None)
            machine.plate = Plate.CLEAR
            add_spool(session, machine)
        for _ in range(jobs):
            queued_order(session, cast.alice)
        return cast.bob


@dataclass(frozen=True)
class Running:
    """The processes whose cost is measured, by what they are."""

    children: Mapping[str, Child]
    loop: subprocess.Popen[bytes]

    def numbers(self) -> dict[str, int]:
        """Return the id of each process."""
        found = {name: child.process.pid for name, child in self.children.items() if child.process is not None}
        return {**found, "loop": self.loop.pid}


@contextmanager
def running(folder: Path, loop_folder: Path) -> Iterator[Running]:
    """Run broker, worker, ticker and watcher on one folder; when all printers print, the plain loop on the other."""
    logs = folder / "log"
    logs.mkdir(exist_ok=True)
    programs = [redis_program(), worker_programs()[0], ticker_program(), watcher_program()]
    children = {program.name: Child(program, logs) for program in programs}
    try:
        for child in children.values():
            child.start()
            child.wait_until_ready()
        wait(lambda: _printing() >= _printers(), 90)
        loop = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.plain_loop"], env={**os.environ, "FABLAB_DATA_DIR": str(loop_folder)}
        )
        try:
            yield Running(children, loop)
        finally:
            loop.kill()
            loop.wait()
    finally:
        for child in reversed(children.values()):
            child.stop()


def _printing() -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).where(Attempt.state == AttemptState.PRINTING)) or 0


def _printers() -> int:
    with db.reading() as session:
        return session.scalar(select(func.count(Machine.id)).where(Machine.service == Service.IN_SERVICE)) or 0


def wait(condition: Callable[[], bool], at_most_s: float) -> None:
    """Wait for a condition; raises `TimeoutError`."""
    end = time.monotonic() + at_most_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.1)


def measure(printers: int, folder: Path) -> dict[str, Any]:
    """Return what following so many printers costs, and how late it is, both ways."""
    places = [folder / "place", folder / "loop"]
    with fleet_of(printers) as fleet:
        for place in reversed(places):
            place.mkdir()
            with environment(data_dir=str(place)):
                volunteer = fill(fleet.ports, printers + CLEARED if place is places[0] else 0)
        with environment(data_dir=str(places[0])), running(*places) as processes:
            return _measured(fleet, processes, [Observer(place) for place in places], volunteer)


def _measured(fleet: Fleet, processes: Running, observers: Sequence[Observer], volunteer: Person) -> dict[str, Any]:
    time.sleep(SETTLE_S)
    calm, cost = _phase(processes, CALM_S)
    cleared = clear_plates(volunteer)
    time.sleep(3)
    count = len(fleet.ports)
    frozen, dead = range(count - count // 10, count), range(count - count // 5, count - count // 10)
    fleet.tell(freeze=list(frozen), die=list(dead))
    trouble, cost_in_trouble = _phase(processes, TROUBLE_S)
    logs = fleet.logs()
    for observer in observers:
        observer.close()
    well = range(count - count // 5)
    watcher, loop = observers
    return {
        "printers": count,
        "watcher": {**cost["watcher"], **late(logs, watcher, calm, range(count))},
        "around_it": {name: cost[name] for name in ("ticker", "printing", "broker")},
        "plain_loop": {**cost["loop"], **late(logs, loop, calm, range(count))},
        "loop_cpu_by_watcher": ratio(cost["loop"], cost["watcher"]),
        "loop_cpu_by_all_of_ours": ratio(
            cost["loop"], *(cost[name] for name in cost if name not in ("loop", "broker"))
        ),
        "cleared_to_start_s": starts_after(logs, cleared),
        "ten_frozen_ten_dead": {
            "watcher": {**cost_in_trouble["watcher"], **late(logs, watcher, trouble, well)},
            "plain_loop": {**cost_in_trouble["loop"], **late(logs, loop, trouble, well)},
        },
    }


Phase = tuple[float, float]


def _phase(processes: Running, seconds: float) -> tuple[Phase, dict[str, dict[str, Any]]]:
    """Let time pass; return from when to when, and what each process took of one core meanwhile."""
    numbers = processes.numbers()
    before, began = {name: processor_s(number) for name, number in numbers.items()}, time.time()
    time.sleep(seconds)
    ended = time.time()
    cost = {
        name: {
            "cpu_percent": round(100 * (processor_s(number) - before[name]) / (ended - began), 2),
            "memory_mb": memory_mb(number),
        }
        for name, number in numbers.items()
    }
    time.sleep(2)  # what changed at the end is recorded by now, if ever
    return (began, ended), cost


def ratio(loop: Mapping[str, float], *ours: Mapping[str, float]) -> float:
    """Return how many times more processor the loop takes."""
    return round(loop["cpu_percent"] / sum(each["cpu_percent"] for each in ours), 1)


def late(logs: Sequence[Any], observer: Observer, phase: Phase, which: Sequence[int]) -> dict[str, Any]:
    """Return how late what changed in a phase was recorded. Machines have the ids after Ada's, in order of ports."""
    delays = [delay_s(change, observer.seen[place + 2]) for place in which for change in changes(logs[place], *phase)]
    return summary(delays, phase[1] - phase[0])


def clear_plates(volunteer: Person) -> dict[int, float]:
    """Sign off what has ended, as at the board; return when, by the place of the printer."""
    ended = select(Attempt).where(Attempt.state == AttemptState.FINISHED_UNVERIFIED).order_by(Attempt.id)
    with db.reading() as session:
        attempts = session.scalars(ended).all()
    cleared = {}
    for attempt in attempts[:CLEARED]:
        cleared[attempt.machine_id - 2] = time.time()
        with db.transaction() as session:
            billing.sign_off(session, session.get_one(Attempt, attempt.id), Verdict(attempt.copies), volunteer)
        time.sleep(0.5)
    return cleared


def starts_after(logs: Sequence[Any], cleared: Mapping[int, float]) -> dict[str, Any]:
    """Return how long after a plate was cleared the printer was asked to start the next print."""
    delays = [
        next((started - at for started, kind, _ in logs[place] if kind == "start" and started > at), None)
        for place, at in cleared.items()
    ]
    return summary(delays, 60.0)
