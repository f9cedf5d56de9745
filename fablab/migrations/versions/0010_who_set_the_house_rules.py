"""who set the house rules: a row for each change, and who made it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('house_rules') as batch:
        batch.add_column(sa.Column('set_at', sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column('set_by_id', sa.Integer(), nullable=True))
        batch.create_foreign_key(batch.f('fk_house_rules_set_by_id_person'), 'person', ['set_by_id'], ['id'])
    for statement in append_only_ddl('house_rules', op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Who set which rules is never forgotten: restore a backup instead.")
