"""vendors and filaments: what reels of a kind have in common, and everything that can happen to a spool."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

from fablab.db import append_only_ddl

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

DENSITIES = {'PLA': 1.24, 'PETG': 1.27, 'TPU': 1.21}
REELS_G = (250, 500, 750, 1000)
MAY_MOVE_NOTHING = "'consumed', 'weighed', 'loaded', 'unloaded', 'emptied', 'retired', 'reopened'"


def upgrade() -> None:
    op.create_table(
        'vendor',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_vendor')),
        sa.UniqueConstraint('name', name=op.f('uq_vendor_name')),
    )
    op.create_table(
        'filament',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(length=20), nullable=False),
        sa.Column('vendor_id', sa.Integer(), nullable=True),
        sa.Column('material_code', sa.String(length=30), nullable=False),
        sa.Column('name', sa.String(length=60), nullable=False),
        sa.Column('colour_name', sa.String(length=40), nullable=False),
        sa.Column('colour_hex', sa.String(length=7), nullable=False),
        sa.Column('diameter_mm', sa.Double(), nullable=False),
        sa.Column('density_g_cm3', sa.Double(), nullable=False),
        sa.Column('net_g', sa.Double(), nullable=False),
        sa.Column('tare_g', sa.Double(), nullable=True),
        sa.Column('price_cents', sa.Integer(), nullable=True),
        sa.Column('low_g', sa.Double(), nullable=False),
        sa.Column('spoolman_id', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(['material_code'], ['material.code'], name=op.f('fk_filament_material_code_material')),
        sa.ForeignKeyConstraint(['vendor_id'], ['vendor.id'], name=op.f('fk_filament_vendor_id_vendor')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_filament')),
        sa.UniqueConstraint('public_id', name=op.f('uq_filament_public_id')),
        sa.UniqueConstraint('spoolman_id', name=op.f('uq_filament_spoolman_id')),
        sa.UniqueConstraint(
            'vendor_id', 'material_code', 'name', 'colour_name', 'colour_hex',
            name=op.f('uq_filament_vendor_id_material_code_name_colour_name_colour_hex'),
        ),
    )
    op.create_index(op.f('ix_filament_material_code'), 'filament', ['material_code'])
    op.add_column('spool', sa.Column('filament_id', sa.Integer(), nullable=True))
    op.add_column('spool', sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True))
    connection = op.get_bind()
    _give_every_spool_its_filament(connection)
    _finish_spool()
    _finish_movements(connection)


def _give_every_spool_its_filament(connection: sa.Connection) -> None:
    """Make a filament of each kind of reel there is; what was on a full one is a usual size that holds the fullest."""
    kinds = connection.execute(sa.text(
        "SELECT s.vendor, s.material_code, s.colour_name, s.colour_hex, MAX(m.mass_mg) AS most_mg"
        " FROM spool s LEFT JOIN spool_movement m ON m.spool_id = s.id AND m.kind = 'received'"
        " GROUP BY s.vendor, s.material_code, s.colour_name, s.colour_hex"
        " ORDER BY MIN(s.id)"
    )).all()
    vendors: dict[str, int] = {}
    for kind in kinds:
        if kind.vendor and kind.vendor not in vendors:
            vendors[kind.vendor] = len(vendors) + 1
            connection.execute(sa.text("INSERT INTO vendor (name) VALUES (:name)"), {'name': kind.vendor})
    for kind in kinds:
        most_g = (kind.most_mg or 0) / 1000
        values = {
            'public_id': secrets.token_urlsafe(9),
            'vendor': kind.vendor,
            'material': kind.material_code,
            'colour': kind.colour_name,
            'hex': kind.colour_hex,
            'density': DENSITIES.get(kind.material_code, 1.24),
            'net': next((size for size in REELS_G if size >= most_g), most_g) if most_g else 1000,
        }
        connection.execute(sa.text(
            "INSERT INTO filament (public_id, vendor_id, material_code, name, colour_name, colour_hex, diameter_mm,"
            " density_g_cm3, net_g, low_g) VALUES (:public_id, (SELECT id FROM vendor WHERE name = :vendor), :material,"
            " '', :colour, :hex, 1.75, :density, :net, 0)"
        ), values)
        connection.execute(sa.text(
            "UPDATE spool SET filament_id = (SELECT id FROM filament WHERE public_id = :public_id)"
            " WHERE vendor = :vendor AND material_code = :material AND colour_name = :colour AND colour_hex = :hex"
        ), values)
    connection.execute(sa.text(
        "UPDATE spool SET ended_at = CURRENT_TIMESTAMP, machine_id = NULL WHERE NOT active"
    ))


def _finish_spool() -> None:
    with op.batch_alter_table('spool') as batch:
        batch.drop_index(op.f('ix_spool_material_code'))
        batch.drop_constraint(op.f('fk_spool_material_code_material'), type_='foreignkey')
        for gone in ('material_code', 'vendor', 'colour_name', 'colour_hex', 'active'):
            batch.drop_column(gone)
        batch.alter_column('filament_id', existing_type=sa.Integer(), nullable=False)
        batch.add_column(sa.Column('lot', sa.String(length=60), server_default='', nullable=False))
        batch.add_column(sa.Column('price_cents', sa.Integer(), nullable=True))
        batch.add_column(sa.Column('owner', sa.String(length=10), server_default='place', nullable=False))
        batch.add_column(sa.Column('owner_id', sa.Integer(), nullable=True))
        batch.add_column(sa.Column('shelf', sa.String(length=60), server_default='', nullable=False))
        batch.add_column(sa.Column('comment', sa.String(length=300), server_default='', nullable=False))
        batch.add_column(sa.Column('own_tare_g', sa.Double(), nullable=True))
        batch.add_column(sa.Column('spoolman_id', sa.Integer(), nullable=True))
        batch.add_column(sa.Column('first_used_at', sa.DateTime(timezone=True), nullable=True))
        batch.create_foreign_key(op.f('fk_spool_filament_id_filament'), 'filament', ['filament_id'], ['id'])
        batch.create_foreign_key(op.f('fk_spool_owner_id_person'), 'person', ['owner_id'], ['id'])
        batch.create_unique_constraint(op.f('uq_spool_spoolman_id'), ['spoolman_id'])
        batch.create_index(op.f('ix_spool_filament_id'), ['filament_id'])
    op.execute(
        "UPDATE spool SET first_used_at = (SELECT MIN(at) FROM spool_movement m"
        " WHERE m.spool_id = spool.id AND m.kind = 'consumed')"
    )


def _finish_movements(connection: sa.Connection) -> None:
    is_sqlite = connection.dialect.name == 'sqlite'
    with op.batch_alter_table('spool_movement') as batch:
        batch.drop_constraint(op.f('uq_spool_movement_attempt_id_kind'), type_='unique')
        if not is_sqlite:  # there the table is made anew, without its checks
            batch.drop_constraint(op.f('ck_spool_movement_moves_something'), type_='check')
        batch.create_check_constraint(
            op.f('ck_spool_movement_moves_something'), f'mass_mg <> 0 or kind in ({MAY_MOVE_NOTHING})'
        )
        for name in ('machine_id', 'gross_mg', 'corrects_id', 'pair_id'):
            batch.add_column(sa.Column(name, sa.Integer(), nullable=True))
        batch.add_column(sa.Column('key', sa.String(length=60), nullable=True))
        batch.create_foreign_key(op.f('fk_spool_movement_machine_id_machine'), 'machine', ['machine_id'], ['id'])
        for name in ('corrects_id', 'pair_id'):
            foreign = op.f(f'fk_spool_movement_{name}_spool_movement')
            batch.create_foreign_key(foreign, 'spool_movement', [name], ['id'])
        for name in ('corrects_id', 'pair_id', 'key'):
            batch.create_unique_constraint(op.f(f'uq_spool_movement_{name}'), [name])
    consumed = sa.text("kind = 'consumed'")
    op.create_index(
        'uq_spool_movement_consumed',
        'spool_movement',
        ['attempt_id'],
        unique=True,
        sqlite_where=consumed,
        postgresql_where=consumed,
    )
    if is_sqlite:
        for statement in append_only_ddl('spool_movement', 'sqlite'):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError('What happened to filament is never taken back: restore a backup instead.')
