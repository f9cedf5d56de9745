"""Spools from before there were vendors and filaments keep everything."""

import sqlite3

import pytest
import sqlalchemy as sa
from alembic import command

from fablab import db, migrating
from fablab.filament import queries
from fablab.filament.models import Filament, Spool
from tests.conftest import environment

OLD = [
    "INSERT INTO material (code, label, use, active) VALUES ('PLA', 'PLA', '', true)",
    *(
        "INSERT INTO spool (id, public_id, material_code, vendor, colour_name, colour_hex, active, created_at) VALUES "
        f"({number}, 'spool-{number}', 'PLA', '{vendor}', '{colour}', '#ffffff', {active}, '2026-01-01 10:00:00')"
        for number, vendor, colour, active in [
            (1, "Francofil", "white", "true"),
            (2, "Francofil", "white", "true"),
            (3, "", "blue", "false"),
        ]
    ),
    *(
        "INSERT INTO spool_movement (spool_id, kind, mass_mg, reason, at) VALUES "
        f"({spool}, '{kind}', {mass_mg}, '', '2026-01-02 10:00:00')"
        for spool, kind, mass_mg in [(1, "received", 310_000), (1, "consumed", -12_000), (2, "received", 750_000)]
    ),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def old_place(request, tmp_path):
    """A place as it was before, with spools and movements in it."""
    values = {"data_dir": str(tmp_path)}
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        server.create("before_filaments")
        values["database_url"] = server.url("before_filaments")
    with environment(**values):
        command.upgrade(migrating.config(), "0005")
        with db.transaction() as session:
            for statement in OLD:
                session.execute(sa.text(statement))
        yield tmp_path
        db.engine().dispose()
    if request.param == "postgresql":
        server.drop("before_filaments")


def test_old_spools_become_reels_of_filaments_and_lose_nothing(old_place):
    migrating.migrate()
    with db.reading() as session:
        white, second, blue = session.scalars(sa.select(Spool).order_by(Spool.id)).all()
        assert white.filament_id == second.filament_id != blue.filament_id
        kind = white.filament
        assert (kind.vendor_name, kind.material_code, kind.colour_name, kind.colour_hex) == (
            "Francofil",
            "PLA",
            "white",
            "#ffffff",
        )
        assert (kind.net_g, blue.filament.net_g, blue.filament.vendor) == (750, 1000, None)
        assert queries.remaining_mg(session, [1, 2, 3]) == {1: 298_000, 2: 750_000, 3: 0}
        assert white.public_id == "spool-1"
        assert white.first_used_at is not None
        assert second.first_used_at is None
        assert (white.ended_at, second.ended_at) == (None, None)
        assert blue.ended_at is not None
        assert session.scalar(sa.select(sa.func.count(Filament.id))) == 2
    assert migrating.differences() == []


def test_old_movements_still_refuse_every_change(old_place):
    migrating.migrate()
    with pytest.raises(sa.exc.DBAPIError, match="only grows"), db.transaction() as session:
        session.execute(sa.text("UPDATE spool_movement SET mass_mg = 1"))


def test_sqlite_checks_what_belongs_together_again_after_a_migration(tmp_path):
    with environment(data_dir=str(tmp_path)):
        migrating.migrate()
        with pytest.raises(sa.exc.IntegrityError), db.transaction() as session:
            session.execute(sa.text("INSERT INTO vendor (id, name) VALUES (1, 'A')"))
            session.execute(
                sa.text(
                    "INSERT INTO filament (public_id, vendor_id, material_code, name, colour_name, colour_hex,"
                    " diameter_mm, density_g_cm3, net_g, low_g) VALUES ('a', 1, 'NONE', '', 'w', '#ffffff', 1, 1, 1, 0)"
                )
            )
    assert sqlite3.connect(tmp_path / "fablab.db").execute("pragma foreign_key_check").fetchall() == []
