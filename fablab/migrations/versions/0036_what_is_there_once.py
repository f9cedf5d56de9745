"""what is there once, whoever presses at the same moment: a project of one form."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('project', sa.Column('form_key', sa.String(length=80), nullable=True))
    op.create_index('uq_project_form_key', 'project', ['form_key'], unique=True)


def downgrade() -> None:
    op.drop_index('uq_project_form_key', table_name='project')
    with op.batch_alter_table('project') as project:
        project.drop_column('form_key')
