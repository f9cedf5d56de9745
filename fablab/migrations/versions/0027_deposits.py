"""deposits of companies: which order each is for, and which invoices deduct it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'deposit',
        sa.Column('document_id', sa.Integer(), nullable=False),
        sa.Column('order_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_deposit_document_id_document')),
        sa.ForeignKeyConstraint(['order_id'], ['print_order.id'], name=op.f('fk_deposit_order_id_print_order')),
        sa.PrimaryKeyConstraint('document_id', name=op.f('pk_deposit')),
    )
    op.create_index(op.f('ix_deposit_order_id'), 'deposit', ['order_id'])
    op.create_table(
        'deduction',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('document_id', sa.Integer(), nullable=False),
        sa.Column('deposit_id', sa.Integer(), nullable=False),
        sa.Column('rate_bp', sa.Integer(), nullable=False),
        sa.Column('net_cents', sa.Integer(), nullable=False),
        sa.Column('vat_cents', sa.Integer(), nullable=False),
        sa.CheckConstraint('net_cents <> 0 or vat_cents <> 0', name=op.f('ck_deduction_is_about_money')),
        sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_deduction_document_id_document')),
        sa.ForeignKeyConstraint(['deposit_id'], ['deposit.document_id'], name=op.f('fk_deduction_deposit_id_deposit')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_deduction')),
    )
    op.create_index(op.f('ix_deduction_document_id'), 'deduction', ['document_id'])
    op.create_index(op.f('ix_deduction_deposit_id'), 'deduction', ['deposit_id'])
    for table in ('deposit', 'deduction'):
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The ledger is never taken back: restore a backup instead.")
