"""projects with budgets, their people, the bookings about them, and orders they pay."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'project',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(length=20), nullable=False),
        sa.Column('name', sa.String(length=120), nullable=False),
        sa.Column('first_on', sa.Date(), nullable=False),
        sa.Column('last_on', sa.Date(), nullable=True),
        sa.Column('active', sa.Boolean(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('created_by_id', sa.Integer(), nullable=True),
        sa.CheckConstraint('last_on is null or last_on >= first_on', name=op.f('ck_project_days_in_order')),
        sa.ForeignKeyConstraint(['created_by_id'], ['person.id'], name=op.f('fk_project_created_by_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_project')),
        sa.UniqueConstraint('public_id', name=op.f('uq_project_public_id')),
    )
    op.create_table(
        'project_member',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('project_id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_project_member_project_id_project')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_project_member_person_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_project_member')),
        sa.UniqueConstraint('project_id', 'person_id', name=op.f('uq_project_member_project_id_person_id')),
    )
    for column in ('project_id', 'person_id'):
        op.create_index(op.f(f'ix_project_member_{column}'), 'project_member', [column])
    op.create_table(
        'project_booking',
        sa.Column('entry_id', sa.Integer(), nullable=False),
        sa.Column('project_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ['entry_id'], ['ledger_entry.id'], name=op.f('fk_project_booking_entry_id_ledger_entry')
        ),
        sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_project_booking_project_id_project')),
        sa.PrimaryKeyConstraint('entry_id', name=op.f('pk_project_booking')),
    )
    op.create_index(op.f('ix_project_booking_project_id'), 'project_booking', ['project_id'])
    op.execute(
        "ALTER TABLE print_order ADD COLUMN project_id INTEGER"
        " CONSTRAINT fk_print_order_project_id_project REFERENCES project (id)"
    )
    op.create_index(op.f('ix_print_order_project_id'), 'print_order', ['project_id'])
    for statement in append_only_ddl('project_booking', op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The ledger is never taken back: restore a backup instead.")
