"""A company's documents reach its billing contact, which has no account: once, with the PDF, in its language."""

import io
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from fablab import db, press
from fablab.accounts import companies
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid, NotFound
from fablab.invoicing import crediting, issuing, pdfs, sending
from fablab.invoicing.crediting import Credit
from fablab.invoicing.mail_models import DocumentMail
from fablab.invoicing.models import Document, Kind
from fablab.notices import outbox, queries
from fablab.notices.models import Mail, MailState, Notice
from fablab.receivables import reminders
from fablab.settings import settings
from fablab.words import say
from tests.books import ACME, ACME_CONTACT, business, command, draft_of
from tests.conftest import environment
from tests.mailserver import mail_server
from tests.people import add_person
from tests.waiting import wait_until
from workers import mailing


def issued(session, company, key="one", **changes):
    return issuing.issue(session, draft_of(12_000, company=company, **changes), command(key))


def mails_of(session, document):
    return [each.mail for each in sending.mails_of(session, document.id)]


def change_address(session, company, email):
    contact = ACME_CONTACT.__class__(**{**ACME_CONTACT.__dict__, "contact_email": email})
    companies.change(session, company, ACME, contact)


def send_all():
    with db.transaction() as session:
        session.execute(sa.update(Mail).values(due_at=utcnow()))  # also at night
        ids = session.scalars(sa.select(Mail.id).where(Mail.to_email.is_not(None)).order_by(Mail.id)).all()
    for mail_id in ids:
        mailing.send(mail_id)


def invoice_there(**changes):
    with db.transaction() as session:
        _, acme = business(session)
        return issued(session, acme, **changes)


class TestWhatIsWritten:
    """The mail is there with its document, or neither is."""

    def test_the_billing_contact_is_written_to_in_its_language_with_what_is_to_pay(self, session):
        _, acme = business(session)
        invoice = issued(session, acme, po_number="BC-77", language="fr")
        (mail,) = mails_of(session, invoice)
        assert (mail.to_email, mail.to_name, mail.language) == ("compta@acme.example", "Zoé Achats", "fr")
        assert mail.subject == f"Facture {invoice.number} de Les Ateliers du Moulin"
        for words in ("120,00 €".replace(" ", "\u00a0"), "BC-77", "FR14 2004", invoice.number, "Factur-X"):
            assert words in mail.body

    def test_deposits_and_credit_notes_are_sent_too_and_say_what_they_are(self, session):
        _, acme = business(session)
        deposit = issued(session, acme, kind=Kind.DEPOSIT, language="en")
        note = crediting.issue(session, deposit, Credit(1200, "Scratched"), command("two"))
        assert mails_of(session, deposit)[0].subject.startswith("Deposit invoice")
        (mail,) = mails_of(session, note)
        assert mail.subject.startswith("Credit note")
        assert f"corrects invoice {deposit.number}: Scratched" in mail.body
        assert "To be paid" not in mail.body

    def test_the_same_command_twice_is_one_document_and_one_mail(self, session):
        _, acme = business(session)
        first, second = issued(session, acme), issued(session, acme)
        assert first is second
        assert len(mails_of(session, first)) == 1

    def test_nothing_is_written_when_the_document_is_not_issued(self, any_place):
        with pytest.raises(ZeroDivisionError), db.transaction() as session:
            _, acme = business(session)
            issued(session, acme)
            raise ZeroDivisionError
        with db.reading() as session:
            assert session.scalar(sa.select(sa.func.count(Mail.id))) == 0

    def test_a_company_without_an_address_is_not_written_to_and_not_reminded(self, session):
        _, acme = business(session)
        change_address(session, acme, "  ")
        invoice = issued(session, acme, payment_days=0)
        assert mails_of(session, invoice) == []
        later = utcnow() + timedelta(days=30)
        assert reminders.due_now(session, later) == []
        with pytest.raises(Conflict, match="no e-mail address"):
            reminders.send_now(session, invoice, 1, None, later)
        change_address(session, acme, "new@acme.example")
        assert reminders.due_now(session, later) == [invoice.id]

    def test_a_private_persons_invoice_is_told_to_them_alone(self, session):
        business(session)
        erin = add_person(session, "Erin")
        draft = draft_of(1200, person_id=erin.id)
        invoice = issuing.issue(session, draft, command("one"))
        assert mails_of(session, invoice) == []
        assert session.scalar(sa.select(Notice).where(Notice.person_id == erin.id)).mail_id is not None
        with pytest.raises(NotFound):
            sending.again(session, invoice, "a@b.example", "key-0001", erin.id, utcnow())

    def test_an_accountant_with_an_account_gets_one_mail_and_not_two(self, session):
        cast, acme = business(session)
        change_address(session, acme, cast.alice.email)
        invoice = issued(session, acme)
        notice = session.scalar(sa.select(Notice).where(Notice.person_id == cast.alice.id))
        assert notice.mail_id is None
        assert [each.to_email for each in mails_of(session, invoice)] == [cast.alice.email]


class TestSendingAgain:
    """A bookkeeper sends a document once more, there or elsewhere."""

    def test_pressed_twice_it_is_one_mail_and_who_asked_is_written_down(self, session):
        cast, acme = business(session)
        invoice = issued(session, acme)
        for _ in range(2):
            sending.again(session, invoice, " Other@Acme.example ", "key-0001", cast.carole.id, utcnow())
        first, second = sending.mails_of(session, invoice.id)
        assert (first.by_id, second.by_id) == (None, cast.carole.id)
        assert (second.mail.to_email, second.mail.to_name) == ("other@acme.example", "Acmé Mécanique SARL")
        sending.again(session, invoice, "compta@acme.example", "key-0002", cast.carole.id, utcnow())
        assert mails_of(session, invoice)[-1].to_name == "Zoé Achats"

    @pytest.mark.parametrize(
        "typed",
        ["", "acme", "a@b", "a b@c.example", "é@acme.example", "a@b.example\nBcc: c@d.example", "a" * 250 + "@b.fr"],
    )
    def test_what_is_no_address_is_refused_beside_its_field(self, session, typed):
        cast, acme = business(session)
        invoice = issued(session, acme)
        with pytest.raises(Invalid) as wrong:
            sending.again(session, invoice, typed, "key-0001", cast.carole.id, utcnow())
        assert wrong.value.field == "email"
        assert len(mails_of(session, invoice)) == 1

    def test_two_presses_at_the_same_moment_are_one_mail(self, any_place):
        invoice = invoice_there()

        def press():
            with db.transaction() as session:
                found = session.get_one(Document, invoice.id)
                sending.again(session, found, "compta@acme.example", "key-0001", None, utcnow())

        threads = [threading.Thread(target=press) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        with db.reading() as session:
            assert len(mails_of(session, invoice)) == 2


class TestLeaving:
    """The mail on a real mail server."""

    def test_it_carries_the_pdf_as_it_is_kept_and_leaves_once(self, any_place):
        invoice = invoice_there()
        with mail_server() as server, environment(mail_server=server.address):
            send_all()
            send_all()
            ((to, message),) = server.taken
        assert to == "compta@acme.example"
        (attached,) = message.iter_attachments()
        assert (attached.get_filename(), attached.get_content_type()) == (f"{invoice.number}.pdf", "application/pdf")
        assert attached.get_content() == pdfs.pdf_of(invoice.id)
        reader = PdfReader(io.BytesIO(attached.get_content()))
        assert "factur-x.xml" in reader.attachments
        with db.reading() as session:
            (mail,) = mails_of(session, invoice)
        assert mail.state == MailState.SENT
        assert mail.sent_at is not None

    def test_a_reminder_carries_the_invoice(self, any_place):
        invoice = invoice_there(payment_days=0)
        with db.transaction() as session:
            reminders.send_if_due(session, invoice.id, utcnow() + timedelta(days=9))
        with mail_server() as server, environment(mail_server=server.address):
            send_all()
            (_, first), (_, second) = server.taken
        assert [each.get_filename() for each in second.iter_attachments()] == [f"{invoice.number}.pdf"]
        assert (
            "attached once more" in second.get_body(("plain",)).get_content()
            or "de nouveau" in second.get_body(("plain",)).get_content()
        )
        assert [each.get_content() for each in first.iter_attachments()] == [
            each.get_content() for each in second.iter_attachments()
        ]

    def test_without_a_mail_server_it_is_kept_with_the_reason_and_leaves_later(self, any_place):
        invoice = invoice_there()
        send_all()
        with db.reading() as session:
            (mail,) = mails_of(session, invoice)
            assert mail.state == MailState.FAILED
            assert "no mail server is set" in str(mail.problem)
        with mail_server() as server, environment(mail_server=server.address):
            with db.transaction() as session:
                outbox.send_again(session, session.get(Mail, mail.id), utcnow())
            send_all()
            assert len(server.taken) == 1

    def test_where_no_pdf_can_be_made_the_mail_waits_and_leaves_without_one_never(self, place, monkeypatch):
        invoice = invoice_there()

        def missing(*_given, **_options):
            raise press.PressMissing(say("No press."))

        with mail_server() as server, environment(mail_server=server.address):
            with monkeypatch.context() as patched:
                patched.setattr(press, "printed", missing)
                send_all()
            with db.reading() as session:
                (mail,) = mails_of(session, invoice)
            assert (mail.state, mail.tries, str(mail.problem)) == (MailState.DUE, 1, "No press.")
            assert server.taken == []
            send_all()
            assert len(server.taken) == 1

    def test_a_worker_killed_while_making_the_pdf_is_replaced_and_one_mail_leaves(self, place, tmp_path):
        invoice = invoice_there()
        with db.transaction() as session:
            mail_id = session.scalar(sa.select(DocumentMail.mail_id))
            session.get(Mail, mail_id).due_at = utcnow()
        reached = tmp_path / "reached"
        code = (
            "import pathlib, time\nfrom fablab.invoicing import paper\nfrom workers import mailing\n"
            f"def hang(content):\n    pathlib.Path({str(reached)!r}).touch()\n    time.sleep(60)\n"
            f"paper.make_pdf = hang\nmailing.send({mail_id})"
        )
        with mail_server() as server:
            variables = {**os.environ, "FABLAB_DATA_DIR": str(settings().data_dir)}
            variables["FABLAB_MAIL_SERVER"] = server.address
            worker = subprocess.Popen([sys.executable, "-c", code], env=variables)
            try:
                wait_until(reached.exists, 60)
            finally:
                worker.send_signal(signal.SIGKILL)
                worker.wait()
            later = utcnow() + timedelta(minutes=10)
            with db.transaction() as session:
                outbox.give_up_stale(session, later)
                assert mail_id in queries.due(session, later)
                session.get(Mail, mail_id).lease_until = utcnow() - timedelta(seconds=1)
            with environment(data_dir=str(place), mail_server=server.address):
                mailing.send(mail_id)
                mailing.send(mail_id)
            assert len(server.taken) == 1
        with db.reading() as session:
            assert [each.state for each in mails_of(session, invoice)] == [MailState.SENT]
