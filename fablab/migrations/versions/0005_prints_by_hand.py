"""prints that somebody started by hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'hand_print',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(length=20), nullable=False),
        sa.Column('machine_id', sa.Integer(), nullable=False),
        sa.Column('spool_id', sa.Integer(), nullable=True),
        sa.Column('file_name', sa.String(length=500), nullable=False),
        sa.Column('user', sa.String(length=80), nullable=True),
        sa.Column('progress', sa.Double(), nullable=True),
        sa.Column('noticed_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('for_whom', sa.String(length=80), nullable=True),
        sa.Column('used_mg', sa.Integer(), nullable=True),
        sa.Column('filed_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('filed_by_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['filed_by_id'], ['person.id'], name=op.f('fk_hand_print_filed_by_id_person')),
        sa.ForeignKeyConstraint(['machine_id'], ['machine.id'], name=op.f('fk_hand_print_machine_id_machine')),
        sa.ForeignKeyConstraint(['spool_id'], ['spool.id'], name=op.f('fk_hand_print_spool_id_spool')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_hand_print')),
        sa.UniqueConstraint('public_id', name=op.f('uq_hand_print_public_id')),
    )
    with op.batch_alter_table('hand_print', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_hand_print_machine_id'), ['machine_id'], unique=False)
        running = sa.text('ended_at IS NULL')
        batch_op.create_index(
            'uq_hand_print_running', ['machine_id'], unique=True, sqlite_where=running, postgresql_where=running
        )


def downgrade() -> None:
    op.drop_table('hand_print')
