"""Bringing a database up to date, and asking whether it is."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from fablab import db, roles
from fablab.errors import Conflict
from fablab.settings import settings
from fablab.tables import metadata
from fablab.words import say

NOT_UP_TO_DATE = say("The database is not up to date: run “fablab migrate”.")


def config() -> Config:
    """Return Alembic's configuration."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.set_main_option("path_separator", "os")
    return made


def migrate() -> None:
    """Create or update the tables, and give the application its rights. Run twice it does nothing the second time."""
    if settings().database().startswith("sqlite"):
        settings().data_dir.mkdir(parents=True, exist_ok=True)
    command.upgrade(config(), "head")
    if settings().owner_database_url:
        roles.give_rights(owner(), sa.make_url(settings().database()))


def owner() -> sa.Engine:
    """Return the engine of who owns the tables: the application itself, where nobody else is set."""
    return db.make_engine(settings().owner_database_url) if settings().owner_database_url else db.engine()


def is_up_to_date() -> bool:
    """Tell whether the database has the newest revision."""
    with db.engine().connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current == ScriptDirectory.from_config(config()).get_current_head()


def must_be_up_to_date() -> None:
    """Raise `Conflict` when this program cannot read the database yet."""
    if not is_up_to_date():
        raise Conflict(NOT_UP_TO_DATE)


def differences() -> list[object]:
    """Return what the models have and the database has not, or the other way round."""
    with db.engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))
