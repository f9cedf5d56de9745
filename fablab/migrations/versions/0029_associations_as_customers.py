"""associations that pay on invoice, with their RNA number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('company', sa.Column('kind', sa.String(length=20), nullable=False, server_default='company'))
    op.add_column('company', sa.Column('rna', sa.String(length=10), nullable=False, server_default=''))


def downgrade() -> None:
    with op.batch_alter_table('company') as company:
        company.drop_column('rna')
        company.drop_column('kind')
