"""Card payments online in the pages: no trace of them without keys, and one clear sentence wherever a person comes back."""

import json
import re
import time

import pytest

from fablab import checkup, db
from fablab.billing import ledger
from fablab.invoicing import issuing, queries
from fablab.payments import signing
from fablab.web import create_app
from tests.books import add_company, command, draft_of, open_books
from tests.conftest import environment
from tests.stripe_server import KEY, SECRET, stripe


@pytest.fixture
def server():
    with stripe() as made:
        yield made


@pytest.fixture
def shop(site, server):
    """The site with keys."""
    with environment(stripe_key=KEY, stripe_webhook_secret=SECRET, stripe_url=server.address):
        site.app = create_app()
        yield site


@pytest.fixture
def invoice(site):
    with db.transaction() as session:
        open_books(session)
        acme = add_company(session, buyer=site.cast.alice)
        return issuing.issue(session, draft_of(10_000, company=acme), command("one"))


def begin(browser, amount="15", key="first-form"):
    answer = browser.post("/pay/wallet", amount=amount, key=key)
    assert answer.status_code == 302, answer.text
    return answer.location


def send(browser, message, secret=SECRET):
    body = json.dumps(message).encode()
    headers = {"Stripe-Signature": signing.signed(body, secret, int(time.time()))}
    return browser.client.post("/pay/webhook/stripe", data=body, headers=headers)


def held(person):
    with db.reading() as session:
        return ledger.balance_cents(session, person.id)


def test_without_keys_there_is_no_trace_of_it(site, invoice):
    alice, carole = site.as_("alice"), site.as_("carole")
    for browser, path in (
        (alice, "/wallet/"),
        (alice, f"/invoices/{invoice.public_id}"),
        (carole, f"/invoices/{invoice.public_id}"),
        (carole, "/books/month"),
    ):
        page = browser.get(path)
        assert page.status_code == 200
        assert not re.search(r"online|stripe|/pay/", page.text, re.IGNORECASE), path
    assert alice.post("/pay/wallet", amount="15", key="first-form").status_code == 404
    assert alice.post(f"/pay/invoice/{invoice.public_id}", key="first-form").status_code == 404
    assert send(alice, {}).status_code == 404
    assert carole.get("/pay/").status_code == 404
    assert list(checkup._card_payments()) == []


def test_a_top_up_is_paid_and_seen_on_coming_back_before_any_message(shop, server):
    alice = shop.as_("alice")
    assert "Top up by card" in alice.get("/wallet/").text
    address = begin(alice)
    page = alice.get(address).text
    assert "Nothing has been paid yet" in page
    (checkout,) = server.sessions
    assert server.sessions[checkout]["url"] in page
    assert "You have begun to pay" in alice.get("/wallet/").text
    server.pay(checkout)
    assert "The money is in your wallet" in alice.get(address).text
    assert "The money is in your wallet" in alice.get(address).text
    assert held(shop.cast.alice) == 3500
    wallet = alice.get("/wallet/").text
    assert "Card, online" in wallet
    receipt = re.search(r"/wallet/receipts/\d+", wallet)[0]
    assert "Card, online" in alice.get(receipt).text


def test_a_message_books_it_once_and_only_a_signed_one_does(shop, server):
    alice, nobody = shop.as_("alice"), shop.as_(None)
    begin(alice)
    (checkout,) = server.sessions
    message = server.pay(checkout)
    assert send(nobody, message, "whsec_of_somebody").status_code == 400
    assert nobody.client.post("/pay/webhook/stripe", data=b"{}").status_code == 400
    assert nobody.client.post("/pay/webhook/stripe", data=b"x" * 300_000).status_code == 413
    assert held(shop.cast.alice) == 2000
    for _ in range(2):
        assert send(nobody, message).status_code == 200
    assert held(shop.cast.alice) == 3500
    assert send(nobody, message | {"type": "charge.succeeded", "id": "evt_other"}).status_code == 200


def test_the_wrong_amount_is_said_beside_its_field_and_stays(shop):
    alice = shop.as_("alice")
    for typed, said in (
        ("0,50", "at least"),
        ("lots", "is not an amount"),
        ("999", "may hold at most"),
        ("", "required"),
    ):
        answer = alice.post("/pay/wallet", amount=typed, key="first-form")
        assert (answer.status_code, said in answer.text) == (422, True), typed
        assert f'value="{typed}"' in answer.text


def test_who_does_not_pay_can_end_it_and_begin_again(shop, server):
    alice = shop.as_("alice")
    address = begin(alice, "200")
    answer = alice.post("/pay/wallet", amount="100", key="second-form")
    assert (answer.status_code, "pay or end that first" in answer.text) == (422, True)
    alice.post(f"{address}/end")
    assert "ended without money" in alice.get(address).text
    assert [each["status"] for each in server.sessions.values()] == ["expired"]
    begin(alice, "100", "third-form")


def test_a_provider_that_is_away_is_said_and_nothing_is_lost(shop, server):
    alice = shop.as_("alice")
    server.trouble = 500
    address = begin(alice)
    assert "could not be opened: nothing was paid" in alice.get(address).text
    server.trouble = None
    assert alice.post(f"{address}/open").status_code == 302
    (checkout,) = server.sessions
    server.pay(checkout)
    server.trouble = 503
    assert "do not pay again" in alice.get(address).text
    server.trouble = None
    assert "The money is in your wallet" in alice.get(address).text


def test_another_amount_is_told_to_the_person_and_shown_to_the_treasurer(shop, server):
    alice = shop.as_("alice")
    address = begin(alice)
    (checkout,) = server.sessions
    server.sessions[checkout]["amount_total"] = 15
    server.pay(checkout)
    assert "The treasurer looks at it" in alice.get(address).text
    assert held(shop.cast.alice) == 2000
    carole = shop.as_("carole")
    assert "To be looked at" in carole.get("/pay/").text
    assert "What was done" in carole.get(address).text
    assert alice.post(f"{address}/dealt-with", note="Mine").status_code == 403
    wrong = carole.post(f"{address}/dealt-with", note=" ")
    assert (wrong.status_code, "What was done" in wrong.text) == (422, True)
    assert carole.post(f"{address}/dealt-with", note="Given back, 26 November").status_code == 302
    assert "To be looked at" not in carole.get("/pay/").text
    page = carole.get(address).text
    assert "Carole" in page
    assert "Given back, 26 November" in page
    assert "Given back" not in alice.get(address).text


def test_the_people_of_a_company_pay_its_invoice_and_nobody_else(shop, server, invoice):
    alice = shop.as_("alice")
    page = alice.get(f"/invoices/{invoice.public_id}").text
    assert "Pay €100.00 by card" in page
    assert "by card</button>" not in shop.as_("carole").get(f"/invoices/{invoice.public_id}").text
    for stranger in ("charlie", "carole"):
        assert shop.as_(stranger).post(f"/pay/invoice/{invoice.public_id}", key="first-form").status_code == 404
    address = alice.post(f"/pay/invoice/{invoice.public_id}", key="first-form").location
    (checkout,) = server.sessions
    server.pay(checkout)
    assert "The invoice shows the payment" in alice.get(address).text
    with db.reading() as session:
        assert queries.balance_cents(session, invoice) == 0
    assert "Card, online" in alice.get(f"/invoices/{invoice.public_id}").text
    assert alice.post(f"/pay/invoice/{invoice.public_id}", key="second-form").status_code == 409


def test_a_payment_is_the_business_of_its_person_and_of_who_keeps_the_books(shop):
    address = begin(shop.as_("alice"))
    assert shop.as_("charlie").get(address).status_code == 404
    assert shop.as_("charlie").post(f"{address}/end").status_code == 404
    assert shop.as_("carole").get(address).status_code == 200
    assert shop.as_("carole").post(f"{address}/end").status_code == 404
    assert shop.as_(None).get(address).status_code == 302


def test_the_treasurer_books_payouts_and_a_wrong_one_is_said_beside_its_field(shop, server):
    alice = shop.as_("alice")
    begin(alice)
    (checkout,) = server.sessions
    send(alice, server.pay(checkout))
    carole = shop.as_("carole")
    assert "Card payments online" in carole.get("/books/month").text
    wrong = carole.post("/pay/payouts", arrived="15", fee="0,01", key="form-one")
    assert (wrong.status_code, "The payment service holds" in wrong.text) == (422, True)
    assert carole.post("/pay/payouts", arrived="14,40", fee="0,60", reference="po_1", key="form-one").status_code == 302
    assert "€0.00" in carole.get("/pay/").text
    assert alice.get("/pay/").status_code == 403


def test_the_checkup_says_when_a_key_is_missing_or_not_taken(shop, server):
    (well,) = checkup._card_payments()
    assert well.ok
    with environment(stripe_key="sk_test_wrong"):
        (wrong,) = checkup._card_payments()
    assert (wrong.ok, "Invalid API Key" in str(wrong.sentence)) == (False, True)
    with environment(stripe_webhook_secret=""):
        (half,) = checkup._card_payments()
        assert (half.ok, "FABLAB_STRIPE_WEBHOOK_SECRET" in str(half.sentence)) == (False, True)
        assert "Top up by card" not in shop.as_("alice").get("/wallet/").text
