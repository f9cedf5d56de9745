"""A company in Chromium, in French: sign-up, a quote for three parts, accepted by link, printed, invoiced, credited, paid."""

import re

import pytest
from playwright.sync_api import expect

from fablab.slicing.samples import write_samples
from fablab.slicing.slicer import find_slicer
from tests.browser.axe import problems
from tests.browser.somebody import open_page
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
    for _ in range(12):
        expect(collected.or_(finished).first).to_be_visible(timeout=120_000)
        if collected.count():
            return
        finished.first.click()
        volunteer.wait_for_load_state()
    raise AssertionError(f"{file_name} was never printed")


def stranger(chromium, demo):
    """A phone of somebody without an account."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, locale="fr", base_url=demo.url, reduced_motion="reduce"
    )
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    return page


def looks_well(page):
    assert problems(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def joins(page):
    """Open an account with a company, from the sign-in page."""
    page.goto("/")
    page.get_by_role("link", name="Ouvrir un compte").click()
    page.get_by_label("Votre nom").fill("Dora Petit")
    page.get_by_label("E-mail").fill("dora@design.example")
    page.get_by_label("Mot de passe").fill("assez-long-1")
    page.get_by_text("Je commande pour une entreprise").click()
    firm = {"company": "Dora Design", "number": "552 100 554 00013", "street": "1 rue Haute"}
    for name, value in {**firm, "postcode": "26400", "city": "Crest"}.items():
        page.fill(f"[name={name}]", value)
    looks_well(page)
    page.get_by_role("button", name="Ouvrir le compte").click()
    page.wait_for_url(re.compile("/orders/$"))


def asks_for_a_quote(page, parts):
    """Upload parts for the company, and have their price on paper."""
    page.set_input_files("#file", parts)
    page.wait_for_url(re.compile("/orders/.+"))
    page.locator("label.pill", has_text="Dora Design, sur facture").click()
    expect(page.locator("#price tfoot")).to_contain_text("Prix HT")
    page.get_by_role("button", name="Demander un devis").click()
    expect(page.locator("h1")).to_have_text(re.compile(r"Devis D-\d{4}-00002"))
    expect(page.locator("table.list").first).to_contain_text("bouton.stl")
    looks_well(page)


def accepts(page, address):
    """Read and accept a quote by a personal link."""
    page.goto(address)
    expect(page.locator("main")).to_contain_text("à la demande de Dora Petit")
    looks_well(page)
    page.get_by_role("button", name=re.compile("Accepter pour")).click()
    assert "/accept" not in page.url, "the browser asks for the tick before it sends anything"
    page.get_by_label("Numéro de bon de commande").fill("BC-2077")
    page.get_by_label("Bon pour accord").check()
    page.get_by_role("button", name=re.compile("Accepter pour")).click()
    expect(page.locator(".notice.good")).to_contain_text("Accepté par Paul Petit")


def credit(carole, before):
    """Write a credit note over 60 cents on the page of an invoice."""
    carole.get_by_role("link", name="Établir un avoir").click()
    carole.get_by_label("Montant TTC (€)").fill("0,60")
    carole.get_by_label("Motif de l’avoir").fill("Une arête rayée")
    carole.get_by_role("button", name="Voir les conséquences").click()
    expect(carole.locator("#effect ~ table")).to_contain_text("0,10")
    assert euros(carole.locator("#effect ~ table tfoot td").inner_text()) == before - 60
    carole.get_by_role("button", name="Émettre l’avoir").click()
    expect(carole.locator("h1")).to_have_text(re.compile(r"Avoir A-\d{4}-00001"))
    expect(carole.locator("main")).to_contain_text("Une arête rayée")


def test_from_the_sign_up_over_a_quote_to_the_paid_invoice(chromium, demo, tmp_path):
    names = ("equerre.stl", "bouton.stl", "cube.stl")
    samples = {path.stem: path for path in write_samples(tmp_path)}
    parts = [
        samples[name].rename(tmp_path / new)
        for name, new in zip(("bracket", "knob", "calibration-cube"), names, strict=True)
    ]
    dora = stranger(chromium, demo)
    joins(dora)
    asks_for_a_quote(dora, parts)

    assert dora.request.get(f"{dora.url}/quote.pdf").body().startswith(b"%PDF")
    quoted = euros(dora.locator("tfoot td").first.inner_text())
    dora.locator("#link-name").fill("Paul Petit")
    dora.locator("#email").fill("paul@design.example")
    dora.get_by_role("button", name="Envoyer le lien").click()
    paul = stranger(chromium, demo)
    accepts(paul, "/q/" + dora.locator("a.address").inner_text().split("/q/")[1])

    bob = open_page(chromium, demo, "bob")
    sign_off_until(bob, names[0])

    carole = open_page(chromium, demo, "carole", language="fr")
    carole.goto("/invoices/")
    carole.locator("li", has_text="BC-2077").get_by_role("link", name="Préparer la facture").click()
    for name in names:
        expect(carole.locator("main")).to_contain_text(name)
    carole.get_by_role("button", name="Émettre la facture").click()
    expect(carole.locator("h1")).to_have_text(re.compile(r"Facture F-\d{4}-00002"))
    assert euros(carole.locator("tfoot td").first.inner_text()) == quoted
    address = carole.url
    pdf = carole.request.get(f"{address}/document.pdf")
    assert pdf.body().startswith(b"%PDF")

    carole.get_by_label("Montant (€)").fill("1")
    carole.get_by_label("Référence").fill("VIR 4711")
    carole.get_by_role("button", name="Enregistrer le règlement").click()
    expect(carole.locator("main")).to_contain_text("VIR 4711")
    before = euros(carole.locator("section tfoot td").last.inner_text())

    credit(carole, before)
    carole.goto(address)
    carole.get_by_role("button", name="Enregistrer le règlement").click()
    expect(carole.locator(".chip").first).to_have_text("Réglée")
    expect(carole.get_by_role("button", name="Enregistrer le règlement")).to_have_count(0)

    dora.goto("/invoices/")
    expect(dora.locator("tr", has_text="-00002")).to_contain_text("Réglée")
    for page in (dora, paul, bob, carole):
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
    expect(carole.locator(".field.wrong")).to_contain_text("n’est pas un SIRET")
    expect(carole.locator("[name=city]")).to_have_value("Marseille")
    carole.fill("[name=siret]", "98765432400001")
    carole.get_by_role("button", name="Enregistrer").click()
    expect(carole.locator("h1")).to_have_text("Atelier Sud")
