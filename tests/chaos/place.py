"""The place of the chaos: a database, a broker, a web server, a watcher, two workers that tick and slice, printers, and people."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from fablab import bus, db, migrating
from fablab.accounts.permissions import Role
from fablab.billing import prepaid, seller, tariffs
from fablab.billing.pricing import Rules
from fablab.db import utcnow
from fablab.embedded import Child, Program, redis_program, web_program
from fablab.filament import services as filament
from fablab.machines import services as machines
from fablab.machines.services import MachineData
from fablab.orders import review
from fablab.orders.models import Order
from fablab.orders.review_models import ReviewRules
from fablab.slicing.drawing import prism
from fablab.slicing.stl import write_stl
from tests.books import add_company, open_books
from tests.chaos import clock
from tests.chaos.alice import Alice
from tests.chaos.benches import Bench, SimulatedBench
from tests.chaos.bob import Bob
from tests.chaos.octoprints import OctoPrintBench
from tests.chaos.thea import Thea
from tests.chaos.visitor import Visitor
from tests.conftest import environment
from tests.people import NO_RULE, add_person, add_spool
from tests.postgres import postgres_server
from tests.running import free_port

ROOT = Path(__file__).parents[2]
PACE = 5.0
BOB_WAITS_S = 60.0
LATE_S = (6.0, 7.5, 10.0, 8.0)  # all later than the margin after which a start counts as not sent
TILE = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]
PLENTY_CENTS, PLENTY_G = 1_000_000, 20_000
OPENED = timedelta(days=-40)


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
    web: Child
    watcher: Child
    workers: list[Child]
    benches: dict[int, Bench]
    alice: Alice
    bob: Bob
    thea: Thea
    clocks: Path

    @property
    def people(self) -> list[Visitor]:
        """Everybody who walks about."""
        return [self.alice, self.bob, self.thea]

    @property
    def everything(self) -> list[Child]:
        """Every process of ours that can end."""
        return [self.broker, self.web, self.watcher, *self.workers]

    def clock_of(self, child: Child) -> Path:
        """Return the file that says how wrong a process's clock is."""
        return self.clocks / child.program.name

    def confirmed(self) -> list[int]:
        """Return the orders of which Alice was told that they are confirmed."""
        names = [page.rsplit("/", 1)[1] for page in self.alice.confirmed]
        with db.reading() as session:
            return list(session.scalars(select(Order.id).where(Order.public_id.in_(names)).order_by(Order.id)))


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


def _programs(options: Options, clocks: Path, port: int) -> Iterator[Program]:
    """Return what runs: the broker, the web server, the watcher, two workers, each with its own clock."""
    clocks.mkdir()
    yield redis_program()
    web = web_program("127.0.0.1", port)
    command = ["tests.chaos.web:app" if word == "fablab.web.wsgi:app" else word for word in web.command]
    clock.set_off(clocks / web.name, 0.0)
    yield replace(web, command=command, environment={"FABLAB_CHAOS_CLOCK": str(clocks / web.name)}, folder=ROOT)
    clock.set_off(clocks / "watcher", 0.0)
    words = [sys.executable, "-m", "tests.chaos.watcher", str(options.pace), str(clocks / "watcher")]
    yield Program("watcher", words, folder=ROOT)
    for name in ("ann", "ben"):
        clock.set_off(clocks / name, 0.0)
        words = [sys.executable, "-m", "tests.chaos.worker", name, str(options.pace), str(clocks / name)]
        yield Program(name, words, folder=ROOT)


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


def _open() -> str:
    """Open the place a month ago and more: Alice with plenty of money and a company, Bob and Thea; return the company."""
    with clock.wound(OPENED), bus.using(bus.SilentTransport()), db.transaction() as session:
        rules = prepaid.RulesData(seller.today(utcnow()), cap_cents=PLENTY_CENTS)
        prepaid.set_rules(session, rules, None)
        alice = add_person(session, "Alice", cents=PLENTY_CENTS // 2)
        add_person(session, "Bob", Role.VOLUNTEER, cents=0)
        add_person(session, "Thea", Role.ADMINISTRATOR, cents=0)  # keeps the books and answers at the desk
        open_books(session)
        return add_company(session, buyer=alice).public_id


def _fill(benches: list[Bench]) -> dict[int, Bench]:
    """Fill the place with printers that have plenty of filament."""
    placed: dict[int, Bench] = {}
    with bus.using(bus.SilentTransport()), db.transaction() as session:
        filament.add_material(session, "PLA", "PLA")
        prices = tariffs.TariffData("Standard", 100, 80, 200, {"PLA": 4000}, Rules(free_failures=1))
        tariffs.set_tariff(session, prices, None, utcnow().replace(year=2025))
        review.set_rules(session, ReviewRules(**NO_RULE))
        for number, bench in enumerate(benches, start=1):
            data = MachineData(f"Printer {number}", bench.driver, bench.address, "mk3", bench.key)
            machine = machines.add(session, data, None)
            add_spool(session, machine, PLENTY_G)
            placed[machine.id] = bench
    return placed


@contextmanager
def _settings(folder: Path, options: Options) -> Iterator[Path]:
    """Let everything in the block and its children live in a folder; give its data folder."""
    data = folder / "data"
    data.mkdir()
    with database_address(options.database, folder) as address:
        wanted = {"data_dir": str(data), "database_url": address}
        limits = {"upload_limit": "10000 per minute", "sign_in_limit": "1000 per minute"}
        with environment(**wanted, **limits):
            yield data


@contextmanager
def open_place(folder: Path, options: Options) -> Iterator[Place]:
    """Run a place in a folder for the block; nothing of it runs afterwards."""
    with ExitStack() as stack:
        data = stack.enter_context(_settings(folder, options))
        migrating.migrate()
        servers = [OctoPrintBench(folder / f"octoprint-{number}") for number in range(options.octoprints)]
        for server in servers:
            stack.callback(server.kill)
            server.start()
        for server in servers:
            server.wait_until_ready()
        simulated = [SimulatedBench(data / "simulated" / str(number), late) for number, late in enumerate(LATE_S, 1)]
        company, benches = _open(), _fill([*simulated, *servers])
        (data / "log").mkdir(exist_ok=True)
        port = free_port()
        children = [Child(program, data / "log") for program in _programs(options, folder / "clocks", port)]
        for child in children:
            stack.callback(child.stop)
            child.start()
            child.wait_until_ready()
        part, url = write_stl(folder / "tile.stl", prism(TILE, 4.0)), f"http://127.0.0.1:{port}"
        alice = Alice(url, part, company, random.Random(f"alice {options.seed}"))
        bob = Bob(url, benches, BOB_WAITS_S / options.pace, random.Random(f"bob {options.seed}"))
        thea = Thea(url, random.Random(f"thea {options.seed}"))
        for person in (alice, bob, thea):
            person.sign_in()
            person.start()
            stack.callback(person.go_home)
        broker, web, watcher, *workers = children
        yield Place(options, broker, web, watcher, workers, benches, alice, bob, thea, folder / "clocks")
