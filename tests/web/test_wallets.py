"""Wallets on the pages: top-ups by every way to pay, receipts, an explained history, and their rules."""

import pytest

from fablab import db
from fablab.accounts.models import Person
from fablab.accounts.permissions import Role
from fablab.billing import ledger, prepaid, seller
from fablab.db import utcnow
from fablab.invoicing import issuing
from tests.books import FRANCHISE, command, draft_of, open_books


@pytest.fixture
def treasurer(site):
    with db.transaction() as session:
        session.get(Person, site.cast.bob.id).role = Role.TREASURER
        open_books(session)
    return site.as_("bob")


def test_a_treasurer_tops_up_by_cheque_and_prints_a_receipt(site, treasurer):
    address = f"/wallets/{site.cast.charlie.public_id}"
    assert "Charlie" in treasurer.get("/wallets/?name=char").text
    assert "Alice" not in treasurer.get("/wallets/?name=char").text
    sent = {"amount": "12,50", "method": "cheque", "reference": "N° 0042", "key": "k"}
    first = treasurer.post(address, **sent)
    assert treasurer.post(address, **sent).location == first.location
    page = treasurer.get(first.location).text
    assert "€12.50" in page
    assert "Cheque at the desk · N° 0042" in page
    assert "Les Ateliers du Moulin" in page
    charlie = site.as_("charlie")
    assert charlie.get(first.location).status_code == 200
    assert site.as_("alice").get(first.location).status_code == 404
    history = charlie.get("/wallet/").text
    assert f'href="{first.location}"' in history
    assert "Cheque at the desk · N° 0042 · Bob" in " ".join(history.split())


def test_what_cannot_be_an_amount_is_said_beside_its_field_and_nothing_is_lost(site, treasurer):
    address = f"/wallets/{site.cast.charlie.public_id}"
    answer = treasurer.post(address, amount="250", method="bank", reference="VIR 7", key="k")
    assert answer.status_code == 422
    assert "A wallet may hold at most €250.00" in answer.text
    assert 'value="VIR 7"' in answer.text
    assert treasurer.post(address, amount="1", method="gold", key="k2").status_code == 422


def test_an_administrator_sets_cap_and_regime_and_they_hold_at_once(site, treasurer):
    carole, day = site.as_("carole"), seller.today(utcnow())
    sent = {"prepaid": "single_purpose", "cap": "50", "valid_from": day.isoformat()}
    assert carole.get("/setup/wallets/").status_code == 200
    assert carole.post("/setup/wallets/", **sent).status_code == 302
    assert "Single-purpose voucher" in carole.get("/setup/wallets/").text
    with db.reading() as session:
        assert prepaid.rules_on(session, day).cap_cents == 5000
    made = treasurer.post(f"/wallets/{site.cast.charlie.public_id}", amount="12", method="card", key="k")
    assert "€2.00" in treasurer.get(made.location).text
    wrong = carole.post("/setup/wallets/", **(sent | {"cap": "20000"}))
    assert wrong.status_code == 422
    assert "between nothing and 10,000" in wrong.text


def test_the_cash_is_counted_and_a_wrong_count_loses_nothing(site, treasurer):
    page = treasurer.get("/books/cash").text
    expected = page.split('name="expected"')[1].split('value="')[1].split('"')[0]
    sent = {"total": "", "piece_5000": "1", "piece_200": "3", "reason": "", "expected": expected, "key": "k"}
    answer = treasurer.post("/books/cash", **sent)
    assert answer.status_code == 422
    assert "write down why" in answer.text
    assert 'name="piece_200"' in answer.text
    assert 'value="3"' in answer.text
    assert treasurer.post("/books/cash", **(sent | {"piece_200": "x"})).status_code == 422
    assert treasurer.post("/books/cash", **(sent | {"reason": "A wrong change"})).status_code == 302
    assert "A wrong change" in treasurer.get("/books/cash").text
    assert treasurer.post("/books/cash/bank", amount="56", key="b").status_code == 302
    assert treasurer.post("/books/cash/bank", amount="1", key="c").status_code == 422


def test_the_month_shows_money_and_vat_and_gives_the_files(site, treasurer):
    treasurer.post(f"/wallets/{site.cast.charlie.public_id}", amount="12", method="card", key="k")
    page = treasurer.get("/books/month").text
    assert "Card terminal" in page
    assert "€12.00" in page
    for path in ("vat", "e-reporting"):
        answer = treasurer.get(f"/books/{path}")
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"].endswith('.csv"')
    assert treasurer.get("/books/month?period=2026").status_code == 200
    assert treasurer.get("/books/month?period=x").status_code == 422
    assert "Les Ateliers du Moulin" in treasurer.get("/books/attestation").text


def test_a_place_without_vat_is_warned_of_the_thresholds_on_both_pages(site):
    with db.transaction() as session:
        open_books(session, FRANCHISE)
        issuing.issue(session, draft_of(8_600_000), command("big"))
    carole = site.as_("carole")
    for path in ("/setup/", "/books/month"):
        assert "above the threshold of €85,000.00" in carole.get(path).text, path


def test_money_is_paid_out_once_and_never_more_than_there_is(site, treasurer):
    address = f"/wallets/{site.cast.alice.public_id}"
    assert "Pay money out of the wallet" in treasurer.get(address).text
    wrong = treasurer.post(f"{address}/pay-out", paid_out="9999", by="cash", key="k")
    assert wrong.status_code == 422
    assert "what is free in the wallet" in wrong.text
    for _ in range(2):
        sent = treasurer.post(f"{address}/pay-out", paid_out="1.50", by="bank", note="VIR 12", key="k")
        assert sent.status_code == 302
    history = treasurer.get(address).text
    assert history.count("Paid out by bank transfer · VIR 12") == 1
    with db.reading() as session:
        assert ledger.balance_cents(session, site.cast.alice.id) == 2000 - 150
