"""the first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl



revision = '0001'
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("ledger_entry", "ledger_line", "spool_movement", "job_event", "machine_event", "order_event")


def upgrade() -> None:
    op.create_table('machine',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('driver', sa.String(length=20), nullable=False),
    sa.Column('address', sa.String(length=500), nullable=False),
    sa.Column('key_sealed', sa.Text(), nullable=True),
    sa.Column('profile', sa.String(length=60), nullable=False),
    sa.Column('operation', sa.String(length=20), nullable=False),
    sa.Column('operation_note', sa.JSON(), nullable=True),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('looked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('foreign_file', sa.String(length=500), nullable=True),
    sa.Column('progress', sa.Double(), nullable=True),
    sa.Column('time_left_s', sa.Double(), nullable=True),
    sa.Column('plate', sa.String(length=10), nullable=False),
    sa.Column('service', sa.String(length=20), nullable=False),
    sa.Column('service_reason', sa.String(length=300), nullable=True),
    sa.Column('lease_token', sa.Integer(), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_machine')),
    sa.UniqueConstraint('name', name=op.f('uq_machine_name')),
    sa.UniqueConstraint('public_id', name=op.f('uq_machine_public_id'))
    )
    op.create_table('material',
    sa.Column('code', sa.String(length=30), nullable=False),
    sa.Column('label', sa.String(length=60), nullable=False),
    sa.Column('use', sa.String(length=200), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('code', name=op.f('pk_material'))
    )
    op.create_table('model_file',
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('size_bytes', sa.BigInteger(), nullable=False),
    sa.Column('report', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('sha256', name=op.f('pk_model_file'))
    )
    op.create_table('person',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('password_hash', sa.String(length=200), nullable=True),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('language', sa.String(length=2), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person')),
    sa.UniqueConstraint('email', name=op.f('uq_person_email')),
    sa.UniqueConstraint('public_id', name=op.f('uq_person_public_id'))
    )
    op.create_table('slice',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('gcode_sha256', sa.String(length=64), nullable=False),
    sa.Column('gcode_sha1', sa.String(length=40), nullable=False),
    sa.Column('time_s', sa.Float(), nullable=False),
    sa.Column('mass_g', sa.Float(), nullable=False),
    sa.Column('filament_mm', sa.Float(), nullable=False),
    sa.Column('layers', sa.Integer(), nullable=False),
    sa.Column('curve', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('slicer_version', sa.String(length=60), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slice')),
    sa.UniqueConstraint('key', name=op.f('uq_slice_key'))
    )
    op.create_table('tick',
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_tick'))
    )
    op.create_table('machine_event',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('machine_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('details', sa.JSON(none_as_null=True), nullable=True),
    sa.ForeignKeyConstraint(['machine_id'], ['machine.id'], name=op.f('fk_machine_event_machine_id_machine')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_machine_event_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_machine_event'))
    )
    with op.batch_alter_table('machine_event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_machine_event_machine_id'), ['machine_id'], unique=False)

    op.create_table('sign_in',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_sign_in_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_sign_in_token_hash'))
    )
    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_in_person_id'), ['person_id'], unique=False)

    op.create_table('spool',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=20), nullable=False),
    sa.Column('material_code', sa.String(length=30), nullable=False),
    sa.Column('vendor', sa.String(length=60), nullable=False),
    sa.Column('colour_name', sa.String(length=40), nullable=False),
    sa.Column('colour_hex', sa.String(length=7), nullable=False),
    sa.Column('machine_id', sa.Integer(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['machine_id'], ['machine.id'], name=op.f('fk_spool_machine_id_machine')),
    sa.ForeignKeyConstraint(['material_code'], ['material.code'], name=op.f('fk_spool_material_code_material')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_spool')),
    sa.UniqueConstraint('machine_id', name=op.f('uq_spool_machine_id')),
    sa.UniqueConstraint('public_id', name=op.f('uq_spool_public_id'))
    )
    with op.batch_alter_table('spool', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_spool_material_code'), ['material_code'], unique=False)

    op.create_table('tariff',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('valid_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('setup_cents', sa.Integer(), nullable=False),
    sa.Column('per_hour_cents', sa.Integer(), nullable=False),
    sa.Column('minimum_cents', sa.Integer(), nullable=False),
    sa.Column('rates', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['created_by_id'], ['person.id'], name=op.f('fk_tariff_created_by_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tariff'))
    )
    with op.batch_alter_table('tariff', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tariff_valid_from'), ['valid_from'], unique=False)

    op.create_table('print_order',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=20), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('price_cents', sa.Integer(), nullable=True),
    sa.Column('proposal_cents', sa.Integer(), nullable=True),
    sa.Column('tariff_id', sa.Integer(), nullable=True),
    sa.Column('price', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('note', sa.JSON(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_print_order_person_id_person')),
    sa.ForeignKeyConstraint(['tariff_id'], ['tariff.id'], name=op.f('fk_print_order_tariff_id_tariff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_print_order')),
    sa.UniqueConstraint('public_id', name=op.f('uq_print_order_public_id'))
    )
    with op.batch_alter_table('print_order', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_print_order_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_print_order_state'), ['state'], unique=False)

    op.create_table('job',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=20), nullable=False),
    sa.Column('order_id', sa.Integer(), nullable=False),
    sa.Column('requester_id', sa.Integer(), nullable=False),
    sa.Column('model_sha256', sa.String(length=64), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('copies', sa.Integer(), nullable=False),
    sa.Column('machine_profile', sa.String(length=60), nullable=False),
    sa.Column('material_code', sa.String(length=30), nullable=False),
    sa.Column('colour_name', sa.String(length=40), nullable=True),
    sa.Column('quality', sa.String(length=20), nullable=False),
    sa.Column('infill_percent', sa.Integer(), nullable=False),
    sa.Column('supports', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=30), nullable=False),
    sa.Column('problem', sa.JSON(), nullable=True),
    sa.Column('problem_detail', sa.Text(), nullable=True),
    sa.Column('held', sa.Boolean(), nullable=False),
    sa.Column('rank', sa.Integer(), nullable=False),
    sa.Column('free_of_charge', sa.Boolean(), nullable=False),
    sa.Column('slice_id', sa.Integer(), nullable=True),
    sa.Column('token', sa.Integer(), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('not_before', sa.DateTime(timezone=True), nullable=True),
    sa.Column('failed_starts', sa.Integer(), nullable=False),
    sa.Column('good_copies', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['order_id'], ['print_order.id'], name=op.f('fk_job_order_id_print_order')),
    sa.ForeignKeyConstraint(['requester_id'], ['person.id'], name=op.f('fk_job_requester_id_person')),
    sa.ForeignKeyConstraint(['slice_id'], ['slice.id'], name=op.f('fk_job_slice_id_slice')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_job')),
    sa.UniqueConstraint('public_id', name=op.f('uq_job_public_id'))
    )
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_job_order_id'), ['order_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_job_rank'), ['rank'], unique=False)
        batch_op.create_index(batch_op.f('ix_job_requester_id'), ['requester_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_job_state'), ['state'], unique=False)

    op.create_table('ledger_entry',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('order_id', sa.Integer(), nullable=True),
    sa.Column('by_id', sa.Integer(), nullable=True),
    sa.Column('text', sa.JSON(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['by_id'], ['person.id'], name=op.f('fk_ledger_entry_by_id_person')),
    sa.ForeignKeyConstraint(['order_id'], ['print_order.id'], name=op.f('fk_ledger_entry_order_id_print_order')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_entry')),
    sa.UniqueConstraint('key', name=op.f('uq_ledger_entry_key'))
    )
    with op.batch_alter_table('ledger_entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ledger_entry_order_id'), ['order_id'], unique=False)

    op.create_table('order_event',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('order_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('details', sa.JSON(none_as_null=True), nullable=True),
    sa.ForeignKeyConstraint(['order_id'], ['print_order.id'], name=op.f('fk_order_event_order_id_print_order')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_order_event_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_order_event'))
    )
    with op.batch_alter_table('order_event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_order_event_order_id'), ['order_id'], unique=False)

    op.create_table('order_line',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('order_id', sa.Integer(), nullable=False),
    sa.Column('model_sha256', sa.String(length=64), nullable=False),
    sa.Column('file_name', sa.String(length=200), nullable=False),
    sa.Column('quantity', sa.Integer(), nullable=False),
    sa.Column('material_code', sa.String(length=30), nullable=True),
    sa.Column('colour_name', sa.String(length=40), nullable=True),
    sa.Column('quality', sa.String(length=20), nullable=False),
    sa.Column('infill_percent', sa.Integer(), nullable=False),
    sa.Column('supports', sa.Boolean(), nullable=False),
    sa.Column('machine_profile', sa.String(length=60), nullable=True),
    sa.Column('estimated_mass_g', sa.Double(), nullable=True),
    sa.Column('estimated_time_s', sa.Double(), nullable=True),
    sa.ForeignKeyConstraint(['model_sha256'], ['model_file.sha256'], name=op.f('fk_order_line_model_sha256_model_file')),
    sa.ForeignKeyConstraint(['order_id'], ['print_order.id'], name=op.f('fk_order_line_order_id_print_order')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_order_line'))
    )
    with op.batch_alter_table('order_line', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_order_line_model_sha256'), ['model_sha256'], unique=False)
        batch_op.create_index(batch_op.f('ix_order_line_order_id'), ['order_id'], unique=False)

    op.create_table('attempt',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=20), nullable=False),
    sa.Column('job_id', sa.Integer(), nullable=False),
    sa.Column('machine_id', sa.Integer(), nullable=False),
    sa.Column('spool_id', sa.Integer(), nullable=False),
    sa.Column('slice_id', sa.Integer(), nullable=False),
    sa.Column('copies', sa.Integer(), nullable=False),
    sa.Column('file_name', sa.String(length=80), nullable=False),
    sa.Column('state', sa.String(length=30), nullable=False),
    sa.Column('wish', sa.String(length=10), nullable=True),
    sa.Column('wish_by_id', sa.Integer(), nullable=True),
    sa.Column('problem', sa.JSON(), nullable=True),
    sa.Column('progress', sa.Double(), nullable=True),
    sa.Column('time_left_s', sa.Double(), nullable=True),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('good_copies', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=40), nullable=True),
    sa.Column('signed_off_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('signed_off_by_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['job_id'], ['job.id'], name=op.f('fk_attempt_job_id_job')),
    sa.ForeignKeyConstraint(['machine_id'], ['machine.id'], name=op.f('fk_attempt_machine_id_machine')),
    sa.ForeignKeyConstraint(['signed_off_by_id'], ['person.id'], name=op.f('fk_attempt_signed_off_by_id_person')),
    sa.ForeignKeyConstraint(['slice_id'], ['slice.id'], name=op.f('fk_attempt_slice_id_slice')),
    sa.ForeignKeyConstraint(['spool_id'], ['spool.id'], name=op.f('fk_attempt_spool_id_spool')),
    sa.ForeignKeyConstraint(['wish_by_id'], ['person.id'], name=op.f('fk_attempt_wish_by_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attempt')),
    sa.UniqueConstraint('file_name', name=op.f('uq_attempt_file_name')),
    sa.UniqueConstraint('public_id', name=op.f('uq_attempt_public_id'))
    )
    with op.batch_alter_table('attempt', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attempt_job_id'), ['job_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_attempt_machine_id'), ['machine_id'], unique=False)
        batch_op.create_index('uq_attempt_live_job', ['job_id'], unique=True, sqlite_where=sa.text("state IN ('claimed', 'finished_unverified', 'paused', 'printing', 'starting', 'stopped_unverified', 'unknown', 'uploading')"), postgresql_where=sa.text("state IN ('claimed', 'finished_unverified', 'paused', 'printing', 'starting', 'stopped_unverified', 'unknown', 'uploading')"))
        batch_op.create_index('uq_attempt_live_machine', ['machine_id'], unique=True, sqlite_where=sa.text("state IN ('claimed', 'finished_unverified', 'paused', 'printing', 'starting', 'stopped_unverified', 'unknown', 'uploading')"), postgresql_where=sa.text("state IN ('claimed', 'finished_unverified', 'paused', 'printing', 'starting', 'stopped_unverified', 'unknown', 'uploading')"))

    op.create_table('ledger_line',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('entry_id', sa.Integer(), nullable=False),
    sa.Column('account', sa.String(length=20), nullable=False),
    sa.Column('holder_id', sa.Integer(), nullable=True),
    sa.Column('amount_cents', sa.Integer(), nullable=False),
    sa.CheckConstraint("(holder_id is not null) = (account in ('wallet', 'reserved'))", name=op.f('ck_ledger_line_holder_of_wallet')),
    sa.CheckConstraint('amount_cents <> 0', name=op.f('ck_ledger_line_amount_moves')),
    sa.ForeignKeyConstraint(['entry_id'], ['ledger_entry.id'], name=op.f('fk_ledger_line_entry_id_ledger_entry')),
    sa.ForeignKeyConstraint(['holder_id'], ['person.id'], name=op.f('fk_ledger_line_holder_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_line'))
    )
    with op.batch_alter_table('ledger_line', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ledger_line_entry_id'), ['entry_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ledger_line_holder_id'), ['holder_id'], unique=False)

    op.create_table('job_event',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('job_id', sa.Integer(), nullable=False),
    sa.Column('attempt_id', sa.Integer(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('details', sa.JSON(none_as_null=True), nullable=True),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_job_event_attempt_id_attempt')),
    sa.ForeignKeyConstraint(['job_id'], ['job.id'], name=op.f('fk_job_event_job_id_job')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_job_event_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_job_event'))
    )
    with op.batch_alter_table('job_event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_job_event_job_id'), ['job_id'], unique=False)

    op.create_table('spool_movement',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('spool_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('mass_mg', sa.Integer(), nullable=False),
    sa.Column('attempt_id', sa.Integer(), nullable=True),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("mass_mg <> 0 or kind = 'consumed'", name=op.f('ck_spool_movement_moves_something')),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempt.id'], name=op.f('fk_spool_movement_attempt_id_attempt')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_spool_movement_person_id_person')),
    sa.ForeignKeyConstraint(['spool_id'], ['spool.id'], name=op.f('fk_spool_movement_spool_id_spool')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_spool_movement')),
    sa.UniqueConstraint('attempt_id', 'kind', name=op.f('uq_spool_movement_attempt_id_kind'))
    )
    with op.batch_alter_table('spool_movement', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_spool_movement_spool_id'), ['spool_id'], unique=False)

    for table in APPEND_ONLY:
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("The ledger is never taken back: restore a backup instead.")
