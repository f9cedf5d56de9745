"""A treasurer's month in Chromium, in French: two top-ups, an invoice's payment, the closing, the FEC, the cash count, the VAT."""

import os
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.dates import format_date
from playwright.sync_api import expect

from fablab.bookkeeping import archive_checking, fec_handed
from tests.browser import axe
from tests.browser.somebody import open_page
from tests.chaos import clock
from tests.conftest import environment
from tests.mailserver import MailServer, mail_server
from tests.running import FABLAB, System, system
from tests.waiting import wait_until

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
WINDING = ROOT / "tests" / "winding"
"""A folder on the path of every process of the place: Python reads the `sitecustomize` in it when it starts."""


@dataclass
class Place:
    """The demo place with a clock: it was opened on the last days of a year, and `then` is forty days back."""

    running: System
    post: MailServer
    clock: Path
    then: datetime

    def it_is(self, moment):
        """Let it be another time in every process of the place."""
        clock.set_off(self.clock, (moment - datetime.now(UTC)).total_seconds())

    def close(self, period):
        """Close a period with all before it, at the keyboard of the computer."""
        environment = {**os.environ, "FABLAB_DATA_DIR": str(self.running.data_dir)}
        subprocess.run([FABLAB, "billing", "close", period], env=environment, check=True)

    def carole(self, chromium, **options):
        """Sign the treasurer in, as she does on another day."""
        return open_page(chromium, self.running, "carole", language="fr", **options)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A place whose demo was filled at the end of a year, which is closed; the month forty days back is the next."""
    folder = tmp_path_factory.mktemp("demo")
    then = datetime.now(UTC) - timedelta(days=40)
    opened = datetime(then.year - 1, 12, 30, 12, tzinfo=UTC)
    clock.set_off(folder / "clock", (opened - datetime.now(UTC)).total_seconds())
    with (
        pytest.MonkeyPatch.context() as patch,
        mail_server() as server,
        environment(mail_server=server.address, mail_quiet_hours=""),
    ):
        patch.setenv("PYTHONPATH", os.pathsep.join((str(WINDING), str(ROOT))))
        patch.setenv("FABLAB_CHAOS_CLOCK", str(folder / "clock"))
        with system(folder / "data", "--demo") as running:
            place = Place(running, server, folder / "clock", then)
            place.it_is(then)
            place.close(f"{opened.year}")
            if then.month > 1:
                place.close(f"{then.replace(day=1) - timedelta(days=1):%Y-%m}")
            yield place


def test_the_treasurer_closes_the_month(chromium, demo, tmp_path):
    month, year = format_date(demo.then, "LLLL y", locale="fr"), demo.then.year
    receipt = a_month_of_the_treasurer(chromium, demo)

    demo.it_is(datetime.now(UTC))
    carole = demo.carole(chromium)
    carole.goto("/invoices/")
    carole.get_by_role("link", name="Clôtures").click()
    assert axe.problems(carole) == []
    carole.get_by_role("button", name=f"Clôturer {month}").click()
    expect(carole.locator("dialog[open]")).to_contain_text("Plus rien ne pourra y être enregistré")
    carole.get_by_role("button", name="Oui, clôturer").click()
    expect(carole.locator("h1")).to_have_text(re.compile(rf"Clôture \d+\s: {month}"))
    expect(carole.locator(".letter")).to_contain_text("Empreinte de cette clôture")
    expect(carole.get_by_role("button", name="Imprimer")).to_be_visible()
    assert axe.problems(carole) == []
    let_the_digest_leave(carole, demo)

    carole.goto(f"/books/?year={year}")
    with carole.expect_download() as waiting:
        carole.get_by_role("link", name=re.compile("au format FEC")).click()
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    files = fec_handed.read(file)
    assert len(files) == 2
    assert [str(each) for each in fec_handed.findings(files)] == []
    assert booked_on(files, demo.then) >= {"5,00", "7,50"}, "what she took in the month she closed"

    carole.goto("/books/")
    carole.get_by_role("button", name="Vérifier les comptes").click()
    expect(carole.locator(".notice.good")).to_contain_text("toutes les clôtures")
    assert axe.problems(carole) == []

    carole.goto(receipt)
    assert axe.problems(carole) == []
    carole.goto(f"/books/month?period={demo.then:%Y-%m}")
    expect(carole.get_by_role("row", name=re.compile("Chèque"))).to_contain_text("7,50")
    count_the_cash(carole)
    carole.get_by_role("link", name="Comptes du mois").click()
    expect(carole.get_by_role("row", name=re.compile("Espèces"))).to_contain_text("-1,00")
    with carole.expect_download() as waiting:
        carole.get_by_role("link", name="Récapitulatif de TVA").click()
    assert waiting.value.suggested_filename == f"vat-{datetime.now(UTC):%Y-%m}.csv"
    assert [each for each in carole.errors if "422" not in each] == []  # the count that was refused


def a_month_of_the_treasurer(chromium, demo):
    """Forty days ago: two top-ups, one in cash and one by cheque, and the payment of an invoice; return a receipt."""
    carole = demo.carole(chromium)
    carole.goto("/wallets/")
    carole.get_by_role("link", name=re.compile("Farid")).click()
    carole.fill("[name=amount]", "5")
    carole.get_by_role("button", name="Mettre dans le porte-monnaie").click()
    expect(carole.locator("h1")).to_have_text(re.compile(r"Reçu E\d{6}"))
    expect(carole.locator("main")).to_contain_text("5,00")
    carole.get_by_role("link", name="Retour").click()
    carole.fill("[name=amount]", "7,50")
    carole.select_option("[name=method]", "cheque")
    carole.fill("[name=reference]", "0042")
    carole.get_by_role("button", name="Mettre dans le porte-monnaie").click()
    expect(carole.locator("main")).to_contain_text("Chèque à l’accueil · 0042")
    receipt = carole.url
    carole.goto("/invoices/")
    carole.locator("table a", has_text="-00001").first.click()
    carole.get_by_role("button", name="Enregistrer le règlement").click()
    expect(carole.locator(".chip").first).to_have_text("Réglée")
    assert carole.errors == []
    return receipt


def booked_on(files, day):
    """Return the amounts that journals in FEC format have on the debit side on a day."""
    (text,) = (text for name, text in files.items() if not name.endswith(fec_handed.DESCRIPTION))
    head, *rows = [line.split("\t") for line in text.decode("iso8859-15").splitlines()]
    wanted, debit = head.index("EcritureDate"), head.index("Debit")
    return {row[debit] for row in rows if row[wanted] == f"{day:%Y%m%d}"}


def let_the_digest_leave(page, demo):
    """Nobody outside was named: the treasurer names the accountant, and the closing says when it left."""
    closing = page.url
    page.get_by_role("link", name="Dire qui les garde à l’extérieur").click()
    page.get_by_label("Adresses e-mail").fill("cabinet@compta.example")
    page.get_by_role("button", name="Enregistrer").click()
    assert axe.problems(page) == []
    page.get_by_role("button", name="Envoyer maintenant ce qui n’est pas parti").click()
    wait_until(lambda: any(to == "cabinet@compta.example" for to, _ in demo.post.taken), 60)
    wait_until(lambda: page.goto(closing) and page.get_by_text("Sortie du système le").count(), 60)
    expect(page.locator("main")).to_contain_text("vers cabinet@compta.example")
    assert axe.problems(page) == []


def count_the_cash(page):
    """One euro is missing: first nobody says why, then the treasurer does, and the next count starts right."""
    page.goto("/books/cash")
    expected = int(page.locator("[name=expected]").input_value())
    page.fill("[name=total]", f"{(expected - 100) / 100:.2f}")
    page.get_by_role("button", name="Enregistrer le comptage").click()
    expect(page.locator(".error")).to_contain_text("notez pourquoi")
    assert axe.problems(page) == []
    page.fill("[name=reason]", "Erreur de monnaie")
    page.get_by_role("button", name="Enregistrer le comptage").click()
    expect(page.locator("table")).to_contain_text("Erreur de monnaie")
    assert int(page.locator("[name=expected]").input_value()) == expected - 100


def test_the_treasurer_archives_the_year_before(chromium, demo, tmp_path):
    year = demo.then.year - 1
    demo.it_is(datetime.now(UTC))
    carole = demo.carole(chromium, phone=True)
    carole.goto("/books/")
    carole.get_by_role("link", name="Archives").click()
    assert axe.problems(carole) == []
    carole.get_by_role("button", name=f"Archiver {year}").click()
    expect(carole.locator(".digest")).to_have_text(re.compile("[0-9a-f]{64}"))
    assert axe.problems(carole) == []
    assert carole.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with carole.expect_download() as waiting:
        carole.get_by_role("link", name=f"Télécharger l’archive de {year}").click()
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    digest = carole.locator(".digest").text_content()
    assert [str(each) for each in archive_checking.findings(file, digest)] == []
