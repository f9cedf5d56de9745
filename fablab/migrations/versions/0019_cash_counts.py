"""what was counted in the cash drawer, against what the ledger expected."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'cash_count',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.Column('counted_cents', sa.Integer(), nullable=False),
        sa.Column('expected_cents', sa.Integer(), nullable=False),
        sa.Column('pieces', sa.JSON(none_as_null=True), nullable=False),
        sa.Column('reason', sa.String(length=200), nullable=False),
        sa.Column('entry_id', sa.Integer(), nullable=True),
        sa.Column('key', sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_cash_count_by_id_person')),
        sa.ForeignKeyConstraint(['entry_id'], ['ledger_entry.id'], name=op.f('fk_cash_count_entry_id_ledger_entry')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_cash_count')),
        sa.UniqueConstraint('entry_id', name=op.f('uq_cash_count_entry_id')),
        sa.UniqueConstraint('key', name=op.f('uq_cash_count_key')),
    )
    for statement in append_only_ddl('cash_count', op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The ledger is never taken back: restore a backup instead.")
