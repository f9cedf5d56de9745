"""since when it is proved that a start of which nobody knows can come no more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0037'
down_revision = '0036'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('attempt', sa.Column('fenced_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('attempt', 'fenced_at')
