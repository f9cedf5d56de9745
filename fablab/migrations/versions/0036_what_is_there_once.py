"""what is there once, whoever presses at the same moment: a project of one form, a company of one number; and notes.

A note says what was done about a card payment that did not match.

Companies that share a number already stay: the number stays with the oldest that may order, the others have none until
somebody enters theirs. They are named in the log; invoices keep what they say.
"""

from __future__ import annotations

import logging

import sqlalchemy as sa
from alembic import op

revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None

BY_ID = "ALTER TABLE card_event ADD COLUMN by_id INTEGER CONSTRAINT fk_card_event_by_id_person REFERENCES person (id)"
log = logging.getLogger(__name__)


def upgrade() -> None:
    op.add_column('project', sa.Column('form_key', sa.String(length=80), nullable=True))
    op.create_index('uq_project_form_key', 'project', ['form_key'], unique=True)
    for number in ('siret', 'rna'):
        leave_it_to_one(number)
        where = sa.text(f"{number} <> ''")
        op.create_index(
            f'uq_company_{number}', 'company', [number], unique=True, sqlite_where=where, postgresql_where=where
        )
    op.execute(BY_ID)  # in one statement: on SQLite too the triggers stay
    op.add_column('card_event', sa.Column('note', sa.Text(), nullable=True))


def leave_it_to_one(number: str) -> None:
    """Take a number from all companies that have it but one."""
    company = sa.table('company', sa.column('id'), sa.column('name'), sa.column('active'), sa.column(number))
    mine = company.c[number]
    known: set[str] = set()
    rows = sa.select(company.c.id, company.c.name, mine).where(mine != '')
    for company_id, name, value in op.get_bind().execute(rows.order_by(company.c.active.desc(), company.c.id)).all():
        if value in known:
            log.warning("%s (%d) loses its number %s, which an older company has too", name, company_id, value)
            op.execute(company.update().where(company.c.id == company_id).values({number: ''}))
        known.add(value)


def downgrade() -> None:
    raise NotImplementedError("The ledger is never taken back: restore a backup instead.")
