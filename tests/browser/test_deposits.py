"""A treasurer asks a company for a deposit, in Chromium in both languages, on a phone and a desktop, with axe."""

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from fablab import bus, db
from fablab.accounts.models import Company
from fablab.orders.models import Order, OrderState
from tests.books import copied_order
from tests.browser.axe import problems
from tests.browser.somebody import open_page
from tests.conftest import Recorder, environment

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(400)]

WORDS = {
    "en": {
        "deposits": "Deposits",
        "ask": "Ask for a deposit",
        "see": "See the invoice",
        "issue": "Issue the deposit invoice",
        "title": "Deposit invoice F-",
        "pay": "Book the payment",
        "paid": "Paid",
        "prepare": "Prepare the invoice",
        "invoice": "Issue the invoice",
        "deposit": "Deposit F-",
    },
    "fr": {
        "deposits": "Acomptes",
        "ask": "Demander un acompte",
        "see": "Voir la facture",
        "issue": "Émettre la facture d’acompte",
        "title": "Facture d’acompte F-",
        "pay": "Enregistrer le règlement",
        "paid": "Réglée",
        "prepare": "Préparer la facture",
        "invoice": "Émettre la facture",
        "deposit": "Acompte F-",
    },
}


def an_order_under_way(running, po_number):
    """Let a company have an order that is being made, without printing it."""
    with environment(data_dir=str(running.data_dir)), bus.using(Recorder()), db.transaction() as session:
        company = session.scalars(sa.select(Company)).first()
        done = session.scalars(sa.select(Order).where(Order.company_id == company.id, Order.price_cents > 0)).first()
        made = copied_order(session, done, 10_000, 2)
        made.state, made.po_number = OrderState.IN_PRODUCTION, po_number
        return made.id


def let_it_be_ready(running, order_id):
    with environment(data_dir=str(running.data_dir)), bus.using(Recorder()), db.transaction() as session:
        session.get_one(Order, order_id).state = OrderState.READY


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_treasurer_asks_for_a_deposit_and_the_final_invoice_deducts_it(chromium, demo, language):
    words, po_number = WORDS[language], f"BC-{language}"
    order_id = an_order_under_way(demo, po_number)
    page = open_page(chromium, demo, "carole", language=language, phone=language == "fr")
    page.goto("/invoices/")
    page.get_by_role("link", name=words["deposits"]).click()
    assert problems(page) == []
    page.get_by_role("link", name=words["ask"]).first.click()
    page.get_by_role("button", name=words["see"]).click()
    expect(page.locator("main")).to_contain_text(po_number)
    assert problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name=words["issue"]).click()
    expect(page.locator("h1")).to_contain_text(words["title"])
    assert problems(page) == []
    page.get_by_role("button", name=words["pay"]).click()
    expect(page.locator(".standing-paid")).to_contain_text(words["paid"])

    let_it_be_ready(demo, order_id)
    page.goto("/invoices/")
    page.locator("li", has_text=po_number).get_by_role("link", name=words["prepare"]).click()
    expect(page.locator("main")).to_contain_text(words["deposit"])
    assert problems(page) == []
    page.get_by_role("button", name=words["invoice"]).click()
    expect(page.locator("main")).to_contain_text(words["deposit"])
    assert problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.request.get(page.url + "/document.pdf").body().startswith(b"%PDF")
