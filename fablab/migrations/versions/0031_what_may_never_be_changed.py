"""tariffs that only grow, and ends of the chain and counters that only go on."""

from __future__ import annotations

from alembic import op

from fablab.db import append_only_ddl

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None

BACKWARDS = "Numbers of documents only go on."
# what a change of each table must be
ONWARDS = (
    ("document_chain", "NEW.length = OLD.length + 1 AND NEW.id = OLD.id"),
    (
        "document_counter",
        "NEW.last = OLD.last + 1 AND NEW.structure = OLD.structure AND NEW.series = OLD.series AND NEW.year = OLD.year",
    ),
)


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in append_only_ddl('tariff', dialect):
        op.execute(statement)
    for table, condition in ONWARDS:
        for statement in sqlite_triggers(table, condition) if dialect == "sqlite" else triggers(table, condition):
            op.execute(statement)


def sqlite_triggers(table: str, condition: str) -> list[str]:
    return [
        f"CREATE TRIGGER {table}_onwards BEFORE UPDATE ON {table} WHEN NOT ({condition})"
        f" BEGIN SELECT RAISE(ABORT, '{BACKWARDS}'); END",
        f"CREATE TRIGGER {table}_stay BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{BACKWARDS}'); END",
    ]


def triggers(table: str, condition: str) -> list[str]:
    return [
        f"CREATE FUNCTION {table}_onwards() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NOT ({condition}) THEN RAISE EXCEPTION '{BACKWARDS}'; END IF; RETURN NEW; END $$",
        f"CREATE TRIGGER {table}_onwards BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_onwards()",
        f"CREATE TRIGGER {table}_stay BEFORE DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ]


def downgrade() -> None:
    raise NotImplementedError("The ledger is never taken back: restore a backup instead.")
