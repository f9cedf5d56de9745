"""How Alembic reaches our database."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from fablab import db, migrating
from fablab.tables import metadata


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own column types as the plain ones they are in the database: a migration must not change with us."""
    if kind == "type" and isinstance(item, db.UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, db.SentenceType):
        return "sa.JSON()"
    return False


def foreign_keys(connection: sa.Connection, word: str) -> None:
    """Switch SQLite's checks of foreign keys: a table that is made anew is missing for a moment.

    Works only outside a transaction, so it asks the driver and not SQLAlchemy, which would begin one.
    """
    if connection.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute(f"pragma foreign_keys={word}")


def no_loose_ends(connection: sa.Connection) -> None:
    """Raise `RuntimeError` when a row of SQLite points to one that is not there any more."""
    if connection.dialect.name == "sqlite":
        loose = connection.exec_driver_sql("pragma foreign_key_check").all()
        if loose:
            raise RuntimeError(f"the migration would leave rows without what they belong to: {loose[:5]}")


with migrating.owner().connect() as connection:
    foreign_keys(connection, "off")
    try:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
            render_item=render_item,
            transactional_ddl=True,
        )
        with context.begin_transaction():
            context.run_migrations()
            no_loose_ends(connection)
        connection.commit()
    finally:
        connection.rollback()
        foreign_keys(connection, "on")
