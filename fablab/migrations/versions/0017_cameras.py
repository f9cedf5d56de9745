"""the address of a picture of a printer's camera."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('machine', sa.Column('snapshot', sa.String(length=500), nullable=False, server_default=''))


def downgrade() -> None:
    op.drop_column('machine', 'snapshot')
