"""orders that are wanted as soon as possible."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ('print_order', 'job'):
        op.add_column(table, sa.Column('urgent', sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for table in ('job', 'print_order'):
        with op.batch_alter_table(table) as batch:
            batch.drop_column('urgent')
