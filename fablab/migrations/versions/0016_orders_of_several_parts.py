"""orders of several parts: what each has of the price, the part a plate is of, the day an order is wanted for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('print_order', sa.Column('wanted_on', sa.Date(), nullable=True))
    op.add_column('order_line', sa.Column('price_cents', sa.Integer(), nullable=True))
    op.execute(
        "UPDATE order_line SET price_cents ="
        " (SELECT print_order.price_cents FROM print_order WHERE print_order.id = order_line.order_id)"
    )
    op.add_column('job', sa.Column('line_id', sa.Integer(), nullable=True))
    op.execute(
        "UPDATE job SET line_id ="
        " (SELECT min(order_line.id) FROM order_line WHERE order_line.order_id = job.order_id)"
    )
    with op.batch_alter_table('job') as table:
        table.alter_column('line_id', existing_type=sa.Integer(), nullable=False)
        table.create_foreign_key(op.f('fk_job_line_id_order_line'), 'order_line', ['line_id'], ['id'])
        table.create_index(op.f('ix_job_line_id'), ['line_id'])


def downgrade() -> None:
    raise NotImplementedError("The ledger is never taken back: restore a backup instead.")
