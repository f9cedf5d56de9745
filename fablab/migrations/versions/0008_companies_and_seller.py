"""companies, and who sells by date."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl


revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

APPEND_ONLY = ("seller_identity", "vat_regime", "legal_mention")


def upgrade() -> None:
    op.create_table(
        'company',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(length=20), nullable=False),
        sa.Column('name', sa.String(length=160), nullable=False),
        sa.Column('siren', sa.String(length=9), nullable=False),
        sa.Column('siret', sa.String(length=14), nullable=False),
        sa.Column('vat_number', sa.String(length=20), nullable=False),
        sa.Column('street', sa.String(length=200), nullable=False),
        sa.Column('postcode', sa.String(length=12), nullable=False),
        sa.Column('city', sa.String(length=80), nullable=False),
        sa.Column('country', sa.String(length=2), nullable=False),
        sa.Column('contact_name', sa.String(length=120), nullable=False),
        sa.Column('contact_email', sa.String(length=254), nullable=False),
        sa.Column('payment_days', sa.Integer(), nullable=False),
        sa.Column('language', sa.String(length=2), nullable=False),
        sa.Column('active', sa.Boolean(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_company')),
        sa.UniqueConstraint('public_id', name=op.f('uq_company_public_id'))
    )
    op.create_index(op.f('ix_company_siren'), 'company', ['siren'])
    op.create_table(
        'company_member',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('company_id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('role', sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(['company_id'], ['company.id'], name=op.f('fk_company_member_company_id_company')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_company_member_person_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_company_member')),
        sa.UniqueConstraint('company_id', 'person_id', name=op.f('uq_company_member_company_id_person_id'))
    )
    op.create_index(op.f('ix_company_member_company_id'), 'company_member', ['company_id'])
    op.create_index(op.f('ix_company_member_person_id'), 'company_member', ['person_id'])
    op.create_table(
        'seller_identity',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('valid_from', sa.Date(), nullable=False),
        sa.Column('name', sa.String(length=160), nullable=False),
        sa.Column('legal_form', sa.String(length=120), nullable=False),
        sa.Column('street', sa.String(length=200), nullable=False),
        sa.Column('postcode', sa.String(length=12), nullable=False),
        sa.Column('city', sa.String(length=80), nullable=False),
        sa.Column('siren', sa.String(length=9), nullable=False),
        sa.Column('siret', sa.String(length=14), nullable=False),
        sa.Column('rna', sa.String(length=10), nullable=False),
        sa.Column('register', sa.String(length=80), nullable=False),
        sa.Column('vat_number', sa.String(length=20), nullable=False),
        sa.Column('iban', sa.String(length=34), nullable=False),
        sa.Column('email', sa.String(length=254), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('created_by_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['created_by_id'], ['person.id'], name=op.f('fk_seller_identity_created_by_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_seller_identity'))
    )
    op.create_index(op.f('ix_seller_identity_valid_from'), 'seller_identity', ['valid_from'])
    op.create_table(
        'vat_regime',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('valid_from', sa.Date(), nullable=False),
        sa.Column('regime', sa.String(length=20), nullable=False),
        sa.Column('rate_bp', sa.Integer(), nullable=False),
        sa.Column('operation', sa.String(length=10), nullable=False),
        sa.Column('companies_before_vat', sa.Boolean(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('created_by_id', sa.Integer(), nullable=True),
        sa.CheckConstraint("(regime = 'standard') = (rate_bp > 0)", name=op.f('ck_vat_regime_only_standard_has_vat')),
        sa.CheckConstraint('rate_bp >= 0 and rate_bp <= 3000', name=op.f('ck_vat_regime_rate_is_possible')),
        sa.ForeignKeyConstraint(['created_by_id'], ['person.id'], name=op.f('fk_vat_regime_created_by_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_vat_regime'))
    )
    op.create_index(op.f('ix_vat_regime_valid_from'), 'vat_regime', ['valid_from'])
    op.create_table(
        'legal_mention',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('code', sa.String(length=20), nullable=False),
        sa.Column('valid_from', sa.Date(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('created_by_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['created_by_id'], ['person.id'], name=op.f('fk_legal_mention_created_by_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_legal_mention'))
    )
    op.create_index(op.f('ix_legal_mention_code'), 'legal_mention', ['code'])
    op.execute(
        "ALTER TABLE print_order ADD COLUMN company_id INTEGER"
        " CONSTRAINT fk_print_order_company_id_company REFERENCES company (id)"
    )
    op.add_column('print_order', sa.Column('po_number', sa.String(length=50), nullable=True))
    op.add_column(
        'print_order', sa.Column('price_before_vat', sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_index(op.f('ix_print_order_company_id'), 'print_order', ['company_id'])
    for table in APPEND_ONLY:
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The ledger is never taken back: restore a backup instead.")
