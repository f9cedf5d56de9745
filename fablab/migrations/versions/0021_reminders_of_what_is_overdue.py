"""reminders of overdue invoices, and mails to people without an account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

WORDS = (('to_name', 160), ('to_email', 254), ('language', 2), ('subject', 200))


def upgrade() -> None:
    with op.batch_alter_table('mail') as mail:
        mail.alter_column('person_id', existing_type=sa.Integer(), nullable=True)
        for name, length in WORDS:
            mail.add_column(sa.Column(name, sa.String(length=length), nullable=True))
        mail.add_column(sa.Column('body', sa.Text(), nullable=True))
        mail.create_check_constraint(
            op.f('ck_mail_goes_to_somebody'), '(person_id is null) = (to_email is not null)'
        )
    op.create_table(
        'reminder',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('document_id', sa.Integer(), nullable=False),
        sa.Column('level', sa.Integer(), nullable=False),
        sa.Column('amount_cents', sa.Integer(), nullable=False),
        sa.Column('mail_id', sa.Integer(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.CheckConstraint('level between 1 and 3', name=op.f('ck_reminder_level_exists')),
        sa.CheckConstraint('amount_cents > 0', name=op.f('ck_reminder_is_about_money')),
        sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_reminder_document_id_document')),
        sa.ForeignKeyConstraint(['mail_id'], ['mail.id'], name=op.f('fk_reminder_mail_id_mail')),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_reminder_by_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_reminder')),
        sa.UniqueConstraint('document_id', 'level', name=op.f('uq_reminder_document_id_level')),
    )
    op.create_index(op.f('ix_reminder_document_id'), 'reminder', ['document_id'])
    op.create_table(
        'reminder_stop',
        sa.Column('document_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('reason', sa.String(length=200), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_reminder_stop_document_id_document')),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_reminder_stop_by_id_person')),
        sa.PrimaryKeyConstraint('document_id', name=op.f('pk_reminder_stop')),
    )
    for statement in append_only_ddl('reminder', op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table('reminder_stop')
    op.drop_table('reminder')
    op.execute('DELETE FROM mail WHERE person_id IS NULL')
    with op.batch_alter_table('mail') as mail:
        mail.drop_constraint(op.f('ck_mail_goes_to_somebody'), type_='check')
        mail.alter_column('person_id', existing_type=sa.Integer(), nullable=False)
        for name in ('body', *(name for name, _ in WORDS)):
            mail.drop_column(name)
