"""closings, and books that refuse what is dated inside a closed period."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

APPEND_ONLY = ("closing",)
REFUSED = "The books are closed for this day."
BACKWARDS = "Closed books are not opened again."
# what may not be dated inside a closed period: the table, its column, and what the column must be after
DATED = (
    ("ledger_entry", "at < (SELECT until_at FROM closed_books WHERE id = 1)"),
    ("document", "issued_on <= (SELECT day FROM closed_books WHERE id = 1)"),
    ("payment", "received_on <= (SELECT month FROM closed_books WHERE id = 1)"),
)


def upgrade() -> None:
    op.create_table(
        'closed_books',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('length', sa.Integer(), nullable=False),
        sa.Column('hash', sa.String(length=64), nullable=False),
        sa.Column('day', sa.Date(), nullable=True),
        sa.Column('month', sa.Date(), nullable=True),
        sa.Column('until_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_closed_books'))
    )
    op.create_table(
        'closing',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('span', sa.String(length=10), nullable=False),
        sa.Column('first_on', sa.Date(), nullable=False),
        sa.Column('last_on', sa.Date(), nullable=False),
        sa.Column('payload', sa.Text(), nullable=False),
        sa.Column('previous_hash', sa.String(length=64), nullable=False),
        sa.Column('hash', sa.String(length=64), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_closing_by_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_closing')),
        sa.UniqueConstraint('position', name=op.f('uq_closing_position')),
        sa.UniqueConstraint('span', 'first_on', name=op.f('uq_closing_span_first_on'))
    )
    op.create_index(op.f('ix_closing_last_on'), 'closing', ['last_on'])
    op.create_index(op.f('ix_ledger_entry_at'), 'ledger_entry', ['at'])
    op.execute(f"INSERT INTO closed_books (id, length, hash) VALUES (1, 0, '{'0' * 64}')")
    dialect = op.get_bind().dialect.name
    for table in APPEND_ONLY:
        for statement in append_only_ddl(table, dialect):
            op.execute(statement)
    for statement in (sqlite_triggers() if dialect == "sqlite" else postgresql_triggers()):
        op.execute(statement)


def sqlite_triggers() -> list[str]:
    refusing = [
        f"CREATE TRIGGER {table}_closed BEFORE INSERT ON {table} WHEN NEW.{condition}"
        f" BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
        for table, condition in DATED
    ]
    onwards = [
        "CREATE TRIGGER closed_books_onwards BEFORE UPDATE ON closed_books"
        " WHEN NEW.length <= OLD.length OR NEW.day < OLD.day OR NEW.month < OLD.month OR NEW.until_at < OLD.until_at"
        f" BEGIN SELECT RAISE(ABORT, '{BACKWARDS}'); END",
        "CREATE TRIGGER closed_books_stay BEFORE DELETE ON closed_books"
        f" BEGIN SELECT RAISE(ABORT, '{BACKWARDS}'); END",
    ]
    return refusing + onwards


def postgresql_triggers() -> list[str]:
    statements = []
    for table, condition in DATED:
        statements += [
            f"CREATE FUNCTION refuse_closed_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF NEW.{condition} THEN RAISE EXCEPTION '{REFUSED}'; END IF; RETURN NEW; END $$",
            f"CREATE TRIGGER {table}_closed BEFORE INSERT ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION refuse_closed_{table}()",
        ]
    return [
        *statements,
        "CREATE FUNCTION closed_books_onwards() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.length <= OLD.length OR NEW.day < OLD.day OR NEW.month < OLD.month OR NEW.until_at < OLD.until_at"
        f" THEN RAISE EXCEPTION '{BACKWARDS}'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER closed_books_onwards BEFORE UPDATE ON closed_books"
        " FOR EACH ROW EXECUTE FUNCTION closed_books_onwards()",
        "CREATE TRIGGER closed_books_stay BEFORE DELETE OR TRUNCATE ON closed_books"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ]


def downgrade() -> None:
    raise NotImplementedError("The ledger is never taken back: restore a backup instead.")
