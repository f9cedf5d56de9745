"""Whatever is changed behind the back of the program is found, and the first broken link is named first."""

import subprocess

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fablab import db
from fablab.accounts import companies
from fablab.accounts.companies import Identity
from fablab.db import utcnow
from fablab.invoicing import crediting, deposits, from_orders, issuing, payments, verifying
from fablab.invoicing.content import to_text
from fablab.invoicing.crediting import Credit
from fablab.invoicing.deposits import Asked
from fablab.invoicing.models import Document, Method
from fablab.invoicing.payments import PaymentData
from fablab.tables import APPEND_ONLY
from tests.books import ACME_CONTACT, business, command, company_order, draft_of, made_company_order, make
from tests.invoicing.contents import HOME
from tests.people import order_cube
from tests.running import FABLAB

TODAY = utcnow().date()


@pytest.fixture
def books(any_place):
    """Four invoices, of which the second is partly credited and the third paid."""
    with db.transaction() as session:
        _, acme = business(session)
        made = [issuing.issue(session, draft_of(1000 * n, company=acme), command(str(n))) for n in (1, 2, 3, 4)]
        crediting.issue(session, made[1], Credit(500, "Rayure"), command("note"))
        payments.pay(session, made[2], PaymentData(Method.CARD, 3000, TODAY, "", "paid"), None, utcnow())
    return made


def found() -> list[str]:
    with db.reading() as session:
        return [str(each) for each in verifying.findings(session)]


def drop_triggers(connection: sa.Connection) -> None:
    """Take away what protects rows from being changed, as somebody with the whole database could."""
    for table in APPEND_ONLY:
        if connection.dialect.name == "sqlite":
            for verb in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER {table}_no_{verb}")
        else:
            connection.exec_driver_sql(f"DROP TRIGGER {table}_append_only ON {table}")
    for table in ("document_chain", "document_counter"):
        where = "" if connection.dialect.name == "sqlite" else f" ON {table}"
        connection.exec_driver_sql(f"DROP TRIGGER {table}_onwards{where}")
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("SET session_replication_role = replica")


def tamper(*statements: str) -> None:
    """Change rows behind the back of the program."""
    with db.engine().begin() as connection:
        drop_triggers(connection)
        for statement in statements:
            assert connection.execute(sa.text(statement)).rowcount > 0


def test_books_that_nobody_touched_have_no_findings(books):
    assert found() == []


@pytest.mark.parametrize(
    ("statement", "first"),
    [
        ("UPDATE document SET payload = replace(payload, 'Pièce 1', 'Pièce 2') WHERE position = 2", "00002 was changed after"),
        ("UPDATE document SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE position = 3", "00003 was changed after"),
        ("UPDATE document SET gross_cents = gross_cents + 1, net_cents = net_cents + 1 WHERE position = 1", "00001: what the list says"),
        ("UPDATE document SET due_on = '2031-01-01' WHERE position = 4", "00004: what the list says differs from the document (due_on)"),
        ("UPDATE ledger_line SET amount_cents = -1 WHERE account = 'vat' AND entry_id = (SELECT id FROM ledger_entry WHERE document_id = 2 AND kind = 'invoice')", "00002: the ledger does not say"),
        ("UPDATE ledger_line SET amount_cents = -2999 WHERE account = 'receivable' AND amount_cents = -3000", "00003: a payment of €30.00 is not booked"),
        ("UPDATE payment SET amount_cents = 2000", "00003: a payment of €20.00 is not booked"),
        ("DELETE FROM payment", "00003: booking"),
        ("UPDATE document_counter SET last = 9 WHERE series = 'F'", "counter says 9"),
        ("UPDATE document_chain SET length = 4", "the end is missing"),
        ("UPDATE document SET number = 'F-2026-00009' WHERE position = 3", "numbers have a gap"),
        ("UPDATE document SET corrects_id = 3 WHERE position = 5", "00001: what the list says differs from the document (corrects_id)"),
        ("UPDATE document SET company_id = NULL WHERE position = 3", "00003: what the list says differs from the document (company_id)"),
        ("UPDATE document SET person_id = 1 WHERE position = 3", "00003: what the list says differs from the document (person_id)"),
        ("UPDATE document SET company_id = NULL, person_id = 1 WHERE position = 5", "00001: what the list says differs from the document (company_id, person_id)"),
        ("UPDATE payment SET method = 'cash'", "00003: a payment of €30.00 is not booked as it was noted"),
        ("UPDATE payment SET key = 'settled-3'", "00003: a payment of €30.00 is not booked as it was noted"),
        ("UPDATE payment SET received_on = '2031-01-01'", "00003: a payment of €30.00 was booked before its day"),
        ("UPDATE ledger_line SET account = 'cash' WHERE account = 'card'", "00003: a payment of €30.00 is not booked as it was noted"),
        ("UPDATE ledger_line SET account = 'sales' WHERE account = 'card'", "00003: a payment of €30.00 is not booked as it was noted"),
    ],
)  # fmt: skip
def test_what_was_changed_behind_the_back_is_named(books, statement, first):
    tamper(statement)
    assert first in found()[0]


@given(
    column=st.sampled_from(["payload", "hash", "previous_hash"]),
    position=st.integers(1, 5),
    place=st.floats(0, 1, exclude_max=True),
    sign=st.characters(exclude_categories=["C"]),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_sign_that_is_changed_anywhere_in_the_chain_is_named(books, column, position, place, sign):
    with db.engine().connect() as connection, connection.begin() as everything:
        drop_triggers(connection)
        asked = sa.select(Document.number, getattr(Document, column)).where(Document.position == position)
        number, text = connection.execute(asked).one()
        at = int(len(text) * place)
        assume(text[at] != sign)
        changed = {column: text[:at] + sign + text[at + 1 :]}
        connection.execute(sa.update(Document.__table__).where(Document.position == position).values(changed))
        first = str(next(verifying.findings(sa.orm.Session(connection))))
        everything.rollback()
    assert first.startswith(f"{number} {'does not follow' if column == 'previous_hash' else 'was changed after'}")


def test_an_order_that_was_invoiced_at_another_price_is_named(any_place):
    with db.transaction() as session:
        cast, acme = business(session)
        made_company_order(session, cast, acme)
        from_orders.invoice_company(session, acme, "", command("one"))
    assert found() == []
    tamper("UPDATE document_order SET amount_cents = amount_cents + 1")
    document, order = found()
    assert "00001: its orders cost something else" in document
    assert "was invoiced for" in order


def test_a_document_that_goes_to_somebody_else_than_its_orders_is_named(any_place):
    with db.transaction() as session:
        cast, acme = business(session)
        made = make(session, order_cube(session, cast.alice), 1, cast.bob)
        from_orders.invoice_member(session, made, HOME, "fr", command("member"))
        deposits.issue(session, company_order(session, cast.alice, acme), Asked(percent=40), command("deposit"))
        other = companies.add(session, Identity("Autre SARL", "", "", "", 30), ACME_CONTACT)
    assert found() == []
    tamper(f"UPDATE document SET person_id = {cast.bob.id} WHERE person_id = {cast.alice.id}",
           f"UPDATE document SET company_id = {other.id} WHERE company_id = {acme.id}")  # fmt: skip
    member, deposit = found()
    assert "00001: its orders are those of somebody else" in member
    assert "00002: its orders are those of somebody else" in deposit


def test_a_document_that_was_taken_out_is_missed(books):
    tamper("DELETE FROM document_mail WHERE document_id IN (2, 5)",
           "DELETE FROM ledger_line WHERE entry_id IN (SELECT id FROM ledger_entry WHERE document_id IN (2, 5))",
           "DELETE FROM ledger_entry WHERE document_id IN (2, 5)", "DELETE FROM document WHERE position = 5",
           "DELETE FROM document WHERE position = 2")  # fmt: skip
    assert "document 2 of the chain is missing" in found()[0]


def test_documents_cut_off_at_the_end_are_missed(books):
    ids = "(SELECT id FROM document WHERE position = 5)"
    tamper(f"DELETE FROM document_mail WHERE document_id IN {ids}",
           f"DELETE FROM ledger_line WHERE entry_id IN (SELECT id FROM ledger_entry WHERE document_id IN {ids})",
           f"DELETE FROM ledger_entry WHERE document_id IN {ids}", "DELETE FROM document WHERE position = 5")  # fmt: skip
    assert "the end is missing" in found()[0]


def test_a_forger_who_hashes_again_still_breaks_the_next_link(books):
    from dataclasses import replace

    from fablab.invoicing import chain
    from fablab.invoicing.content import from_text

    with db.reading() as session:
        second = session.scalars(sa.select(Document).where(Document.position == 2)).one()
    forged = to_text(replace(from_text(second.payload), number=second.number, po_number="forged"))
    digest = chain.hash_of(second.previous_hash, forged)
    escaped = forged.replace("'", "''").replace(":", r"\:")
    tamper(f"UPDATE document SET payload = '{escaped}', hash = '{digest}' WHERE position = 2")
    assert "00003 does not follow the document before it" in found()[0]


def test_the_command_tells_by_its_exit_code(books, any_place):
    from fablab.settings import settings

    environment = {"FABLAB_DATA_DIR": str(any_place), "FABLAB_DATABASE_URL": settings().database()}

    def run():
        return subprocess.run(
            [FABLAB, "billing", "verify"], env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    good = run()
    assert (good.returncode, good.stderr) == (0, "")
    assert "5 documents" in good.stdout
    tamper("UPDATE document SET payload = replace(payload, 'Acm', 'Ecm') WHERE position = 3")
    bad = run()
    assert bad.returncode == 1
    assert "00003 was changed after it was issued" in bad.stderr.splitlines()[0]
