"""the camera that a printer's server names by itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('machine', sa.Column('found_snapshot', sa.String(length=500), nullable=False, server_default=''))


def downgrade() -> None:
    op.drop_column('machine', 'found_snapshot')
