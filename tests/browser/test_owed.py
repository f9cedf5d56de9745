"""What is owed and given back, in Chromium on a phone and a desktop, in both languages, with axe."""

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from fablab import bus, db
from fablab.accounts.models import Company
from fablab.invoicing import issuing
from tests.books import command, draft_of
from tests.browser.axe import problems
from tests.browser.somebody import open_page
from tests.conftest import Recorder, environment
from tests.running import system

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(400)]

WORDS = {
    "en": {
        "ask": "Ask for money back or a new print",
        "refund": "Money back",
        "send": "Send the request",
        "answers": "The place looks at it",
        "todo": "Refunds and reprints",
        "give": "Give back",
        "again": "Print again",
        "refunded": "Refunded",
        "new": "See the new print",
        "send_now": "Send reminder 1 now",
        "next": "Send reminder 2 now",
        "do_not": "Do not remind",
        "why": "Why nobody is to be reminded",
        "closing": "Closing balance",
        "show": "Show",
    },
    "fr": {
        "ask": "Demander un remboursement ou une réimpression",
        "refund": "Remboursement",
        "send": "Envoyer la demande",
        "answers": "L’atelier regarde",
        "todo": "Remboursements et réimpressions",
        "give": "Rembourser",
        "again": "Réimprimer",
        "refunded": "Remboursé",
        "new": "Voir la nouvelle impression",
        "send_now": "Envoyer la relance 1 maintenant",
        "next": "Envoyer la relance 2 maintenant",
        "do_not": "Ne pas relancer",
        "why": "Pourquoi ne pas relancer",
        "closing": "Solde de clôture",
        "show": "Afficher",
    },
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with system(tmp_path_factory.mktemp("demo") / "data", "--demo") as running:
        _let_something_be_overdue(running)
        yield running


def _let_something_be_overdue(running):
    with environment(data_dir=str(running.data_dir)), bus.using(Recorder()), db.transaction() as session:
        company = session.scalars(sa.select(Company)).one()
        for key in ("one", "two"):
            issuing.issue(session, draft_of(12_000, company=company, payment_days=-10), command(key))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_member_asks_on_a_phone_and_a_volunteer_answers_with_one_click(chromium, demo, language):
    words = WORDS[language]
    member = open_page(chromium, demo, "denis", language=language, phone=True)
    member.goto("/orders/")
    order = member.locator("li:has(.state-ready) h3 a").first
    member.goto(order.get_attribute("href"))
    address = member.url
    member.get_by_text(words["ask"]).click()
    member.fill("#what", "The top is rough.")
    member.get_by_label(words["refund"]).check()
    assert problems(member) == []
    member.get_by_role("button", name=words["send"]).click()
    expect(member.locator("main")).to_contain_text(words["answers"])

    bob = open_page(chromium, demo, "bob", language=language, phone=language == "fr")
    bob.goto("/board/")
    expect(bob.locator("main")).to_contain_text(words["todo"])
    bob.goto("/refunds/")
    assert problems(bob) == []
    assert bob.evaluate("document.documentElement.scrollWidth <= innerWidth")
    button = words["give"] if language == "en" else words["again"]
    bob.get_by_role("button", name=button).click()
    expect(bob.locator("main .empty")).to_be_visible()
    assert problems(bob) == []

    member.goto(address)
    expect(member.locator("main")).to_contain_text(words["refunded"] if language == "en" else words["new"])
    assert problems(member) == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_treasurer_reminds_a_company_and_reads_its_statement(chromium, demo, language):
    words = WORDS[language]
    carole = open_page(chromium, demo, "carole", language=language, phone=language == "fr")
    carole.goto("/owed/")
    carole.get_by_role("button", name=words["send_now"]).first.click()
    expect(carole.get_by_role("button", name=words["next"]).first).to_be_visible()
    carole.locator("main details summary").last.click()
    carole.get_by_label(words["why"]).last.fill("Disputed")
    assert problems(carole) == []
    assert carole.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if language == "en":
        carole.get_by_role("button", name=words["do_not"], exact=True).last.click()
        expect(carole.locator("main")).to_contain_text("Disputed")
        carole.get_by_role("button", name="Remind again").click()

    accountant = open_page(chromium, demo, "farid", language=language, phone=language == "en")
    accountant.goto("/companies/")
    accountant.locator("main a[href^='/companies/']").first.click()
    accountant.locator("a[href^='/owed/statement/']").click()
    accountant.get_by_role("button", name=words["show"]).click()
    expect(accountant.locator("main tfoot")).to_contain_text(words["closing"])
    assert problems(accountant) == []
    assert accountant.evaluate("document.documentElement.scrollWidth <= innerWidth")
    link = accountant.locator("a[href*='statement.pdf']").get_attribute("href")
    assert accountant.request.get(link).body().startswith(b"%PDF")
