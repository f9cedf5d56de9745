"""what volunteers let start on a spool that does not quite fit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'spool_override',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('job_id', sa.Integer(), nullable=False),
        sa.Column('spool_id', sa.Integer(), nullable=False),
        sa.Column('mismatch', sa.String(length=10), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('sentence', sa.JSON(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['job_id'], ['job.id'], name=op.f('fk_spool_override_job_id_job')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_spool_override_person_id_person')),
        sa.ForeignKeyConstraint(['spool_id'], ['spool.id'], name=op.f('fk_spool_override_spool_id_spool')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_spool_override')),
    )
    op.create_index(op.f('ix_spool_override_job_id'), 'spool_override', ['job_id'])
    for statement in append_only_ddl('spool_override', op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError('What was let pass is never taken back: restore a backup instead.')
