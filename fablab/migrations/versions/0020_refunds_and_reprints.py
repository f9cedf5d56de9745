"""requests for refunds and free reprints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'complaint',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(length=20), nullable=False),
        sa.Column('order_id', sa.Integer(), nullable=False),
        sa.Column('asked_by_id', sa.Integer(), nullable=False),
        sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('wish', sa.String(length=10), nullable=False),
        sa.Column('what', sa.Text(), nullable=False),
        sa.Column('answer', sa.String(length=10), nullable=True),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('refund_cents', sa.Integer(), nullable=False),
        sa.Column('credit_note_id', sa.Integer(), nullable=True),
        sa.Column('reprint_id', sa.Integer(), nullable=True),
        sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('decided_by_id', sa.Integer(), nullable=True),
        sa.CheckConstraint('(decided_at is null) = (answer is null)', name=op.f('ck_complaint_decided_with_answer')),
        sa.CheckConstraint(
            "refund_cents >= 0 and (answer = 'refund' or refund_cents = 0)", name=op.f('ck_complaint_refund_is_money')
        ),
        sa.ForeignKeyConstraint(['order_id'], ['print_order.id'], name=op.f('fk_complaint_order_id_print_order')),
        sa.ForeignKeyConstraint(['asked_by_id'], ['person.id'], name=op.f('fk_complaint_asked_by_id_person')),
        sa.ForeignKeyConstraint(['credit_note_id'], ['document.id'], name=op.f('fk_complaint_credit_note_id_document')),
        sa.ForeignKeyConstraint(['reprint_id'], ['print_order.id'], name=op.f('fk_complaint_reprint_id_print_order')),
        sa.ForeignKeyConstraint(['decided_by_id'], ['person.id'], name=op.f('fk_complaint_decided_by_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_complaint')),
        sa.UniqueConstraint('public_id', name=op.f('uq_complaint_public_id')),
    )
    op.create_index(op.f('ix_complaint_order_id'), 'complaint', ['order_id'])
    op.create_index(
        'uq_complaint_open', 'complaint', ['order_id'], unique=True,
        postgresql_where=sa.text('decided_at IS NULL'), sqlite_where=sa.text('decided_at IS NULL'),
    )


def downgrade() -> None:
    op.drop_table('complaint')
