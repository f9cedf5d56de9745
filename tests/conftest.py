"""What every test can ask for: an empty place on SQLite or PostgreSQL, and people, machines and files to put into it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from fablab import bus, db, migrating, vault
from fablab.billing import offering
from fablab.settings import settings
from tests.postgres import PostgresServer, postgres_server

NO_SKIPS = os.environ.get("FABLAB_NO_SKIPS") == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where every part must be there, a skipped test is a failed one."""
    report = yield
    if NO_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, although nothing may be: {report.longrepr}"
    return report


@dataclass
class Recorder:
    """A transport that remembers what was asked and told."""

    asked: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def ask(self, task, ids):
        self.asked.append((task, ids))

    def tell(self, topic):
        self.told.append(topic)


def forget_everything() -> None:
    """Let the next call read settings, secret and connections again."""
    if db.engine.cache_info().currsize:
        db.engine().dispose()
    db.forget_engine()
    for cached in (settings, vault.secret, bus.connection, bus.celery, offering._load_features):
        cached.cache_clear()


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Set FABLAB_… for the block."""
    before = {name: value for name, value in os.environ.items() if name.startswith("FABLAB_")}
    os.environ.update({f"FABLAB_{name.upper()}": value for name, value in values.items()})
    forget_everything()
    try:
        yield
    finally:
        for name in values:
            os.environ.pop(f"FABLAB_{name.upper()}", None)
        os.environ.update(before)
        forget_everything()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory) -> Path:
    """An SQLite database with all tables, to be copied."""
    folder = tmp_path_factory.mktemp("template")
    with environment(data_dir=str(folder)):
        migrating.migrate()
    with sqlite3.connect(folder / "fablab.db") as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    return folder / "fablab.db"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory) -> Iterator[PostgresServer]:
    """A real PostgreSQL server with a migrated template database."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as server:
        server.create("template_fablab")
        with environment(data_dir=str(tmp_path_factory.mktemp("pg")), database_url=server.url("template_fablab")):
            migrating.migrate()
        yield server


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    made = Recorder()
    with bus.using(made):
        yield made


@pytest.fixture
def place(tmp_path, migrated_sqlite, recorder) -> Iterator[Path]:
    """An empty place on SQLite; its data folder."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(migrated_sqlite, data / "fablab.db")
    with environment(data_dir=str(data)):
        yield data


@pytest.fixture(params=["sqlite", "postgresql"])
def any_place(request, tmp_path, migrated_sqlite, recorder) -> Iterator[Path]:
    """An empty place, once on SQLite and once on PostgreSQL; its data folder."""
    data = tmp_path / "data"
    data.mkdir()
    if request.param == "sqlite":
        shutil.copy(migrated_sqlite, data / "fablab.db")
        with environment(data_dir=str(data)):
            yield data
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"place_{uuid.uuid4().hex[:12]}"
    server.create(name, template="template_fablab")
    try:
        with environment(data_dir=str(data), database_url=server.url(name)):
            yield data
    finally:
        server.drop(name)


@pytest.fixture
def session(any_place) -> Iterator[sa.orm.Session]:
    """A session on the place of the test; what it does is flushed and thrown away at the end."""
    with sa.orm.Session(db.engine(), expire_on_commit=False) as opened:
        yield opened


@pytest.fixture
def stand_in_slicer(tmp_path, monkeypatch) -> Path:
    """A program that only says that it is PrusaSlicer 2.9.0, for places where nothing is really sliced."""
    program = tmp_path / "prusa-slicer"
    program.write_text("#!/bin/sh\necho PrusaSlicer-2.9.0\n")
    program.chmod(0o755)
    monkeypatch.setenv("FABLAB_SLICER", str(program))
    settings.cache_clear()
    return program
