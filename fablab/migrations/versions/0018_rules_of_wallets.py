"""the prepaid regime and the cap of wallets, by date."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'wallet_rules',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('valid_from', sa.Date(), nullable=False),
        sa.Column('prepaid', sa.String(length=20), nullable=False),
        sa.Column('cap_cents', sa.Integer(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('created_by_id', sa.Integer(), nullable=True),
        sa.CheckConstraint('cap_cents >= 0', name=op.f('ck_wallet_rules_cap_is_possible')),
        sa.ForeignKeyConstraint(['created_by_id'], ['person.id'], name=op.f('fk_wallet_rules_created_by_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_wallet_rules')),
    )
    op.create_index(op.f('ix_wallet_rules_valid_from'), 'wallet_rules', ['valid_from'])
    for statement in append_only_ddl('wallet_rules', op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The ledger is never taken back: restore a backup instead.")
