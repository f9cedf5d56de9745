"""requests for slices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'slice_request',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('key', sa.String(length=64), nullable=False),
        sa.Column('model_sha256', sa.String(length=64), nullable=False),
        sa.Column('machine_profile', sa.String(length=60), nullable=False),
        sa.Column('material_code', sa.String(length=40), nullable=False),
        sa.Column('quality', sa.String(length=20), nullable=False),
        sa.Column('infill_percent', sa.Integer(), nullable=False),
        sa.Column('supports', sa.Boolean(), nullable=False),
        sa.Column('copies', sa.Integer(), nullable=False),
        sa.Column('state', sa.String(length=20), nullable=False),
        sa.Column('token', sa.Integer(), nullable=False),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
        sa.Column('problem', sa.JSON(none_as_null=True), nullable=True),
        sa.Column('fault', sa.String(length=10), nullable=True),
        sa.Column('slice_id', sa.Integer(), nullable=True),
        sa.Column('wanted_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['slice_id'], ['slice.id'], name=op.f('fk_slice_request_slice_id_slice')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_slice_request')),
        sa.UniqueConstraint('key', name=op.f('uq_slice_request_key')),
    )
    with op.batch_alter_table('slice_request', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_slice_request_state'), ['state'], unique=False)

    op.create_table(
        'slice_wanted',
        sa.Column('order_id', sa.Integer(), nullable=False),
        sa.Column('request_id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ['order_id'], ['print_order.id'], name=op.f('fk_slice_wanted_order_id_print_order')
        ),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_slice_wanted_person_id_person')),
        sa.ForeignKeyConstraint(
            ['request_id'], ['slice_request.id'], name=op.f('fk_slice_wanted_request_id_slice_request')
        ),
        sa.PrimaryKeyConstraint('order_id', 'request_id', name=op.f('pk_slice_wanted')),
    )
    with op.batch_alter_table('slice_wanted', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_slice_wanted_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_slice_wanted_request_id'), ['request_id'], unique=False)


def downgrade() -> None:
    op.drop_table('slice_wanted')
    op.drop_table('slice_request')
