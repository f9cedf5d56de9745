"""invoices, credit notes and payments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl


revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

APPEND_ONLY = ("document", "document_order", "document_file", "payment")


def upgrade() -> None:
    op.create_table(
        'document_chain',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('length', sa.Integer(), nullable=False),
        sa.Column('hash', sa.String(length=64), nullable=False),
        sa.Column('issued_on', sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_document_chain'))
    )
    op.create_table(
        'document_counter',
        sa.Column('structure', sa.String(length=160), nullable=False),
        sa.Column('series', sa.String(length=4), nullable=False),
        sa.Column('year', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('last', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('structure', 'series', 'year', name=op.f('pk_document_counter'))
    )
    op.create_table(
        'document',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(length=20), nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('structure', sa.String(length=160), nullable=False),
        sa.Column('kind', sa.String(length=20), nullable=False),
        sa.Column('number', sa.String(length=35), nullable=False),
        sa.Column('issued_on', sa.Date(), nullable=False),
        sa.Column('due_on', sa.Date(), nullable=False),
        sa.Column('company_id', sa.Integer(), nullable=True),
        sa.Column('person_id', sa.Integer(), nullable=True),
        sa.Column('corrects_id', sa.Integer(), nullable=True),
        sa.Column('regime', sa.String(length=20), nullable=False),
        sa.Column('net_cents', sa.Integer(), nullable=False),
        sa.Column('vat_cents', sa.Integer(), nullable=False),
        sa.Column('gross_cents', sa.Integer(), nullable=False),
        sa.Column('payload', sa.Text(), nullable=False),
        sa.Column('previous_hash', sa.String(length=64), nullable=False),
        sa.Column('hash', sa.String(length=64), nullable=False),
        sa.Column('key', sa.String(length=80), nullable=False),
        sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('issued_by_id', sa.Integer(), nullable=True),
        sa.CheckConstraint("(kind = 'credit_note') = (corrects_id is not null)", name=op.f('ck_document_credit_corrects')),
        sa.CheckConstraint("regime = 'standard' or vat_cents = 0", name=op.f('ck_document_vat_only_with_vat')),
        sa.CheckConstraint('gross_cents > 0', name=op.f('ck_document_is_about_money')),
        sa.CheckConstraint('net_cents + vat_cents = gross_cents and net_cents >= 0 and vat_cents >= 0', name=op.f('ck_document_adds_up')),
        sa.ForeignKeyConstraint(['company_id'], ['company.id'], name=op.f('fk_document_company_id_company')),
        sa.ForeignKeyConstraint(['corrects_id'], ['document.id'], name=op.f('fk_document_corrects_id_document')),
        sa.ForeignKeyConstraint(['issued_by_id'], ['person.id'], name=op.f('fk_document_issued_by_id_person')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_document_person_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_document')),
        sa.UniqueConstraint('key', name=op.f('uq_document_key')),
        sa.UniqueConstraint('position', name=op.f('uq_document_position')),
        sa.UniqueConstraint('public_id', name=op.f('uq_document_public_id')),
        sa.UniqueConstraint('structure', 'number', name=op.f('uq_document_structure_number'))
    )
    op.create_index(op.f('ix_document_company_id'), 'document', ['company_id'])
    op.create_index(op.f('ix_document_corrects_id'), 'document', ['corrects_id'])
    op.create_index(op.f('ix_document_issued_on'), 'document', ['issued_on'])
    op.create_index(op.f('ix_document_person_id'), 'document', ['person_id'])
    op.create_table(
        'document_order',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('document_id', sa.Integer(), nullable=False),
        sa.Column('order_id', sa.Integer(), nullable=False),
        sa.Column('amount_cents', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_document_order_document_id_document')),
        sa.ForeignKeyConstraint(['order_id'], ['print_order.id'], name=op.f('fk_document_order_order_id_print_order')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_document_order'))
    )
    op.create_index(op.f('ix_document_order_document_id'), 'document_order', ['document_id'])
    op.create_index(op.f('ix_document_order_order_id'), 'document_order', ['order_id'])
    op.create_table(
        'document_file',
        sa.Column('document_id', sa.Integer(), nullable=False),
        sa.Column('sha256', sa.String(length=64), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_document_file_document_id_document')),
        sa.PrimaryKeyConstraint('document_id', name=op.f('pk_document_file'))
    )
    op.create_table(
        'payment',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(length=20), nullable=False),
        sa.Column('document_id', sa.Integer(), nullable=False),
        sa.Column('entry_id', sa.Integer(), nullable=False),
        sa.Column('reverses_id', sa.Integer(), nullable=True),
        sa.Column('method', sa.String(length=20), nullable=False),
        sa.Column('amount_cents', sa.Integer(), nullable=False),
        sa.Column('received_on', sa.Date(), nullable=False),
        sa.Column('reference', sa.String(length=80), nullable=False),
        sa.Column('key', sa.String(length=80), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.CheckConstraint('amount_cents <> 0', name=op.f('ck_payment_amount_moves')),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_payment_by_id_person')),
        sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_payment_document_id_document')),
        sa.ForeignKeyConstraint(['entry_id'], ['ledger_entry.id'], name=op.f('fk_payment_entry_id_ledger_entry')),
        sa.ForeignKeyConstraint(['reverses_id'], ['payment.id'], name=op.f('fk_payment_reverses_id_payment')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_payment')),
        sa.UniqueConstraint('entry_id', name=op.f('uq_payment_entry_id')),
        sa.UniqueConstraint('key', name=op.f('uq_payment_key')),
        sa.UniqueConstraint('public_id', name=op.f('uq_payment_public_id')),
        sa.UniqueConstraint('reverses_id', name=op.f('uq_payment_reverses_id'))
    )
    op.create_index(op.f('ix_payment_document_id'), 'payment', ['document_id'])
    op.execute(f"INSERT INTO document_chain (id, length, hash) VALUES (1, 0, '{'0' * 64}')")
    # Written out, so that SQLite adds the column without copying the table and losing its triggers.
    op.execute(
        "ALTER TABLE ledger_entry ADD COLUMN document_id INTEGER"
        " CONSTRAINT fk_ledger_entry_document_id_document REFERENCES document (id)"
    )
    op.create_index(op.f('ix_ledger_entry_document_id'), 'ledger_entry', ['document_id'])
    for table in APPEND_ONLY:
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The ledger is never taken back: restore a backup instead.")
