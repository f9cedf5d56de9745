"""notices, mails, and the shelf on which finished parts wait."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'mail',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(length=20), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('subject_group', sa.String(length=20), nullable=True),
        sa.Column('state', sa.String(length=10), nullable=False),
        sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('notices_count', sa.Integer(), nullable=False),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('token', sa.Integer(), nullable=False),
        sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
        sa.Column('problem', sa.JSON(none_as_null=True), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_mail_person_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_mail')),
        sa.UniqueConstraint('public_id', name=op.f('uq_mail_public_id')),
    )
    op.create_index(op.f('ix_mail_person_id'), 'mail', ['person_id'])
    op.create_index(op.f('ix_mail_state'), 'mail', ['state'])
    op.create_index(
        'ix_mail_waiting', 'mail', ['due_at'],
        postgresql_where=sa.text("state = 'due'"), sqlite_where=sa.text("state = 'due'"),
    )
    op.create_table(
        'notice',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(length=20), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=30), nullable=False),
        sa.Column('key', sa.String(length=80), nullable=False),
        sa.Column('title', sa.JSON(none_as_null=True), nullable=False),
        sa.Column('text', sa.JSON(none_as_null=True), nullable=False),
        sa.Column('path', sa.String(length=200), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('mail_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_notice_person_id_person')),
        sa.ForeignKeyConstraint(['mail_id'], ['mail.id'], name=op.f('fk_notice_mail_id_mail')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_notice')),
        sa.UniqueConstraint('public_id', name=op.f('uq_notice_public_id')),
        sa.UniqueConstraint('person_id', 'key', name=op.f('uq_notice_person_id_key')),
    )
    op.create_index(op.f('ix_notice_person_id'), 'notice', ['person_id'])
    op.create_index(op.f('ix_notice_mail_id'), 'notice', ['mail_id'])
    op.create_table(
        'notice_choice',
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('subject_group', sa.String(length=20), nullable=False),
        sa.Column('pace', sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_notice_choice_person_id_person')),
        sa.PrimaryKeyConstraint('person_id', 'subject_group', name=op.f('pk_notice_choice')),
    )
    op.create_table(
        'pick_up',
        sa.Column('order_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('place', sa.String(length=40), nullable=False),
        sa.Column('code', sa.String(length=8), nullable=False),
        sa.Column('ready_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('reminders', sa.Integer(), nullable=False),
        sa.Column('reminded_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('ended_by_id', sa.Integer(), nullable=True),
        sa.Column('reason', sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(['order_id'], ['print_order.id'], name=op.f('fk_pick_up_order_id_print_order')),
        sa.ForeignKeyConstraint(['ended_by_id'], ['person.id'], name=op.f('fk_pick_up_ended_by_id_person')),
        sa.PrimaryKeyConstraint('order_id', name=op.f('pk_pick_up')),
    )
    op.create_index(
        'uq_pick_up_waiting_code', 'pick_up', ['code'], unique=True,
        postgresql_where=sa.text('ended_at IS NULL'), sqlite_where=sa.text('ended_at IS NULL'),
    )
    op.create_table(
        'shelf_rules',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('places', sa.Text(), nullable=False),
        sa.Column('remind_after_days', sa.Integer(), nullable=False),
        sa.Column('most_reminders', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_shelf_rules')),
    )
    # Orders that were ready before get a code of their own; where they lie is for a volunteer to say.
    op.execute(
        "INSERT INTO pick_up (order_id, place, code, ready_at, reminders)"
        " SELECT id, '', 'R' || id, CURRENT_TIMESTAMP, 0 FROM print_order WHERE state = 'ready'"
    )


def downgrade() -> None:
    for table in ('shelf_rules', 'pick_up', 'notice_choice', 'notice', 'mail'):
        op.drop_table(table)
