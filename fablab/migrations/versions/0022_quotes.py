"""quotes, their answers, links and reminders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table('print_order') as order:
        order.add_column(sa.Column('wants_quote', sa.Boolean(), server_default=sa.false(), nullable=False))
        order.add_column(sa.Column('quote_sha256', sa.String(length=64), nullable=True))
    _quotes()
    _links()
    _answers()
    for table in ('quote', 'quote_answer', 'quote_link', 'quote_reminder'):
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)


def _quotes() -> None:
    op.create_table(
        'quote',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(length=20), nullable=False),
        sa.Column('order_id', sa.Integer(), nullable=False),
        sa.Column('structure', sa.String(length=160), nullable=False),
        sa.Column('year', sa.Integer(), nullable=False),
        sa.Column('sequence', sa.Integer(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('number', sa.String(length=35), nullable=False),
        sa.Column('issued_on', sa.Date(), nullable=False),
        sa.Column('valid_until', sa.Date(), nullable=False),
        sa.Column('company_id', sa.Integer(), nullable=True),
        sa.Column('cents', sa.Integer(), nullable=False),
        sa.Column('net_cents', sa.Integer(), nullable=False),
        sa.Column('vat_cents', sa.Integer(), nullable=False),
        sa.Column('gross_cents', sa.Integer(), nullable=False),
        sa.Column('payload', sa.Text(), nullable=False),
        sa.Column('sha256', sa.String(length=64), nullable=False),
        sa.Column('issued_at', MOMENT, nullable=False),
        sa.Column('issued_by_id', sa.Integer(), nullable=True),
        sa.CheckConstraint(
            'net_cents + vat_cents = gross_cents and net_cents >= 0 and vat_cents >= 0', name=op.f('ck_quote_adds_up')
        ),
        sa.CheckConstraint('cents > 0 and version > 0 and sequence > 0', name=op.f('ck_quote_is_about_money')),
        sa.ForeignKeyConstraint(['order_id'], ['print_order.id'], name=op.f('fk_quote_order_id_print_order')),
        sa.ForeignKeyConstraint(['company_id'], ['company.id'], name=op.f('fk_quote_company_id_company')),
        sa.ForeignKeyConstraint(['issued_by_id'], ['person.id'], name=op.f('fk_quote_issued_by_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_quote')),
        sa.UniqueConstraint('public_id', name=op.f('uq_quote_public_id')),
        sa.UniqueConstraint('order_id', 'version', name=op.f('uq_quote_order_id_version')),
        sa.UniqueConstraint(
            'structure', 'year', 'sequence', 'version', name=op.f('uq_quote_structure_year_sequence_version')
        ),
    )
    for column in ('order_id', 'number', 'company_id'):
        op.create_index(op.f(f'ix_quote_{column}'), 'quote', [column])


def _links() -> None:
    op.create_table(
        'quote_link',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(length=20), nullable=False),
        sa.Column('quote_id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=120), nullable=False),
        sa.Column('email', sa.String(length=254), nullable=False),
        sa.Column('mail_id', sa.Integer(), nullable=False),
        sa.Column('at', MOMENT, nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['quote_id'], ['quote.id'], name=op.f('fk_quote_link_quote_id_quote')),
        sa.ForeignKeyConstraint(['mail_id'], ['mail.id'], name=op.f('fk_quote_link_mail_id_mail')),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_quote_link_by_id_person')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_quote_link')),
        sa.UniqueConstraint('public_id', name=op.f('uq_quote_link_public_id')),
    )
    op.create_index(op.f('ix_quote_link_quote_id'), 'quote_link', ['quote_id'])


def _answers() -> None:
    op.create_table(
        'quote_answer',
        sa.Column('quote_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('reply', sa.String(length=20), nullable=False),
        sa.Column('name', sa.String(length=120), nullable=False),
        sa.Column('reason', sa.String(length=500), nullable=False),
        sa.Column('at', MOMENT, nullable=False),
        sa.Column('by_id', sa.Integer(), nullable=True),
        sa.Column('link_id', sa.Integer(), nullable=True),
        sa.CheckConstraint(
            '(by_id is null) = (link_id is not null)', name=op.f('ck_quote_answer_somebody_answered')
        ),
        sa.ForeignKeyConstraint(['quote_id'], ['quote.id'], name=op.f('fk_quote_answer_quote_id_quote')),
        sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_quote_answer_by_id_person')),
        sa.ForeignKeyConstraint(['link_id'], ['quote_link.id'], name=op.f('fk_quote_answer_link_id_quote_link')),
        sa.PrimaryKeyConstraint('quote_id', name=op.f('pk_quote_answer')),
    )
    op.create_table(
        'quote_reminder',
        sa.Column('quote_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('at', MOMENT, nullable=False),
        sa.ForeignKeyConstraint(['quote_id'], ['quote.id'], name=op.f('fk_quote_reminder_quote_id_quote')),
        sa.PrimaryKeyConstraint('quote_id', name=op.f('pk_quote_reminder')),
    )


def downgrade() -> None:
    raise NotImplementedError("Quotes that were sent are never taken back: restore a backup instead.")
