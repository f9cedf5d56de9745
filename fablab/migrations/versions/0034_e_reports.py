"""what was handed over for e-reporting."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'e_report',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('what', sa.String(length=10), nullable=False),
        sa.Column('first_on', sa.Date(), nullable=False),
        sa.Column('last_on', sa.Date(), nullable=False),
        sa.Column('handed_on', sa.Date(), nullable=False),
        sa.Column('reference', sa.String(length=80), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_e_report_by_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_e_report')),
        sa.UniqueConstraint('what', 'first_on', 'last_on', name=op.f('uq_e_report_what_first_on_last_on')),
    )
    for statement in append_only_ddl('e_report', op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The books are never taken back: restore a backup instead.")
