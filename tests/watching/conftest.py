"""Look-alikes and a watcher, each in a loop of its own thread, and machines that point to them."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from fablab import db
from fablab.machines import services as machines
from fablab.machines.models import Machine, Operation, Plate
from fablab.machines.services import MachineData
from tests.waiting import wait_until
from tests.watching.lookalike import KEY, LookAlike
from workers import following
from workers.visits import Visits
from workers.watcher import Watcher


def run(coroutine):
    """Run a coroutine to its end in a loop of its own: the thread of the tests may belong to the browser's."""
    with ThreadPoolExecutor(1) as somewhere:
        return somewhere.submit(asyncio.run, coroutine).result(60)


class Loop:
    """A loop in a thread; `do` runs something in it and gives its result."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def do(self, act, *arguments):
        async def acting():
            return act(*arguments)

        return self.run(acting())

    def close(self):
        async def cancel():
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        self.run(cancel())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


class Fleet:
    """Look-alikes, and the rows of their machines."""

    def __init__(self):
        self.loop = Loop()
        self.opened = []

    def add(self, name, **about):
        """Open a look-alike and add its machine; returns both."""
        pretend = LookAlike(**about)
        self.loop.run(pretend.open())
        self.opened.append(pretend)
        with db.transaction() as session:
            data = MachineData(name, "octoprint", f"http://127.0.0.1:{pretend.port}", "mk3", KEY)
            machine = machines.add(session, data, None)
            machine.plate = Plate.CLEAR
        return pretend, machine.id

    def do(self, act, *arguments):
        return self.loop.do(act, *arguments)

    def reopen(self, pretend):
        self.loop.run(pretend.open(pretend.port))


@pytest.fixture
def fleet(place):
    made = Fleet()
    yield made
    made.loop.close()


@contextmanager
def watcher(watch=None):
    """Run a watcher for the block."""
    loop, stop = Loop(), asyncio.Event()

    async def begin():
        visits = Visits(watch) if watch is not None else Visits()
        return asyncio.create_task(Watcher(visits).run(stop))

    running = loop.run(begin())
    try:
        yield
        assert not running.done()
    finally:
        loop.do(stop.set)
        wait_until(running.done, 20)
        loop.close()


@pytest.fixture
def quick(monkeypatch):
    """Let pauses between tries be short."""
    monkeypatch.setattr(following, "LONGEST_PAUSE_S", 0.5)
    monkeypatch.setattr(following, "POLL_EVERY_S", 0.2)
    monkeypatch.setattr(following, "SPACING_S", 0.1)


def row(machine_id):
    with db.reading() as session:
        return session.get(Machine, machine_id)


def operation(machine_id):
    return Operation(row(machine_id).operation)
