"""On PostgreSQL the application's role owns nothing: what was issued cannot be changed through it, whatever it tries."""

from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa

from fablab import bus, checkup, db, migrating, roles
from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.invoicing import crediting, from_orders, payments, verifying
from fablab.invoicing.crediting import Credit
from fablab.invoicing.models import Document, Method
from fablab.invoicing.payments import PaymentData
from fablab.tables import APPEND_ONLY
from tests.books import business, command, made_company_order
from tests.conftest import Recorder, environment


@pytest.fixture(scope="module")
def place(postgres, tmp_path_factory):
    """A place whose tables belong to somebody else than the application, with an invoice, a payment and a credit note."""
    name, role = f"owned_{uuid.uuid4().hex[:12]}", f"app_{uuid.uuid4().hex[:12]}"
    urls = {"database_url": postgres.url(name, role), "owner_database_url": postgres.url(name)}
    postgres.create(name)
    with environment(data_dir=str(tmp_path_factory.mktemp("owned")), **urls), bus.using(Recorder()):
        migrating.migrate()
        migrating.migrate()  # a second time changes nothing
        _an_invoice()
        yield role
        db.engine().dispose()
    postgres.drop(name)


def _an_invoice():
    with db.transaction() as session:
        cast, acme = business(session)
        made_company_order(session, cast, acme)
        (invoice,) = from_orders.invoice_company(session, acme, "", command("one"))
        paid = PaymentData(Method.CARD, 100, invoice.issued_on, "", "paid")
        payments.pay(session, invoice, paid, None, utcnow())
        crediting.issue(session, invoice, Credit(100, "Rayure"), command("note"))


def test_the_application_works_without_owning_anything(place):
    with db.snapshot() as session:
        assert list(verifying.findings(session)) == []
        assert session.scalar(sa.select(sa.func.count(Document.id))) == 2
    assert migrating.is_up_to_date()
    with db.engine().connect() as connection:
        assert not roles.owns_tables(connection)
    assert not any("owns the tables" in str(each.sentence) for each in checkup.run())


@pytest.mark.parametrize(
    "statement",
    [
        *(f"UPDATE {table} SET id = id" for table in ("document", "ledger_line", "payment", "closing", "tariff")),
        *(f"DELETE FROM {table}" for table in ("document", "ledger_entry", "document_chain", "closed_books")),
        "TRUNCATE document CASCADE",
        "ALTER TABLE document DISABLE TRIGGER ALL",
        "ALTER TABLE ledger_line DISABLE TRIGGER USER",
        "DROP TRIGGER document_append_only ON document",
        "DROP TABLE payment CASCADE",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        "SET session_replication_role = replica",
        "UPDATE alembic_version SET version_num = '0001'",
        "CREATE ROLE another SUPERUSER",
    ],
)
def test_nothing_that_would_change_the_books_is_allowed_to_it(place, statement):
    with pytest.raises(sa.exc.DBAPIError, match=r"permission denied|must be"), db.engine().begin() as connection:
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_no_table_that_only_grows_can_be_changed_by_it(place, table):
    with db.engine().connect() as connection:
        for right in ("UPDATE", "DELETE", "TRUNCATE"):
            asked = sa.text("SELECT has_table_privilege(current_user, :table, :right)")
            assert not connection.scalar(asked, {"table": table, "right": right}), (table, right)
        assert connection.scalar(
            sa.text("SELECT has_table_privilege(current_user, :table, 'INSERT')"), {"table": table}
        )


def test_the_owner_and_the_application_are_two_roles(postgres, tmp_path):
    postgres.create("alone")
    try:
        with (
            environment(
                data_dir=str(tmp_path), database_url=postgres.url("alone"), owner_database_url=postgres.url("alone")
            ),
            pytest.raises(Conflict, match="two roles"),
        ):
            migrating.migrate()
    finally:
        postgres.drop("alone")


def test_an_application_that_owns_its_tables_is_told(postgres, tmp_path):
    postgres.create("owning")
    try:
        with environment(data_dir=str(tmp_path), database_url=postgres.url("owning"), owner_database_url=""):
            migrating.migrate()
            assert any("owns the tables" in str(each.sentence) and not each.ok for each in checkup.run())
    finally:
        postgres.drop("owning")
