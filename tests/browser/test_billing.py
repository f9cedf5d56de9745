"""A company's order in Chromium, in French: from the upload to the paid invoice, with a credit note between."""

import re

import pytest
from playwright.sync_api import expect

from fablab.slicing.samples import write_samples
from fablab.slicing.slicer import find_slicer
from tests.browser.test_journey import open_page
from tests.running import system

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    if find_slicer() is None:
        pytest.skip("PrusaSlicer is not installed: the package prusa-slicer")
    with system(tmp_path_factory.mktemp("demo") / "data", "--demo") as running:
        yield running


def euros(text: str) -> int:
    """Read "1 234,56 €" as cents."""
    return int(re.sub(r"[^\d-]", "", text.replace("−", "-")))


def sign_off_until(volunteer, file_name):
    """Sign off whatever is finished, until this file's print was signed off: printers that are free take the next."""
    collected = volunteer.locator("#queue", has_text=re.compile(f"Waiting to be collected.*{file_name}", re.DOTALL))
    finished = volunteer.locator(".task", has_text="Finished, to be checked").get_by_role(
        "button", name=re.compile("All good")
    )
    for _ in range(6):
        expect(collected.or_(finished).first).to_be_visible(timeout=120_000)
        if collected.count():
            return
        finished.first.click()
        volunteer.wait_for_load_state()
    raise AssertionError(f"{file_name} was never printed")


def test_from_the_upload_to_the_paid_invoice(chromium, demo, tmp_path):
    part = write_samples(tmp_path)[0].rename(tmp_path / "equerre.stl")
    emilie = open_page(chromium, demo, "emilie", language="fr", phone=True)
    emilie.set_input_files("#file", part)
    emilie.wait_for_url(re.compile("/orders/.+"))
    emilie.locator("label.pill", has_text="Menuiserie Faure SARL, sur facture").click()
    emilie.fill("#po_number", "BC-2077")
    expect(emilie.locator("#price tfoot")).to_contain_text("Prix HT")
    expect(emilie.locator(".checking.done")).to_be_visible(timeout=90_000)
    emilie.get_by_role("button", name=re.compile("Confirmer pour .* HT")).click()
    expect(emilie.locator("#progress")).to_contain_text("Menuiserie Faure SARL paie sur facture")
    expect(emilie.locator("#progress")).to_contain_text("BC-2077")

    bob = open_page(chromium, demo, "bob")
    sign_off_until(bob, "equerre.stl")

    carole = open_page(chromium, demo, "carole", language="fr")
    carole.goto("/invoices/")
    carole.locator("li", has_text="BC-2077").get_by_role("link", name="Préparer la facture").click()
    expect(carole.locator("main")).to_contain_text("equerre.stl")
    carole.get_by_role("button", name="Émettre la facture").click()
    expect(carole.locator("h1")).to_have_text(re.compile(r"Facture F-\d{4}-00002"))
    address = carole.url
    pdf = carole.request.get(f"{address}/document.pdf")
    assert pdf.body().startswith(b"%PDF")

    carole.get_by_label("Montant (€)").fill("1")
    carole.get_by_label("Référence").fill("VIR 4711")
    carole.get_by_role("button", name="Enregistrer le règlement").click()
    expect(carole.locator("main")).to_contain_text("VIR 4711")
    before = euros(carole.locator("section tfoot td").last.inner_text())

    carole.get_by_role("link", name="Établir un avoir").click()
    carole.get_by_label("Montant TTC (€)").fill("0,60")
    carole.get_by_label("Motif de l'avoir").fill("Une arête rayée")
    carole.get_by_role("button", name="Voir les conséquences").click()
    expect(carole.locator("#effect ~ table")).to_contain_text("0,10")
    assert euros(carole.locator("#effect ~ table tfoot td").inner_text()) == before - 60
    carole.get_by_role("button", name="Émettre l'avoir").click()
    expect(carole.locator("h1")).to_have_text(re.compile(r"Avoir A-\d{4}-00001"))
    expect(carole.locator("main")).to_contain_text("Une arête rayée")

    carole.goto(address)
    carole.get_by_role("button", name="Enregistrer le règlement").click()
    expect(carole.locator(".chip").first).to_have_text("Réglée")
    expect(carole.get_by_role("button", name="Enregistrer le règlement")).to_have_count(0)

    emilie.goto("/invoices/")
    expect(emilie.locator("tr", has_text="-00002")).to_contain_text("Réglée")
    for page in (emilie, bob, carole):
        assert page.errors == []


def test_a_wrong_number_is_told_beside_its_field_without_javascript(chromium, demo):
    carole = open_page(chromium, demo, "carole", language="fr", javascript=False)
    carole.goto("/companies/new")
    for name, value in {
        "name": "Atelier Sud",
        "siret": "98765432400018",
        "street": "1 rue",
        "postcode": "13001",
    }.items():
        carole.fill(f"[name={name}]", value)
    carole.fill("[name=city]", "Marseille")
    carole.fill("[name=contact_email]", "compta@sud.example")
    carole.get_by_role("button", name="Enregistrer").click()
    expect(carole.locator(".field.wrong")).to_contain_text("n'est pas un SIRET")
    expect(carole.locator("[name=city]")).to_have_value("Marseille")
    carole.fill("[name=siret]", "98765432400001")
    carole.get_by_role("button", name="Enregistrer").click()
    expect(carole.locator("h1")).to_have_text("Atelier Sud")


@pytest.mark.parametrize("phone", [True, False])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_no_page_of_the_books_is_wider_than_its_screen(chromium, demo, language, phone):
    page = open_page(chromium, demo, "carole", language=language, phone=phone)
    page.goto("/invoices/")
    invoice = page.locator("table a", has_text="-00001").last.get_attribute("href")
    page.goto("/companies/")
    company = page.locator("main li a").first.get_attribute("href")
    paths = ["/invoices/", invoice, f"{invoice}/credit?amount=1&reason=x&key=12345678", "/companies/", "/companies/new"]
    paths += [company, f"{company}/change", "/setup/seller/", "/setup/seller/identity", "/setup/seller/vat"]
    for path in [*paths, "/setup/seller/mentions/franchise"]:
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
    assert page.errors == []
