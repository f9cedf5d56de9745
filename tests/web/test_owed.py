"""The pages of what companies owe: statement and its PDF, what is overdue, reminders sent, stopped and let again."""

import io
from datetime import timedelta

import pytest
from pypdf import PdfReader

from fablab import db
from fablab.accounts.permissions import Role
from fablab.db import utcnow
from fablab.invoicing import issuing
from fablab.invoicing.issuing import Command
from tests.books import add_company, draft_of, open_books
from tests.people import add_person


@pytest.fixture
def owed(site):
    """A company of Alice with an invoice that is ten days overdue: its address, the invoice's, and its number."""
    with db.transaction() as session:
        open_books(session)
        add_person(session, "Tess", Role.TREASURER)
        acme = add_company(session, buyer=site.cast.alice)
        then = utcnow() - timedelta(days=10)
        invoice = issuing.issue(session, draft_of(10_000, company=acme, payment_days=0), Command("one", None, then))
        return acme.public_id, invoice.public_id, invoice.number


def test_the_statement_is_a_page_and_a_pdf_for_the_companys_people_and_for_nobody_else(site, owed):
    company, _, number = owed
    alice = site.as_("alice")
    address = f"/owed/statement/{company}"
    page = alice.get(address)
    assert page.text.count("€100.00") == 3
    assert "error" not in page.text.split("<main")[1]
    assert number in page.text
    link = page.text.split("statement.pdf")[1].split('"')[0].replace("&amp;", "&")
    answer = alice.get(f"{address}/statement.pdf{link}")
    assert answer.mimetype == "application/pdf"
    said = "".join(each.extract_text() for each in PdfReader(io.BytesIO(answer.data)).pages)
    for words in (number, "€100.00", "Closing balance", "Acmé Mécanique SARL"):
        assert words in said
    wrong = alice.get(f"{address}?first_on=2026-02-01&last_on=2026-01-01")
    assert wrong.status_code == 422
    assert "before the first one" in wrong.text
    assert alice.get(f"{address}?first_on=never&last_on=2026-01-01").status_code == 422
    assert site.as_("charlie").get(address).status_code == 404
    assert address in alice.get(f"/companies/{company}").text


def test_a_treasurer_sends_a_reminder_once_stops_and_lets_again(site, owed):
    _, invoice, number = owed
    tess = site.as_("tess")
    page = tess.get("/owed/").text
    assert number in page
    assert "overdue for 10 days" in page
    assert tess.post(f"/owed/{invoice}/stop", reason=" ").status_code == 422
    assert tess.post(f"/owed/{invoice}/stop", reason="Disputed <1>").status_code == 302
    assert "Nobody is reminded of it: Disputed &lt;1&gt;" in tess.get("/owed/").text
    assert "let it be reminded of again first" in tess.post(f"/owed/{invoice}/send", level="1").text
    tess.post(f"/owed/{invoice}/resume")
    for _ in range(2):
        assert tess.post(f"/owed/{invoice}/send", level="1").status_code == 302
    page = tess.get("/owed/").text
    assert page.count("compta@acme.example") == 1
    assert "Send reminder 2 now" in page
    assert tess.post(f"/owed/{invoice}/send", level="9").status_code == 422
    carole = site.as_("carole")
    mails = carole.get("/mail/").text
    assert f"Rappel : facture {number}" in mails.replace("\u202f", " ").replace("\u00a0", " ")
    link = mails.split('href="/mail/')[1].split('"')[0]
    assert "compta@acme.example" in carole.get(f"/mail/{link}").text
    assert "L441-10" in carole.client.get(f"/mail/{link}/as-sent").text


def test_members_do_not_see_what_others_owe(site, owed):
    _, invoice, _ = owed
    alice = site.as_("alice")
    assert alice.get("/owed/").status_code == 403
    assert alice.post(f"/owed/{invoice}/send", level="1").status_code == 403


def test_only_who_can_set_a_mail_server_is_told_its_setting(site, owed):
    assert "FABLAB_MAIL_SERVER" in site.as_("carole").get("/owed/").text
    told = site.as_("tess").get("/owed/").text
    assert "FABLAB_MAIL_SERVER" not in told
    assert "once an administrator has set a mail server" in told
