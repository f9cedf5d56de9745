"""the review desk: rules, and what was said about an order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'review_rules',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('size_mm', sa.Integer(), nullable=False),
        sa.Column('price_cents', sa.Integer(), nullable=False),
        sa.Column('warnings', sa.Boolean(), nullable=False),
        sa.Column('first_order', sa.Boolean(), nullable=False),
        sa.Column('company', sa.Boolean(), nullable=False),
        sa.Column('attestation', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_review_rules')),
    )
    op.create_table(
        'review',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('order_id', sa.Integer(), nullable=False),
        sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('why', sa.JSON(none_as_null=True), nullable=False),
        sa.Column('verdict', sa.String(length=20), nullable=True),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('decided_by_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['decided_by_id'], ['person.id'], name=op.f('fk_review_decided_by_id_person')),
        sa.ForeignKeyConstraint(['order_id'], ['print_order.id'], name=op.f('fk_review_order_id_print_order')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_review')),
    )
    op.create_index(op.f('ix_review_order_id'), 'review', ['order_id'])
    op.add_column('print_order', sa.Column('attested_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('print_order') as batch:
        batch.drop_column('attested_at')
    op.drop_table('review')
    op.drop_table('review_rules')
