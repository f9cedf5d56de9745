"""yearly archives of the books: what was archived, when, by whom, and its digest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'archive',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('year', sa.Integer(), nullable=False),
        sa.Column('sha256', sa.String(length=64), nullable=False),
        sa.Column('size_bytes', sa.BigInteger(), nullable=False),
        sa.Column('payload', sa.Text(), nullable=False),
        sa.Column('previous_hash', sa.String(length=64), nullable=False),
        sa.Column('hash', sa.String(length=64), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_archive_by_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_archive')),
        sa.UniqueConstraint('position', name=op.f('uq_archive_position')),
        sa.UniqueConstraint('year', name=op.f('uq_archive_year')),
    )
    for statement in append_only_ddl('archive', op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The ledger is never taken back: restore a backup instead.")
