"""vouchers and what uses them, an invoice for each order as a rule of wallets, addresses of persons on invoices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'voucher',
        sa.Column('document_id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('cents', sa.Integer(), nullable=False),
        sa.Column('vat_cents', sa.Integer(), nullable=False),
        sa.CheckConstraint(
            'cents > 0 and vat_cents >= 0 and vat_cents <= cents', name=op.f('ck_voucher_is_about_money')
        ),
        sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_voucher_document_id_document')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_voucher_person_id_person')),
        sa.PrimaryKeyConstraint('document_id', name=op.f('pk_voucher')),
    )
    op.create_index(op.f('ix_voucher_person_id'), 'voucher', ['person_id'])
    op.create_table(
        'voucher_use',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('document_id', sa.Integer(), nullable=False),
        sa.Column('entry_id', sa.Integer(), nullable=False),
        sa.Column('cents', sa.Integer(), nullable=False),
        sa.Column('vat_cents', sa.Integer(), nullable=False),
        sa.CheckConstraint('cents <> 0', name=op.f('ck_voucher_use_is_about_money')),
        sa.ForeignKeyConstraint(
            ['document_id'], ['voucher.document_id'], name=op.f('fk_voucher_use_document_id_voucher')
        ),
        sa.ForeignKeyConstraint(['entry_id'], ['ledger_entry.id'], name=op.f('fk_voucher_use_entry_id_ledger_entry')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_voucher_use')),
    )
    for column in ('document_id', 'entry_id'):
        op.create_index(op.f(f'ix_voucher_use_{column}'), 'voucher_use', [column])
    op.create_table(
        'invoice_address',
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=160), nullable=False),
        sa.Column('street', sa.String(length=200), nullable=False),
        sa.Column('postcode', sa.String(length=12), nullable=False),
        sa.Column('city', sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_invoice_address_person_id_person')),
        sa.PrimaryKeyConstraint('person_id', name=op.f('pk_invoice_address')),
    )
    # Rules from before this was a choice go on as they were: invoices of orders on request.
    op.add_column(
        'wallet_rules', sa.Column('invoice_orders', sa.Boolean(), nullable=False, server_default=sa.false())
    )
    for table in ('voucher', 'voucher_use'):
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The ledger is never taken back: restore a backup instead.")
