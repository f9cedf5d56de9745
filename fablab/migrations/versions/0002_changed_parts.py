"""what an owner sent, and the change made to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('order_line', sa.Column('source_sha256', sa.String(length=64), nullable=True))
    op.add_column('order_line', sa.Column('change', sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('order_line') as batch:
        batch.drop_column('change')
        batch.drop_column('source_sha256')
