"""What a document's page says of its mails, and sending it again there or elsewhere."""

import pytest

from fablab import db
from fablab.accounts.models import Company
from fablab.accounts.permissions import Role
from fablab.invoicing import issuing, sending
from fablab.invoicing.models import Document
from tests.books import add_company, command, draft_of, open_books
from tests.conftest import environment
from tests.mailserver import mail_server
from tests.people import add_person
from workers import mailing


@pytest.fixture
def invoice(site):
    with db.transaction() as session:
        open_books(session)
        add_person(session, "Tess", Role.TREASURER)
        acme = add_company(session, accountant=site.cast.alice)
        return issuing.issue(session, draft_of(12_000, company=acme), command("one"))


def mails_of(invoice):
    with db.reading() as session:
        return [each.mail for each in sending.mails_of(session, invoice.id)]


def test_the_page_says_when_and_where_it_was_sent(site, invoice):
    address = f"/invoices/{invoice.public_id}"
    tess = site.as_("tess")
    page = tess.get(address).text
    assert "Waiting to be sent to compta@acme.example" in page
    assert "The place sends no mails yet" in page
    with db.transaction() as session:
        mails = sending.mails_of(session, invoice.id)
        mails[0].mail.due_at = mails[0].mail.created_at
        mail_id = mails[0].mail_id
    with mail_server() as server, environment(mail_server=server.address):
        mailing.send(mail_id)
        page = tess.get(address).text
    assert "Sent on" in page
    assert "to compta@acme.example" in page
    assert "The place sends no mails yet" not in page
    shown = site.as_("alice").get(address).text
    assert "to compta@acme.example" in shown
    assert "Send it again" not in shown


def test_a_bookkeeper_sends_it_again_to_an_address_that_is_checked_and_once(site, invoice):
    tess = site.as_("tess")
    address = f"/invoices/{invoice.public_id}"
    wrong = tess.post(f"{address}/send", email="nobody <x>", key="key-0001")
    assert wrong.status_code == 422
    assert "nobody &lt;x&gt;" in wrong.text
    assert "is not an e-mail address" in wrong.text
    assert tess.post(f"{address}/send", email="", key="key-0001").status_code == 422
    for _ in range(2):
        assert tess.post(f"{address}/send", email="boss@acme.example", key="key-0001").status_code == 302
    assert [mail.to_email for mail in mails_of(invoice)] == ["compta@acme.example", "boss@acme.example"]
    page = tess.get(address).text
    assert "boss@acme.example" in page
    assert "Tess" in page
    for stranger in ("alice", "bob", "charlie"):
        refused = site.as_(stranger).post(f"{address}/send", email="a@b.example", key="key-0002")
        assert refused.status_code in (403, 404)


def test_a_company_may_have_no_address_and_the_page_says_that_nobody_was_written_to(site, invoice):
    tess = site.as_("tess")
    with db.reading() as session:
        company = session.get_one(Document, invoice.id).company
    fields = {name: getattr(company, name) for name in ("name", "street", "postcode", "city", "country", "language")}
    answer = tess.post(
        f"/companies/{company.public_id}/change", **fields, payment_days=30, active="y", contact_email=""
    )
    assert answer.status_code == 302, answer.text
    with db.transaction() as session:
        acme = session.get_one(Company, company.id)
        silent = issuing.issue(session, draft_of(1200, company=acme), command("two"))
    page = tess.get(f"/invoices/{silent.public_id}").text
    assert "the company has no e-mail address for invoices" in page
    assert mails_of(silent) == []
    answer = tess.post(f"/invoices/{silent.public_id}/send", email="x@acme.example", key="key-0003")
    assert answer.status_code == 302
    assert len(mails_of(silent)) == 1


def test_the_administrator_sees_what_a_mail_carries(site, invoice):
    (mail,) = mails_of(invoice)
    carole = site.as_("carole")
    page = carole.get(f"/mail/{mail.public_id}").text
    assert f"{invoice.number}.pdf" in page
    assert f"/mail/{mail.public_id}" in carole.get(f"/invoices/{invoice.public_id}").text
