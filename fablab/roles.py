"""The role the application has on PostgreSQL: it owns nothing, and adds to what only grows but never changes it.

The triggers refuse every change of issued documents and bookings. Whoever owns the tables could switch them off, so
where an owner is set (`FABLAB_OWNER_DATABASE_URL`) only `fablab migrate` is it, and gives the application its rights.
"""

from __future__ import annotations

import sqlalchemy as sa
from psycopg import sql

from fablab.errors import Conflict
from fablab.tables import APPEND_ONLY
from fablab.words import say

HELD = ("house_rules",)
"""Tables that only grow and whose rows are locked: PostgreSQL wants a right to update one column for that."""
NEVER_DELETED = ("document_chain", "document_counter", "closed_books")


def give_rights(owner: sa.Engine, application: sa.URL) -> None:
    """Let the application's role be there, with its password and exactly the rights it needs. Raises `Conflict`."""
    role = application.username or ""
    if not role or role == owner.url.username:
        raise Conflict(say("The owner of the database and the role of the application have to be two roles."))
    with owner.begin() as connection:
        known = connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
        for statement in _role(role, application.password, known=bool(known)) + _rights(role):
            connection.exec_driver_sql(statement.as_string().replace("%", "%%"))


def _role(role: str, password: str | None, *, known: bool) -> list[sql.Composed]:
    verb = sql.SQL("ALTER" if known else "CREATE")
    secret = sql.SQL(" PASSWORD {}").format(sql.Literal(password)) if password else sql.SQL("")
    return [sql.SQL("{} ROLE {} LOGIN{}").format(verb, sql.Identifier(role), secret)]


def _rights(role: str) -> list[sql.Composed]:
    whole = [
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
        "REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}",
    ]
    tables = [("REVOKE UPDATE, DELETE ON {table} FROM {role}", table) for table in APPEND_ONLY]
    tables += [("GRANT UPDATE (id) ON {table} TO {role}", table) for table in HELD]
    tables += [("REVOKE DELETE ON {table} FROM {role}", table) for table in NEVER_DELETED]
    name = sql.Identifier(role)
    return [sql.SQL(each).format(role=name) for each in whole] + [
        sql.SQL(each).format(role=name, table=sql.Identifier(table)) for each, table in tables
    ]


def owns_tables(connection: sa.Connection) -> bool:
    """Tell whether the role of a connection could switch off what protects issued documents, on PostgreSQL."""
    owns = sa.text(
        "SELECT rolsuper OR pg_has_role(current_user, relowner, 'member') FROM pg_class, pg_roles"
        " WHERE pg_class.oid = 'document'::regclass AND rolname = current_user"
    )
    return connection.dialect.name == "postgresql" and bool(connection.scalar(owns))
