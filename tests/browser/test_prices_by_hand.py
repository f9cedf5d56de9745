"""A price by hand in Chromium, in French: a phone asks for one, the desk writes its lines, the phone confirms it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import problems
from tests.browser.somebody import open_page

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]


def looks_well(page):
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert problems(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def make_everything_free_for(carole, name):
    """Let somebody pay prices of a group of its own that come to nothing."""
    carole.goto("/setup/tariffs/new?group=partner")
    for label in ("Par heure d’imprimante", "Préparation de l’imprimante", "Minimum par commande"):
        carole.get_by_label(re.compile(label)).fill("")
    for rate in carole.get_by_label(re.compile("par kilogramme|le kilogramme|au kilo", re.IGNORECASE)).all():
        rate.fill("0,01")
    carole.get_by_role("button", name=re.compile("Appliquer|Utiliser|Adopter")).click()
    carole.wait_for_url("**/setup/tariffs/")
    carole.goto("/people/")
    carole.get_by_role("link", name=name).first.click()
    carole.locator("a[href*='/tariffs/people/']").click()
    carole.locator("select[name=tariff_group]").select_option("partner")
    carole.locator("main form button.primary").click()
    carole.wait_for_load_state()


def test_a_draft_without_a_price_gets_one_from_the_desk_and_is_confirmed_on_the_phone(chromium, demo):
    carole = open_page(chromium, demo, "carole", language="fr")
    make_everything_free_for(carole, "Samir Aït")
    samir = open_page(chromium, demo, "samir", language="fr", phone=True)
    samir.locator("button.sample").first.click()
    samir.wait_for_url(re.compile("/orders/.+"))
    expect(samir.locator("#price")).to_contain_text("Aucun prix ne peut être calculé")
    with samir.expect_response(re.compile("/price.*kermesse")):
        samir.get_by_label("Ce que le lieu doit savoir").fill("C’est pour la kermesse.")
    expect(samir.get_by_label("Ce que le lieu doit savoir")).to_have_value("C’est pour la kermesse.")
    looks_well(samir)
    order = samir.url.split("?")[0]
    samir.get_by_role("button", name="Demander un prix au lieu").click()
    expect(samir.locator("#progress")).to_contain_text("C’est pour la kermesse.")
    looks_well(samir)

    bob = open_page(chromium, demo, "bob", language="fr")
    bob.goto("/review/")
    request = bob.locator(".request", has_text="Samir Aït").filter(has_text="sans prix")
    looks_well(bob)
    request.get_by_role("link", name="Fixer le prix").click()
    bob.locator("[name=text-0]").fill("Impression")
    bob.locator("[name=price-0]").fill("9,50")
    bob.locator("[name=text-1]").fill("Aide à la conception")
    bob.locator("[name=quantity-1]").fill("2")
    bob.locator("[name=price-1]").fill("4,25")
    bob.locator("[name=text-2]").fill("Remise")
    bob.locator("[name=price-2]").fill("-1")
    expect(bob.locator("#sum tfoot")).to_contain_text("17,00")
    with bob.expect_response(re.compile("/price/sum.*redessiner")):
        bob.get_by_label(re.compile("Pourquoi ce prix")).fill("La pièce était à redessiner.")
    looks_well(bob)
    bob.get_by_role("button", name="Fixer ce prix").click()
    bob.wait_for_url("**/review/")

    samir.goto(order)
    expect(samir.locator("#price")).to_contain_text("Prix fixé par Bob le")
    expect(samir.locator("#price")).to_contain_text("La pièce était à redessiner.")
    expect(samir.locator("#price tfoot td")).to_contain_text("17,00")
    looks_well(samir)
    samir.locator("#quantity").fill("2")
    expect(samir.locator("#price")).to_contain_text("Quelque chose a changé depuis que Bob a fixé le prix")
    samir.locator("#quantity").fill("1")
    samir.get_by_role("button", name=re.compile("Confirmer pour 17,00")).click()
    expect(samir.locator("#progress")).to_contain_text("Aide à la conception : 2 à 4,25")
    looks_well(samir)
    assert samir.errors == bob.errors == []
