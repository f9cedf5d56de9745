"""VAT and wallets on the pages: the two forms that must agree, receipts and invoices of top-ups, orders paid with them."""

from datetime import timedelta

import pytest

from fablab import db
from fablab.accounts.models import Person
from fablab.accounts.permissions import Role
from fablab.billing import seller
from fablab.billing.models import Prepaid, WalletRules
from fablab.db import utcnow
from tests.books import FRANCHISE, STANDARD, open_books

TODAY = seller.today(utcnow())
VAT = {"regime": "standard", "rate": "20", "operation": "goods", "valid_from": TODAY.isoformat()}
WALLETS = {"prepaid": "without_vat", "cap": "80", "valid_from": TODAY.isoformat()}


@pytest.fixture
def selling(site):
    """Say who sells, under which regime, and make Bob the treasurer."""

    def made(regime):
        with db.transaction() as session:
            session.get(Person, site.cast.bob.id).role = Role.TREASURER
            open_books(session, regime)
        return site.as_("carole")

    return made


def test_wallets_without_vat_are_refused_beside_their_field_where_the_place_is_subject_to_vat(selling):
    carole = selling(STANDARD)
    answer = carole.post("/setup/wallets/", **WALLETS)
    assert answer.status_code == 422
    assert "the place is subject to VAT: its wallets cannot be without VAT." in answer.text
    assert 'id="prepaid-error"' in answer.text
    assert 'value="80"' in answer.text
    assert carole.post("/setup/wallets/", **(WALLETS | {"prepaid": "multi_purpose"})).status_code == 302


def test_vat_is_refused_beside_its_field_while_wallets_are_without_it(selling):
    carole = selling(FRANCHISE)
    assert carole.post("/setup/wallets/", **WALLETS).status_code == 302
    answer = carole.post("/setup/seller/vat", **VAT)
    assert answer.status_code == 422
    assert "cannot stand beside VAT: first let another rule hold" in answer.text
    assert 'value="20"' in answer.text


def test_older_rows_at_odds_are_warned_of_on_the_page_of_the_books(site, selling):
    selling(STANDARD)
    with db.transaction() as session:
        old = TODAY - timedelta(days=3)
        session.add(WalletRules(valid_from=old, prepaid=Prepaid.WITHOUT_VAT, cap_cents=25_000))
    assert "without the VAT that is due" in site.as_("bob").get("/books/").text
    assert site.as_("carole").post("/setup/wallets/", **(WALLETS | {"prepaid": "multi_purpose"})).status_code == 302
    assert "without the VAT that is due" not in site.as_("bob").get("/books/").text
