"""card payments online, and the provider's messages about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0024'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'card_payment',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(length=20), nullable=False),
        sa.Column('key', sa.String(length=80), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('document_id', sa.Integer(), nullable=True),
        sa.Column('amount_cents', sa.Integer(), nullable=False),
        sa.Column('state', sa.String(length=10), nullable=False),
        sa.Column('provider', sa.String(length=20), nullable=False),
        sa.Column('provider_id', sa.String(length=120), nullable=True),
        sa.Column('url', sa.String(length=2000), nullable=False),
        sa.Column('problem', sa.JSON(none_as_null=True), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('until', sa.DateTime(timezone=True), nullable=False),
        sa.Column('looked_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint('amount_cents > 0', name=op.f('ck_card_payment_is_about_money')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_card_payment_person_id_person')),
        sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_card_payment_document_id_document')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_card_payment')),
        sa.UniqueConstraint('public_id', name=op.f('uq_card_payment_public_id')),
        sa.UniqueConstraint('key', name=op.f('uq_card_payment_key')),
        sa.UniqueConstraint('provider_id', name=op.f('uq_card_payment_provider_id')),
    )
    for column in ('person_id', 'document_id', 'state'):
        op.create_index(op.f(f'ix_card_payment_{column}'), 'card_payment', [column])
    op.create_table(
        'card_event',
        sa.Column('id', sa.String(length=120), nullable=False),
        sa.Column('card_payment_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=80), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['card_payment_id'], ['card_payment.id'], name=op.f('fk_card_event_card_payment_id_card_payment')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_card_event')),
    )
    op.create_index(op.f('ix_card_event_card_payment_id'), 'card_event', ['card_payment_id'])
    for statement in append_only_ddl('card_event', op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The ledger is never taken back: restore a backup instead.")
