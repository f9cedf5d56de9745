"""A SIRET or RNA number is one company's alone, also when two people enter it at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic import command

from fablab import db, migrating
from fablab.accounts import companies
from fablab.accounts.models import Company
from fablab.errors import Invalid
from tests.books import ACME, ACME_CONTACT
from tests.conftest import environment
from tests.waiting import wait_until


def numbers():
    with db.reading() as session:
        return session.scalars(sa.select(Company.siret).order_by(Company.id)).all()


@pytest.mark.parametrize("any_place", ["postgresql"], indirect=True)
def test_two_who_add_one_company_at_once_make_one(any_place):
    def somebody_waits():
        with db.reading() as session:
            return session.scalar(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    def add():
        with db.transaction() as session:
            companies.add(session, ACME, ACME_CONTACT)

    with ThreadPoolExecutor(1) as pool:
        with db.transaction() as session:
            companies.add(session, ACME, ACME_CONTACT)
            second = pool.submit(add)
            wait_until(somebody_waits, 10)
        with pytest.raises(Invalid, match="has this number already") as refused:
            second.result()
    assert refused.value.field == "siret"
    assert numbers() == [ACME.siret]


def test_companies_that_shared_a_number_stay_and_the_oldest_that_may_order_keeps_it(tmp_path):
    columns = "public_id, name, siret, street, postcode, city, country, contact_name, contact_email"
    with environment(data_dir=str(tmp_path)):
        command.upgrade(migrating.config(), "0031")
        with db.transaction() as session:
            for number, active in ((1, "false"), (2, "true"), (3, "true")):
                session.execute(
                    sa.text(
                        f"INSERT INTO company ({columns}, payment_days, language, active, created_at, siren, vat_number)"
                        f" VALUES ('c{number}', 'Acmé', '{ACME.siret}', '', '', '', 'FR', '', '', 30, 'fr', {active},"
                        " '2026-01-01 10:00:00', '', '')"
                    )
                )
        migrating.migrate()
        assert numbers() == ["", ACME.siret, ""]
        db.engine().dispose()
