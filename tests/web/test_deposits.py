"""The pages of deposits: found, shown, asked for once, and deducted on the pages of the final invoice."""

import re

import pytest
import sqlalchemy as sa

from fablab import db
from fablab.accounts.models import Person
from fablab.invoicing import deposits
from fablab.invoicing.models import Document
from fablab.orders.models import Order
from tests.books import add_company, company_order, make, open_books
from workers import tasks


@pytest.fixture
def order(site):
    """An order of Acmé that is confirmed, at 120 € with VAT: its address."""
    with db.transaction() as session:
        open_books(session)
        acme = add_company(session, buyer=site.cast.alice)
        made = company_order(session, session.get(Person, site.cast.alice.id), acme, po_number="BC-9")
        made.price_cents = made.line.price_cents = 10_000
        return made.public_id


def key_in(page):
    return re.search(r'name="key"[^>]*value="(\w+)"', page.text).group(1)


def documents():
    with db.reading() as session:
        return session.scalars(sa.select(Document).order_by(Document.position)).all()


def test_a_deposit_is_found_shown_issued_once_paid_and_deducted(site, order):
    carole = site.as_("carole")
    assert f"/invoices/deposits/{order}" in carole.get("/invoices/deposits/").text
    assert f"/invoices/deposits/{order}" in carole.get(f"/orders/{order}").text
    address = f"/invoices/deposits/{order}"
    key = key_in(carole.get(address))
    shown = carole.get(f"{address}?percent=30&amount=&key={key}")
    assert "€36.00" in shown.text
    assert "purchase order BC-9" in shown.text
    first = carole.post(address, percent="30", amount="", key=key)
    assert first.status_code == 302
    assert carole.post(address, percent="30", amount="", key=key).location == first.location
    assert [each.kind for each in documents()] == ["deposit"]
    page = carole.get(first.location)
    assert "Deposit invoice F-" in page.text
    assert "deposit</span>" in carole.get("/invoices/").text
    paid = carole.post(
        f"{first.location}/payments", amount="36", method="transfer", received_on=f"{documents()[0].issued_on}",
        reference="", key=key_in(page),
    )  # fmt: skip
    assert paid.status_code == 302
    with db.transaction() as session:
        found = session.scalar(sa.select(Order).where(Order.public_id == order))
        make(session, found, 1, session.get(Person, site.cast.bob.id))
        company = found.company.public_id
    preview = carole.get(f"/invoices/company/{company}?po=BC-9")
    assert "−€36.00" in preview.text or "-€36.00" in preview.text
    final = carole.post(f"/invoices/company/{company}", po="BC-9", key=key_in(preview))
    assert "€84.00" in carole.get(final.location).text
    assert documents()[-1].number in carole.get(first.location).text
    assert "F-" in site.as_("alice").get(f"/orders/{order}").text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"percent": "", "amount": ""}, "an amount, or a percentage"),
        ({"percent": "30", "amount": "5"}, "an amount, or a percentage"),
        ({"percent": "120", "amount": ""}, "between 1 and 100"),
        ({"percent": "", "amount": "120.01"}, "€120.00 is left"),
        ({"percent": "", "amount": "lots"}, "is not an amount"),
    ],
)
def test_what_was_typed_wrong_is_said_beside_its_field_and_kept(site, order, typed, sentence):
    carole = site.as_("carole")
    address = f"/invoices/deposits/{order}"
    key = key_in(carole.get(address))
    query = "&".join(f"{name}={value}" for name, value in (typed | {"key": key}).items())
    for answer in (carole.get(f"{address}?{query}"), carole.post(address, **typed, key=key)):
        assert answer.status_code == 422
        assert sentence in answer.text
        assert f'value="{typed["amount"]}"' in answer.text
    assert documents() == []


def test_members_neither_see_nor_ask_for_deposits(site, order):
    alice = site.as_("alice")
    assert alice.get("/invoices/deposits/").status_code in (302, 403)
    assert alice.post(f"/invoices/deposits/{order}", percent="30", key="a" * 20).status_code in (302, 403)
    assert site.as_("carole").get("/invoices/deposits/nothing").status_code == 404
    assert documents() == []


def test_a_cancelled_order_has_its_deposit_credited_by_the_worker(site, order):
    carole = site.as_("carole")
    address = f"/invoices/deposits/{order}"
    carole.post(address, percent="30", amount="", key=key_in(carole.get(address)))
    site.as_("alice").post(f"/orders/{order}/cancel")
    with db.reading() as session:
        (order_id,) = deposits.orphans(session)
    tasks.credit_deposits(order_id)
    tasks.credit_deposits(order_id)
    assert [each.kind for each in documents()] == ["deposit", "credit_note"]
