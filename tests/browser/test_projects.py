"""A project in Chromium, in French on a phone: opened by the treasurer, chosen as who pays, read in its statement."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import problems
from tests.browser.somebody import open_page

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]


def is_well(page):
    assert problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_treasurer_opens_a_project_and_a_member_orders_on_it(chromium, demo):
    carole = open_page(chromium, demo, "carole", language="fr", phone=True)
    carole.goto("/invoices/")
    carole.get_by_role("link", name="Projets", exact=True).click()
    is_well(carole)
    carole.get_by_role("link", name="Ouvrir un projet").click()
    carole.get_by_label("Nom").fill("Fête de la science")
    carole.get_by_label("Budget (€)").fill("beaucoup")
    carole.get_by_role("button", name="Enregistrer").click()
    expect(carole.locator("main .error")).to_be_visible()
    is_well(carole)
    carole.get_by_label("Budget (€)").fill("80")
    carole.get_by_role("button", name="Enregistrer").click()
    carole.get_by_label("E-mail du compte").fill("alice@demo.example")
    carole.get_by_role("button", name="Ajouter").click()
    expect(carole.locator("main li", has_text="Alice")).to_be_visible()
    is_well(carole)

    alice = open_page(chromium, demo, "alice", language="fr", phone=True)
    alice.locator("button.sample").first.click()
    alice.wait_for_url(re.compile("/orders/.+"))
    alice.get_by_label("Projet Fête de la science").check()
    expect(alice.locator("#price")).to_contain_text("Réservé sur le budget de Fête de la science")
    expect(alice.locator(".checking.done")).to_be_visible(timeout=60_000)
    is_well(alice)
    alice.get_by_role("button", name="Confirmer").click()
    expect(alice.locator("main")).to_contain_text("Payé sur le budget de Fête de la science")
    alice.goto("/wallet/")
    alice.get_by_role("link", name="Fête de la science").click()
    expect(alice.locator("main table")).to_contain_text("Réservé pour une commande")
    is_well(alice)
    assert alice.errors == []
