"""prints that fail because of their file, and what is paid for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0038'
down_revision = '0037'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'failed_print',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('attempt_id', sa.Integer(), nullable=False),
        sa.Column('order_id', sa.Integer(), nullable=False),
        sa.Column('line_id', sa.Integer(), nullable=False),
        sa.Column('copies', sa.Integer(), nullable=False),
        sa.Column('printed_mg', sa.Integer(), nullable=False),
        sa.Column('whole_mg', sa.Integer(), nullable=False),
        sa.Column('cents', sa.Integer(), nullable=False),
        sa.Column('free', sa.Boolean(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.CheckConstraint('copies > 0', name=op.f('ck_failed_print_some_failed')),
        sa.CheckConstraint('cents >= 0', name=op.f('ck_failed_print_never_negative')),
        sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_failed_print_attempt_id_attempt')),
        sa.ForeignKeyConstraint(['order_id'], ['print_order.id'], name=op.f('fk_failed_print_order_id_print_order')),
        sa.ForeignKeyConstraint(['line_id'], ['order_line.id'], name=op.f('fk_failed_print_line_id_order_line')),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_failed_print_by_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_failed_print')),
        sa.UniqueConstraint('attempt_id', name=op.f('uq_failed_print_attempt_id')),
    )
    op.create_index(op.f('ix_failed_print_order_id'), 'failed_print', ['order_id'])
    op.create_table(
        'forgiven_failure',
        sa.Column('failed_print_id', sa.Integer(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ['failed_print_id'], ['failed_print.id'], name=op.f('fk_forgiven_failure_failed_print_id_failed_print')
        ),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_forgiven_failure_by_id_person')),
        sa.PrimaryKeyConstraint('failed_print_id', name=op.f('pk_forgiven_failure')),
    )
    for table in ('failed_print', 'forgiven_failure'):
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("What failed stays paid: restore a backup instead.")
