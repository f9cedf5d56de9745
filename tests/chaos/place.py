"""The place of the chaos: a database, a broker, two workers that tick, printers, and somebody who orders."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fablab import bus, db, migrating
from fablab.accounts.models import Person
from fablab.accounts.permissions import Role
from fablab.billing import services as billing
from fablab.db import utcnow
from fablab.embedded import Child, Program, redis_program
from fablab.filament import services as filament
from fablab.jobs import queries as jobs
from fablab.machines import services as machines
from fablab.machines.services import MachineData
from tests.chaos.benches import Bench, OctoPrintBench, SimulatedBench
from tests.conftest import environment
from tests.people import add_person, add_spool, order_cube, slice_job
from tests.postgres import postgres_server

ROOT = Path(__file__).parents[2]
PACE = 5.0
LATE_S = (6.0, 7.5, 10.0)  # all later than the margin after which a start counts as not sent
GCODE = "G28\nG1 X50 Y50 Z0.2 E5\n" + "G4 P100\n" * 40 + "; estimated printing time (normal mode) = 0h 0m 30s\n"
PLENTY_CENTS, PLENTY_G = 1_000_000, 20_000


@dataclass(frozen=True)
class Options:
    """What a run is asked for."""

    seed: int = 1
    orders: int = 60
    faults: int = 40
    seconds: float = 120.0
    octoprints: int = 0
    database: str = "sqlite"

    @property
    def pace(self) -> float:
        """How much shorter leases and pauses are; real servers have time-outs of their own, which stay."""
        return 1.0 if self.octoprints else PACE


@dataclass
class Place:
    """Everything that runs, and who is there."""

    options: Options
    broker: Child
    workers: list[Child]
    benches: dict[int, Bench]
    alice: Person
    bob: Person
    orders: list[int] = field(default_factory=list)

    def order(self, copies: int) -> None:
        """Let Alice order a cube; it is sliced at once, because slicing is not what is tried here."""
        with db.transaction() as session:
            order = order_cube(session, self.alice, copies)
            for job in jobs.of_order(session, order.id):
                slice_job(session, job, gcode=GCODE)
        self.orders.append(order.id)


def kill(child: Child) -> None:
    """Kill a process with everything it started, as a power cut would."""
    assert child.process is not None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait(10)


def freeze(child: Child, seconds: float) -> None:
    """Stop a process for a while; a thread wakes it, so that nothing that waits for it can keep it asleep."""
    assert child.process is not None
    number = child.process.pid

    def wake() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(number, signal.SIGCONT)

    os.killpg(number, signal.SIGSTOP)
    waking = threading.Timer(seconds, wake)
    waking.daemon = True
    waking.start()


def worker(name: str, pace: float) -> Program:
    """Return a worker of the chaos."""
    return Program(name, [sys.executable, "-m", "tests.chaos.worker", name, str(pace)], folder=ROOT)


@contextmanager
def database_address(kind: str, folder: Path) -> Iterator[str]:
    """Give the address of an empty database; empty: SQLite in the data folder."""
    if kind == "sqlite":
        yield ""
        return
    with postgres_server(folder) as server:
        name = f"chaos_{uuid.uuid4().hex[:8]}"
        server.create(name)
        yield server.url(name)


def _people(benches: list[Bench]) -> tuple[dict[int, Bench], Person, Person]:
    """Fill the empty place: Alice orders, Bob looks after the printers, every printer has its spool."""
    placed: dict[int, Bench] = {}
    with bus.using(bus.SilentTransport()), db.transaction() as session:
        alice = add_person(session, "Alice", cents=PLENTY_CENTS)
        bob = add_person(session, "Bob", Role.VOLUNTEER, cents=0)
        filament.add_material(session, "PLA", "PLA")
        prices = billing.TariffData("Standard", 100, 80, 200, {"PLA": 4000})
        billing.set_tariff(session, prices, None, utcnow().replace(year=2025))
        for number, bench in enumerate(benches, start=1):
            data = MachineData(f"Printer {number}", bench.driver, bench.address, "mk3", bench.key)
            machine = machines.add(session, data, None)
            add_spool(session, machine, PLENTY_G)
            placed[machine.id] = bench
    return placed, alice, bob


@contextmanager
def open_place(folder: Path, options: Options) -> Iterator[Place]:
    """Run a place in a folder for the block; nothing of it runs afterwards."""
    data = folder / "data"
    data.mkdir()
    with ExitStack() as stack:
        address = stack.enter_context(database_address(options.database, folder))
        wanted = {"data_dir": str(data), "database_url": address, "wallet_limit_cents": str(2 * PLENTY_CENTS)}
        stack.enter_context(environment(**wanted))
        migrating.migrate()
        servers = [OctoPrintBench(folder / f"octoprint-{number}") for number in range(options.octoprints)]
        for server in servers:
            stack.callback(server.kill)
            server.start()
        for server in servers:
            server.wait_until_ready()
        simulated = [SimulatedBench(data / "simulated" / str(number), late) for number, late in enumerate(LATE_S, 1)]
        benches, alice, bob = _people([*simulated, *servers])
        logs = data / "log"
        logs.mkdir(exist_ok=True)
        children = [Child(redis_program(), logs), *(Child(worker(name, options.pace), logs) for name in ("ann", "ben"))]
        for child in children:
            stack.callback(child.stop)
            child.start()
            child.wait_until_ready()
        yield Place(options, children[0], children[1:], benches, alice, bob)
