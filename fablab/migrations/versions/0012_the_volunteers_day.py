"""the machine a volunteer chose for a plate, and the note between shifts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('job') as job:
        job.add_column(sa.Column('only_on_id', sa.Integer(), nullable=True))
        job.create_foreign_key(op.f('fk_job_only_on_id_machine'), 'machine', ['only_on_id'], ['id'])
    op.create_table(
        'hand_over_note',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('replaces', sa.Integer(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_hand_over_note_person_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_hand_over_note')),
        sa.UniqueConstraint('replaces', name=op.f('uq_hand_over_note_replaces')),
    )
    for statement in append_only_ddl('hand_over_note', op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError('What people wrote is never thrown away: restore a backup instead.')
