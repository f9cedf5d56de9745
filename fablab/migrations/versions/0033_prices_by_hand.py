"""prices that a person of the place sets by hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'hand_price',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('order_id', sa.Integer(), nullable=False),
        sa.Column('terms', sa.String(length=64), nullable=False),
        sa.Column('total_cents', sa.Integer(), nullable=False),
        sa.Column('content', sa.JSON(none_as_null=True), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('set_by_id', sa.Integer(), nullable=False),
        sa.CheckConstraint('total_cents > 0', name=op.f('ck_hand_price_is_a_price')),
        sa.ForeignKeyConstraint(['order_id'], ['print_order.id'], name=op.f('fk_hand_price_order_id_print_order')),
        sa.ForeignKeyConstraint(['set_by_id'], ['person.id'], name=op.f('fk_hand_price_set_by_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_hand_price')),
    )
    op.create_index(op.f('ix_hand_price_order_id'), 'hand_price', ['order_id'])
    for statement in append_only_ddl('hand_price', op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("A price that was set stays set: restore a backup instead.")
