"""VAT and wallets on the pages: the two forms that must agree, receipts and invoices of top-ups, orders paid with them."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from fablab import db
from fablab.accounts.models import Person
from fablab.accounts.permissions import Role
from fablab.billing import prepaid, seller
from fablab.billing.models import Prepaid, WalletRules
from fablab.db import utcnow
from fablab.invoicing import topping_up
from tests.books import FRANCHISE, SELLER, STANDARD, make, open_books
from tests.people import order_cube

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


@pytest.fixture
def vouchers(selling):
    """A place whose top-ups are invoiced, as its administrator has just set it."""
    carole = selling(STANDARD)
    assert carole.post("/setup/wallets/", **(WALLETS | {"prepaid": "single_purpose"})).status_code == 302
    return carole


def top_up(site, amount="12", person="charlie"):
    sent = {"amount": amount, "method": "card", "reference": "T 7", "key": f"key-{amount}"}
    return site.as_("bob").post(f"/wallets/{getattr(site.cast, person).public_id}", **sent)


def test_a_top_up_has_an_invoice_and_a_receipt_that_says_rate_net_and_vat(site, vouchers):
    made, charlie = top_up(site), site.as_("charlie")
    receipt = charlie.get(made.location).text
    for text in ("€12.00", "€10.00", "€2.00", "VAT 20%", "FR44732829320", "Receipt of a paid invoice", "Card terminal"):
        assert text in receipt
    assert "neither an invoice nor a sale" not in receipt
    (number,) = set(re.findall(r"F-\d{4}-\d{5}", receipt))
    invoice = re.search(r'href="(/invoices/\w+)"', receipt)[1]
    page = charlie.get(invoice).text
    assert f"Invoice of a top-up {number}" in page
    assert "Card terminal" in page
    assert "standing-paid" in page
    assert charlie.get(f"{invoice}/document.pdf").data.startswith(b"%PDF")
    history = charlie.get("/wallet/").text
    assert number in history
    assert made.location in history
    assert site.as_("alice").get(invoice).status_code == 404
    assert "Take back" not in site.as_("bob").get(invoice).text


@pytest.mark.parametrize(
    ("regime", "says"), [(STANDARD, "VAT is due when the credit is used"), (FRANCHISE, "The place charges no VAT")]
)
def test_a_receipt_without_vat_says_when_it_is_due_if_ever(site, selling, regime, says):
    selling(regime)
    receipt = site.as_("charlie").get(top_up(site).location).text
    assert says in receipt
    assert "FR44732829320" not in receipt
    assert "neither an invoice nor a sale" in receipt


def test_a_print_paid_with_a_top_up_shows_it_and_offers_no_second_invoice(site, vouchers):
    with db.transaction() as session:
        alice = session.get(Person, site.cast.alice.id)
        topping_up.top_up(session, alice, 1200, site.cast.carole.id, "earlier")
        order = make(session, order_cube(session, alice), 1, site.cast.bob)
    page = site.as_("alice").get(f"/orders/{order.public_id}").text
    assert "Delivery note" in page
    assert "paid with the top-up of" in page
    assert "Ask for an invoice" not in page


def test_money_paid_out_of_a_wallet_has_its_credit_note(site, vouchers):
    top_up(site)
    bob, address = site.as_("bob"), f"/wallets/{site.cast.charlie.public_id}"
    sent = {"paid_out": "12", "by": "cash", "key": "out"}
    assert bob.post(f"{address}/pay-out", **sent).status_code == 302
    assert bob.post(f"{address}/pay-out", **sent).status_code == 302
    page = bob.get("/invoices/").text
    assert len(set(re.findall(r"A-\d{4}-\d{5}", page))) == 1
    assert bob.post(f"{address}/pay-out", **(sent | {"paid_out": "999", "key": "more"})).status_code == 422


def test_without_a_vat_number_a_top_up_is_refused_in_words_and_books_nothing(site, vouchers):
    with db.transaction() as session:
        seller.set_identity(session, replace(SELLER, valid_from=TODAY, vat_number=""), None)
    answer = top_up(site)
    assert answer.status_code == 409
    assert "VAT number of the seller" in answer.text
    assert "€12.00" not in site.as_("charlie").get("/wallet/").text


def test_a_person_says_once_how_invoices_name_them(site, selling):
    selling(STANDARD)
    charlie = site.as_("charlie")
    sent = {"name": "Charlie Durand", "street": "3 rue Basse", "postcode": "26400", "city": "Crest"}
    wrong = charlie.post("/wallet/address", **(sent | {"city": ""}))
    assert wrong.status_code == 422
    assert "3 rue Basse" in wrong.text
    assert charlie.post("/wallet/address", **sent).location == "/wallet/"
    assert "3 rue Basse" in charlie.get("/wallet/address").text


def test_the_rules_say_whether_orders_are_invoiced_by_themselves(site, selling):
    carole = selling(STANDARD)
    (box,) = re.findall(r'<input[^>]*name="invoice_orders"[^>]*>', carole.get("/setup/wallets/").text)
    assert "checked" in box
    carole.post("/setup/wallets/", **(WALLETS | {"prepaid": "multi_purpose"}))
    assert "invoices of orders on request" in carole.get("/setup/wallets/").text
    with db.reading() as session:
        assert not prepaid.rules_on(session, TODAY).invoice_orders
