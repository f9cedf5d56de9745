"""mails that carry documents; digests of closings that leave by mail, and to whom."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0032'
down_revision = '0031'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'document_mail',
        sa.Column('mail_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('document_id', sa.Integer(), nullable=False),
        sa.Column('key', sa.String(length=80), nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['mail_id'], ['mail.id'], name=op.f('fk_document_mail_mail_id_mail')),
        sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_document_mail_document_id_document')),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_document_mail_by_id_person')),
        sa.PrimaryKeyConstraint('mail_id', name=op.f('pk_document_mail')),
        sa.UniqueConstraint('key', name=op.f('uq_document_mail_key')),
    )
    op.create_index(op.f('ix_document_mail_document_id'), 'document_mail', ['document_id'])
    op.create_table(
        'digest_readers',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('addresses', sa.Text(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_digest_readers_by_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_digest_readers')),
    )
    op.create_table(
        'digest_mail',
        sa.Column('mail_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('first_position', sa.Integer(), nullable=False),
        sa.Column('last_position', sa.Integer(), nullable=False),
        sa.CheckConstraint('first_position <= last_position', name=op.f('ck_digest_mail_carries_something')),
        sa.ForeignKeyConstraint(['mail_id'], ['mail.id'], name=op.f('fk_digest_mail_mail_id_mail')),
        sa.PrimaryKeyConstraint('mail_id', name=op.f('pk_digest_mail')),
    )
    op.create_index(op.f('ix_digest_mail_last_position'), 'digest_mail', ['last_position'])
    for table in ('document_mail', 'digest_readers', 'digest_mail'):
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("What left by mail is never forgotten: restore a backup instead.")
