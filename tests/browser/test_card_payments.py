"""Paying by card online in French, on a phone: top up, come back without paying, pay an invoice, book the payout."""

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from fablab import bus, db, migrating
from fablab.accounts.models import Person
from fablab.invoicing import issuing
from tests.books import add_company, command, draft_of, open_books
from tests.browser.axe import problems
from tests.conftest import Recorder, environment
from tests.people import PASSWORD, small_place
from tests.running import free_port, system
from tests.stripe_server import KEY, SECRET, stripe

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A small place whose provider is a server of ours; both know each other's address."""
    port = free_port()
    with stripe() as server:
        server.webhook = f"http://127.0.0.1:{port}/pay/webhook/stripe"
        keys = {"stripe_key": KEY, "stripe_webhook_secret": SECRET, "stripe_url": server.address}
        data = tmp_path_factory.mktemp("shop") / "data"
        _fill(data)
        with environment(**keys, public_url=f"http://127.0.0.1:{port}"), system(data, port=port) as running:
            running.server = server
            yield running


def _fill(data):
    data.mkdir()
    with environment(data_dir=str(data)):
        migrating.migrate()
    with environment(data_dir=str(data)), bus.using(Recorder()), db.transaction() as session:
        cast = small_place(session)
        open_books(session)
        acme = add_company(session, buyer=cast.alice)
        issuing.issue(session, draft_of(12_000, company=acme), command("one"))
        session.execute(sa.update(Person).values(language="fr"))


def sign_in(chromium, shop, who):
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, locale="fr", base_url=shop.url, reduced_motion="reduce"
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto("/")
    page.fill("#email", f"{who}@example.org")
    page.fill("#password", PASSWORD)
    page.click("main button.primary")
    page.wait_for_load_state()
    return page


def is_well(page):
    assert problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_member_tops_up_after_a_change_of_mind_and_pays_an_invoice(chromium, shop):
    alice = sign_in(chromium, shop, "alice")
    alice.goto("/wallet/")
    is_well(alice)
    alice.get_by_label("Montant (€)").fill("0,20")
    alice.get_by_role("button", name="Aller au paiement").click()
    expect(alice.locator("main .error")).to_contain_text("au moins")
    is_well(alice)
    alice.get_by_label("Montant (€)").fill("30")
    alice.get_by_role("button", name="Aller au paiement").click()
    expect(alice.locator("main .notice")).to_contain_text("Rien n’a encore été payé")
    is_well(alice)

    alice.get_by_role("link", name="par carte").click()
    alice.get_by_role("link", name="Retour").click()  # without paying
    expect(alice.locator("main .notice")).to_contain_text("Rien n’a encore été payé")
    alice.get_by_role("link", name="par carte").click()
    alice.get_by_role("button", name="Payer").click()
    expect(alice.locator("main .notice")).to_contain_text("L’argent est dans votre porte-monnaie")
    is_well(alice)
    alice.get_by_role("link", name="Retour au porte-monnaie").click()
    expect(alice.locator(".tile").first).to_contain_text("50,00")
    expect(alice.locator("main")).to_contain_text("Carte, en ligne")

    alice.goto("/invoices/")
    alice.locator("main table a[href^='/invoices/']").first.click()
    is_well(alice)
    alice.get_by_role("button", name="par carte").click()
    alice.get_by_role("link", name="par carte").click()
    alice.get_by_role("button", name="Payer").click()
    expect(alice.locator("main .notice")).to_contain_text("Le paiement figure sur la facture")
    alice.get_by_role("link", name="Retour à la facture").click()
    expect(alice.locator("main")).to_contain_text("Carte, en ligne")
    assert [each["payment_status"] for each in shop.server.sessions.values()] == ["paid", "paid"]

    carole = sign_in(chromium, shop, "carole")
    carole.goto("/books/month")
    is_well(carole)
    carole.get_by_role("link", name="Paiements par carte en ligne").click()
    is_well(carole)
    carole.get_by_label("Arrivé à la banque (€)").fill("147,90")
    carole.get_by_label("Commission retenue (€)").fill("2,10")
    carole.get_by_role("button", name="Comptabiliser le versement").click()
    expect(carole.locator(".tile")).to_contain_text("0,00")
