"""the review desk: rules, what was said about an order, threads, and people without an e-mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl


revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'review_rules',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('size_mm', sa.Integer(), nullable=False),
        sa.Column('price_cents', sa.Integer(), nullable=False),
        sa.Column('warnings', sa.Boolean(), nullable=False),
        sa.Column('first_order', sa.Boolean(), nullable=False),
        sa.Column('company', sa.Boolean(), nullable=False),
        sa.Column('attestation', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_review_rules')),
    )
    op.create_table(
        'review',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('order_id', sa.Integer(), nullable=False),
        sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('why', sa.JSON(none_as_null=True), nullable=False),
        sa.Column('verdict', sa.String(length=20), nullable=True),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('decided_by_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['decided_by_id'], ['person.id'], name=op.f('fk_review_decided_by_id_person')),
        sa.ForeignKeyConstraint(['order_id'], ['print_order.id'], name=op.f('fk_review_order_id_print_order')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_review')),
    )
    op.create_index(op.f('ix_review_order_id'), 'review', ['order_id'])
    op.create_table(
        'thread',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(length=20), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('order_id', sa.Integer(), nullable=True),
        sa.Column('subject', sa.String(length=200), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['order_id'], ['print_order.id'], name=op.f('fk_thread_order_id_print_order')),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_thread_person_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_thread')),
        sa.UniqueConstraint('order_id', name=op.f('uq_thread_order_id')),
        sa.UniqueConstraint('public_id', name=op.f('uq_thread_public_id')),
    )
    op.create_index(op.f('ix_thread_person_id'), 'thread', ['person_id'])
    op.create_table(
        'thread_message',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('thread_id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('from_place', sa.Boolean(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_thread_message_person_id_person')),
        sa.ForeignKeyConstraint(['thread_id'], ['thread.id'], name=op.f('fk_thread_message_thread_id_thread')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_thread_message')),
    )
    op.create_index(op.f('ix_thread_message_thread_id'), 'thread_message', ['thread_id'])
    op.create_table(
        'thread_seen',
        sa.Column('thread_id', sa.Integer(), nullable=False),
        sa.Column('by_place', sa.Boolean(), nullable=False),
        sa.Column('message_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['thread_id'], ['thread.id'], name=op.f('fk_thread_seen_thread_id_thread')),
        sa.PrimaryKeyConstraint('thread_id', 'by_place', name=op.f('pk_thread_seen')),
    )
    for statement in append_only_ddl('thread_message', op.get_bind().dialect.name):
        op.execute(statement)
    op.add_column('person', sa.Column('contact', sa.String(length=200), nullable=True))
    op.add_column('print_order', sa.Column('attested_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('person') as batch:
        batch.drop_column('contact')
    with op.batch_alter_table('print_order') as batch:
        batch.drop_column('attested_at')
    op.drop_table('thread_seen')
    op.drop_table('thread_message')
    op.drop_table('thread')
    op.drop_table('review')
    op.drop_table('review_rules')
