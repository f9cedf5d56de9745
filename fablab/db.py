"""The database: one engine a process, explicit transactions, and what must happen only after a commit.

Subjects take a `Session` and never commit; shells open `transaction()` or `reading()`. Side effects (asking a worker,
telling the browsers) wait in the session and run after the commit, so a rolled back transaction asks nobody anything.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import DeclarativeBase, Session

from fablab.settings import settings
from fablab.words import Sentence

log = logging.getLogger(__name__)


def utcnow() -> datetime:
    """Return the present moment, aware and in UTC."""
    return datetime.now(UTC)


def new_public_id() -> str:
    """Return an identifier nobody can guess (72 bits), for addresses of pages."""
    return secrets.token_urlsafe(9)


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """A moment: aware and in UTC in Python, whatever the database keeps."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise TypeError("A moment needs its time zone.")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class SentenceType(sa.types.TypeDecorator[Sentence]):
    """A sentence for people, kept as data so that each reader gets it in their own language."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Sentence | None, _dialect: sa.Dialect) -> dict[str, Any] | None:
        return value.to_json() if value is not None else None

    def process_result_value(self, value: dict[str, Any] | None, _dialect: sa.Dialect) -> Sentence | None:
        return Sentence.from_json(value) if value is not None else None


class Base(DeclarativeBase):
    """The base of all tables; constraints get names, so that migrations can change them on every database."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: UtcDateTime(),
        Sentence: SentenceType(),
        dict[str, Any]: sa.JSON(none_as_null=True),
        list[float]: sa.JSON(none_as_null=True),
    }


def make_engine(url: str) -> sa.Engine:
    """Return an engine; on SQLite every writing transaction takes its lock at the beginning.

    Without it SQLAlchemy's default lost 599 of 800 concurrent read-modify-writes, without one error.
    """
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True)
    engine = sa.create_engine(url)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (
        *("journal_mode=wal", "synchronous=full", "busy_timeout=10000", "foreign_keys=on"),
        "recursive_triggers=on",  # without it INSERT OR REPLACE deletes rows and no trigger refuses it
    ):
        connection.execute(f"pragma {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    only_reads = connection.get_execution_options().get("only_reads", False)
    connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")


@cache
def engine() -> sa.Engine:
    """Return the engine of this process."""
    return make_engine(settings().database())


def forget_engine() -> None:
    """Drop the engine and its connections: after a fork, and between tests with different databases."""
    if engine.cache_info().currsize:
        engine().dispose(close=False)
    engine.cache_clear()


@contextmanager
def transaction() -> Iterator[Session]:
    """Open a transaction that commits at the end of the block, then do what was asked for after the commit."""
    with Session(engine(), expire_on_commit=False) as session:
        with session.begin():
            yield session
        for act in session.info.pop("after_commit", []):
            act()


@contextmanager
def reading() -> Iterator[Session]:
    """Open a session for questions only; nothing it does is kept."""
    bind = engine().execution_options(only_reads=True)
    with Session(bind, expire_on_commit=False, autoflush=False) as session:
        yield session


@contextmanager
def snapshot() -> Iterator[Session]:
    """Open a session for questions that all have to see the same moment, whatever is written meanwhile."""
    bind = engine().execution_options(only_reads=True)  # on SQLite a reading transaction is a snapshot already
    if bind.dialect.name != "sqlite":
        bind = bind.execution_options(isolation_level="REPEATABLE READ")
    with Session(bind, expire_on_commit=False, autoflush=False) as session:
        yield session


def after_commit(session: Session, act: Callable[[], None]) -> None:
    """Do `act` once this transaction is in the database, and never if it is not."""
    session.info.setdefault("after_commit", []).append(act)


APPEND_ONLY = "This table only grows; write a correction instead."


def append_only_ddl(table: str, dialect: str) -> list[str]:
    """Return the statements that make every UPDATE and DELETE on `table` an error."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END"
            for verb in ("update", "delete")
        ]
    refuse = f"BEGIN RAISE EXCEPTION '{APPEND_ONLY}'; END"
    function = f"CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ {refuse} $$"
    when = f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
    return [function, f"{when} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"]
