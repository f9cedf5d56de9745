"""Somebody without an e-mail at the desk: Bob orders for them, takes cash, and does what they could."""

import io
import re

import pytest
import sqlalchemy as sa

from fablab import db
from fablab.accounts.models import Person
from fablab.billing import ledger
from tests.web.test_member_pages import CHOICES, seen_cents, stl


def come_in(browser, tmp_path, **fields):
    values = {"name": "Yvonne Blanc", "contact": "04 75 00 00 00", **fields}
    return browser.post("/walk-in/", files={"file": (io.BytesIO(stl(tmp_path)), "handle.stl")}, **values)


def people():
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count(Person.id)))


def test_from_the_desk_to_a_paid_order(site, tmp_path):
    bob = site.as_("bob")
    assert "Somebody is here with a file" in bob.get("/board/").text
    address = come_in(bob, tmp_path).location
    page = bob.get(address).text
    assert "For Yvonne Blanc, who has no e-mail" in page
    assert "04 75 00 00 00" in page
    cash = address.replace("/orders/", "/walk-in/") + "/cash"
    for _ in range(2):
        assert bob.post(cash, amount="5,00", method="cheque", reference="0042", key="once").status_code == 302
    receipts = re.findall(r'href="(/wallet/receipts/[^"]+)', bob.get(address).text)
    assert len(receipts) == 1
    receipt = bob.get(receipts[0]).text
    assert "Cheque at the desk · 0042" in receipt
    assert f'href="{address}">Back' in receipt
    cents = seen_cents(bob.get(address).text)
    bob.post(f"{address}/confirm", **CHOICES, seen_cents=cents)
    assert "Confirmed price" in bob.get(address).text
    with db.reading() as session:
        yvonne = session.scalars(sa.select(Person).where(Person.name == "Yvonne Blanc")).one()
        assert ledger.balance_cents(session, yvonne.id) == 500 - int(cents)
        assert ledger.balance_cents(session, site.cast.bob.id) == 2000
    assert bob.post(f"{address}/cancel").status_code == 302
    with db.reading() as session:
        assert ledger.balance_cents(session, yvonne.id) == 500


@pytest.mark.parametrize("missing", ["name", "contact"])
def test_what_is_missing_is_said_and_nobody_is_added(site, tmp_path, missing):
    bob, before = site.as_("bob"), people()
    answer = come_in(bob, tmp_path, **{missing: ""})
    assert answer.status_code == 422
    assert 'class="error"' in answer.text
    assert people() == before


def test_a_bad_file_is_said_beside_its_field_and_nobody_is_added(site):
    bob, before = site.as_("bob"), people()
    sent = {"file": (io.BytesIO(b"no mesh"), "handle.stl")}
    answer = bob.post("/walk-in/", files=sent, name="Yvonne Blanc", contact="04 75 00 00 00")
    assert answer.status_code in (400, 422)
    assert 'id="file-error"' in answer.text
    assert 'value="Yvonne Blanc"' in answer.text
    assert people() == before


def test_members_do_not_see_it_and_volunteers_take_no_cash_for_members(site, tmp_path):
    address = come_in(site.as_("bob"), tmp_path).location
    alice = site.as_("alice")
    assert alice.get(address).status_code == 404
    assert alice.get("/walk-in/").status_code == 403
    sent = alice.post("/orders/", files={"file": (io.BytesIO(stl(tmp_path)), "own.stl")}).location
    answer = site.as_("bob").post(sent.replace("/orders/", "/walk-in/") + "/cash", amount="5", key="x")
    assert answer.status_code == 404
