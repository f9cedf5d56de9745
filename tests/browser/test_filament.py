"""A volunteer with filament in Chromium: from the parcel to the printer, the scale and the label."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.somebody import open_page

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(400)]

PAGES = (
    "/filament/",
    "/filament/?ended=1",
    "/filament/products",
    "/filament/products/new",
    "/filament/receive",
    "/filament/shopping",
    "/filament/labels",
    "/filament/exchange/",
)
WORDS = {
    "en": {
        "new": "New filament",
        "add": "Add",
        "put": "Put on the shelf",
        "change": "Change spool",
        "now": "It is on {name} now",
        "weighs": "That is what it weighs",
        "less": "less than the empty reel alone",
        "then": "with the reel",
    },
    "fr": {
        "new": "Nouveau filament",
        "add": "Ajouter",
        "put": "Mettre sur l’étagère",
        "change": "Changer la bobine",
        "now": "Elle est maintenant sur {name}",
        "weighs": "C’est ce qu’elle pèse",
        "less": "moins que la bobine vide seule",
        "then": "avec la bobine",
    },
}


@pytest.mark.parametrize(("language", "javascript"), [("en", True), ("fr", False)], ids=["en", "fr, no script"])
def test_a_new_filament_goes_from_the_parcel_onto_a_printer_and_the_scale(chromium, demo, language, javascript):
    words = WORDS[language]
    colour = f"turquoise-{language}-{javascript}".lower()
    page = open_page(chromium, demo, "bob", language=language, phone=True, javascript=javascript)
    page.goto("/filament/")
    page.get_by_role("link", name=words["new"]).click()
    page.select_option("#material_code", "PLA")
    page.fill("#vendor", "Francofil")
    page.fill("#colour_name", colour)
    page.fill("#tare_g", "210,5")
    page.get_by_role("button", name=words["add"], exact=True).click()
    page.fill("#mass_g", "750")
    page.get_by_role("button", name=words["put"]).click()
    expect(page.locator("h1")).to_contain_text(f"PLA {colour}")
    spool = page.url.split("/")[-1].split("#")[0]

    page.goto("/board/")
    free = page.locator(".machine", has=page.get_by_role("link", name=words["change"])).first  # the others print
    name = free.locator(".name").inner_text()
    free.get_by_role("link", name=words["change"]).click()
    page.locator(f"a[href*='{spool}']").click()
    expect(page.locator(".before-after")).to_contain_text(colour)
    page.get_by_role("button", name=words["now"].format(name=name)).click()
    expect(page.locator(".machine", has_text=name)).to_contain_text(f"PLA {colour} · 750")

    page.goto(f"/s/{spool}")
    page.locator("a[href$='#weigh']").click()
    page.fill("#weigh-gross_g", "200")
    page.get_by_role("button", name=words["weighs"]).click()
    expect(page.locator("#weigh .error")).to_contain_text(words["less"])
    expect(page.locator("#weigh-gross_g")).to_have_value("200")
    page.fill("#weigh-gross_g", "900,5")
    page.get_by_role("button", name=words["weighs"]).click()
    expect(page.locator(".past li").first).to_contain_text(words["then"])
    expect(page.locator(".big")).to_contain_text("690")
    assert [each for each in page.errors if "422" not in each] == []


def test_a_spool_is_loaded_by_keyboard_alone(chromium, demo):
    page = open_page(chromium, demo, "bob")
    page.goto("/filament/")
    card = page.locator(".reel-card", has_text="PLA Recyclé")
    card.get_by_role("link", name=re.compile("^Load")).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/s/*")
    target = page.locator(".onto", has_text="Sophie")
    for _ in range(40):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/load?*")
    confirm = page.get_by_role("button", name="It is on Sophie now")
    for _ in range(40):
        page.keyboard.press("Tab")
        if confirm.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/board/")
    expect(page.locator(".machine", has_text="Sophie")).to_contain_text("PLA green")
    assert page.errors == []
