"""rules and groups of tariffs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl


revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

APPEND_ONLY = ("tariff_group",)


def upgrade() -> None:
    op.add_column(
        'tariff', sa.Column('tariff_group', sa.String(length=20), server_default='member', nullable=False)
    )
    op.add_column(
        'tariff', sa.Column('rules', sa.JSON(none_as_null=True), server_default=sa.text("'{}'"), nullable=False)
    )
    op.create_table(
        'tariff_group',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('tariff_group', sa.String(length=20), nullable=False),
        sa.Column('valid_from', sa.Date(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_tariff_group_by_id_person')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_tariff_group_person_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_tariff_group'))
    )
    op.create_index(op.f('ix_tariff_group_person_id'), 'tariff_group', ['person_id'])
    for table in APPEND_ONLY:
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The ledger is never taken back: restore a backup instead.")
