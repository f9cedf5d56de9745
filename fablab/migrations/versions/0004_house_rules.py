"""rules of the house: hours, and who may heat at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'house_rules',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('opening_hours', sa.Text(), nullable=False),
        sa.Column('quiet_hours', sa.String(length=40), nullable=False),
        sa.Column('heating_at_once', sa.Integer(), nullable=False),
        sa.Column('heating_minutes', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_house_rules')),
    )
    op.add_column('machine', sa.Column('circuit', sa.String(length=40), server_default='', nullable=False))
    op.add_column('machine', sa.Column('attended', sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('machine') as batch:
        batch.drop_column('attended')
        batch.drop_column('circuit')
    op.drop_table('house_rules')
