"""Statements of account and reminders, on both databases: equal to the ledger, once per level, never without a reason."""

from datetime import timedelta
from typing import ClassVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fablab import db
from fablab.billing import ledger, seller
from fablab.billing.models import Account
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.invoicing import crediting, issuing, payments, queries
from fablab.invoicing.crediting import Credit
from fablab.invoicing.models import Method
from fablab.invoicing.payments import PaymentData
from fablab.notices import letters
from fablab.notices.models import Mail
from fablab.receivables import reminders, statement, wording
from fablab.receivables.models import Reminder
from tests.books import business, command, draft_of, open_books
from tests.conftest import environment
from tests.people import add_person
from workers import tasks

NOW = utcnow()
TODAY = seller.today(NOW)


def owed_by(session, company):
    """What the ledger says a company owes, asked from its lines alone."""
    query = sa.select(sa.func.sum(ledger.LedgerLine.amount_cents)).join(ledger.LedgerEntry)
    document = issuing.Document
    query = query.join(document, document.id == ledger.LedgerEntry.document_id)
    query = query.where(ledger.LedgerLine.account == Account.RECEIVABLE, document.company_id == company.id)
    return session.scalar(query) or 0


def invoiced(session, company, cents=10_000, key="one", **changes):
    draft = draft_of(cents, company=company, payment_days=0, **changes)
    return issuing.issue(session, draft, command(key))


def pay(session, invoice, cents, key="paid"):
    data = PaymentData(Method.TRANSFER, cents, TODAY, "VIR 4711", key)
    return payments.pay(session, invoice, data, None, utcnow())


def after(days):
    return NOW + timedelta(days=days)


def mails(session):
    return session.scalars(sa.select(Mail).join(Reminder).order_by(Mail.id)).all()


class TestStatement:
    """What a company owes, day by day."""

    WHOLE: ClassVar = (TODAY - timedelta(days=400), TODAY + timedelta(days=1))

    def test_it_goes_from_the_opening_to_the_closing_balance_and_equals_the_ledger(self, session):
        _, acme = business(session)
        invoice = invoiced(session, acme)
        paid = pay(session, invoice, 4000)
        crediting.issue(session, invoice, Credit(1000, "Rayée"), command("two"))
        payments.reverse(session, paid, None)
        found = statement.of(session, acme, *self.WHOLE)
        assert [each.amount_cents for each in found.lines] == [10_000, -4000, -1000, 4000]
        assert [each.balance_cents for each in found.lines] == [10_000, 6000, 5000, 9000]
        assert (found.opening_cents, found.closing_cents) == (0, owed_by(session, acme))
        assert found.lines[1].reference == "VIR 4711"

    def test_what_came_before_the_period_is_its_opening_balance(self, session):
        _, acme = business(session)
        invoiced(session, acme)
        tomorrow = TODAY + timedelta(days=1)
        found = statement.of(session, acme, tomorrow, tomorrow)
        assert (found.opening_cents, found.lines, found.closing_cents) == (10_000, (), 10_000)
        yesterday = TODAY - timedelta(days=1)
        found = statement.of(session, acme, yesterday, yesterday)
        assert (found.opening_cents, found.lines, found.closing_cents) == (0, (), 0)

    def test_days_the_wrong_way_round_are_refused_beside_their_field(self, session):
        _, acme = business(session)
        with pytest.raises(Invalid, match="before the first") as wrong:
            statement.of(session, acme, TODAY, TODAY - timedelta(days=1))
        assert wrong.value.field == "last_on"

    @settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(steps=st.lists(st.tuples(st.sampled_from(["invoice", "pay", "credit"]), st.integers(1, 9000)), max_size=8))
    def test_whatever_happens_it_equals_the_ledger_and_every_line_adds_up(self, any_place, steps):
        with sa.orm.Session(db.engine(), expire_on_commit=False) as session:
            _, acme = business(session)
            invoice = invoiced(session, acme, key="first")
            for place, (what, cents) in enumerate(steps):
                try:
                    if what == "invoice":
                        invoice = invoiced(session, acme, cents, key=f"made-{place}")
                    elif what == "pay":
                        pay(session, invoice, cents, f"paid-{place}")
                    else:
                        crediting.issue(session, invoice, Credit(cents, "Rayée"), command(f"note-{place}"))
                except (Invalid, Conflict):
                    continue
                found = statement.of(session, acme, *self.WHOLE)
                assert found.closing_cents == owed_by(session, acme)
                assert found.opening_cents + sum(each.amount_cents for each in found.lines) == found.closing_cents


class TestReminders:
    """Three levels, each once."""

    def send_due(self, session, now):
        return [reminders.send_if_due(session, each, now) for each in reminders.due_now(session, now)]

    def test_each_level_is_sent_on_its_day_once_and_written_down_with_its_mail(self, session):
        _, acme = business(session)
        invoice = invoiced(session, acme)
        pay(session, invoice, 2500)
        for day, level in ((7, None), (8, 1), (8, None), (20, None), (21, 2), (44, None), (45, 3), (99, None)):
            assert [each.level for each in self.send_due(session, after(day))] == ([level] if level else [])
        sent = session.scalars(sa.select(Reminder).order_by(Reminder.level)).all()
        assert [(each.level, each.amount_cents, each.mail.address) for each in sent] == [
            (level, 7500, "compta@acme.example") for level in (1, 2, 3)
        ]
        assert [each.subject.split(":")[0].strip() for each in mails(session)] == [
            "Rappel",
            "Deuxième rappel",
            "Dernier rappel",
        ]

    def test_a_reminder_names_the_invoice_what_is_owed_and_the_lawful_indemnity_in_the_companys_language(self, session):
        _, acme = business(session)
        french, english = invoiced(session, acme), invoiced(session, acme, key="two", language="en")
        for invoice in (french, english):
            reminders.send_now(session, invoice, 1, add_person(session, f"Z{invoice.id}").id, after(2))
        first, second = mails(session)
        for mail, invoice, owed in ((first, french, "100,00"), (second, english, "100.00")):
            for text in (letters.as_text(mail), letters.as_html(mail)):
                for words in (invoice.number, owed, "L441-10", "D441-5", "40", "FR14 2004", "Les Ateliers du Moulin"):
                    assert words in text, words
        assert "indemnité forfaitaire" in letters.as_text(first)
        assert "fixed indemnity of €40" in letters.as_text(second)
        letter = letters.compose(first)
        assert letter.to == "compta@acme.example"
        assert b"List-Unsubscribe" not in letter.content

    def test_after_a_long_break_the_levels_do_not_come_all_at_once(self, session):
        _, acme = business(session)
        invoiced(session, acme)
        assert [each.level for each in self.send_due(session, after(100))] == [1]
        assert self.send_due(session, after(101)) == []
        assert [each.level for each in self.send_due(session, after(113))] == [2]

    def test_paid_credited_and_stopped_invoices_are_not_reminded_of_until_one_is_let_again(self, session):
        cast, acme = business(session)
        paid, credited, stopped = (invoiced(session, acme, key=key) for key in ("one", "two", "three"))
        pay(session, paid, 10_000)
        crediting.issue(session, credited, Credit(10_000, "Annulée"), command("note"))
        with pytest.raises(Invalid, match="say why") as wrong:
            reminders.stop(session, stopped, " ", cast.carole.id, NOW)
        assert wrong.value.field == "reason"
        reminders.stop(session, stopped, "Disputed", cast.carole.id, NOW)
        assert self.send_due(session, after(50)) == []
        with pytest.raises(Conflict, match="Nobody is to be reminded"):
            reminders.send_now(session, stopped, 1, cast.carole.id, after(50))
        with pytest.raises(Conflict, match="not overdue any more"):
            reminders.send_now(session, paid, 1, cast.carole.id, after(50))
        reminders.resume(session, stopped)
        assert [each.document_id for each in self.send_due(session, after(50))] == [stopped.id]

    def test_sent_now_twice_it_is_one_reminder_and_no_level_is_left_out(self, session):
        cast, acme = business(session)
        invoice = invoiced(session, acme)
        first = reminders.send_now(session, invoice, 1, cast.carole.id, after(1))
        assert reminders.send_now(session, invoice, 1, cast.carole.id, after(1)) == first
        with pytest.raises(Conflict, match="look again"):
            reminders.send_now(session, invoice, 3, cast.carole.id, after(1))
        assert len(mails(session)) == 1
        assert self.send_due(session, after(8)) == []

    def test_a_level_cannot_be_written_twice_nor_changed(self, session):
        cast, acme = business(session)
        reminders.send_now(session, invoiced(session, acme), 1, cast.carole.id, after(1))
        with pytest.raises(sa.exc.DBAPIError, match="only grows"), session.begin_nested():
            session.execute(sa.update(Reminder).values(amount_cents=1))

    def test_the_days_are_a_setting_and_have_to_rise(self, any_place):
        with environment(overdue_days="1,2,3"):
            assert wording.days() == (1, 2, 3)
        with environment(overdue_days="3,2,1"), pytest.raises(ValueError, match="larger"):
            wording.days()


def test_the_task_reminds_of_what_is_due_and_a_second_one_of_nothing(any_place, monkeypatch):
    with db.transaction() as session:
        _, acme = business(session)
        open_books(session)
        number = invoiced(session, acme).number
    monkeypatch.setattr(tasks, "utcnow", lambda: after(9))
    for _ in range(2):
        tasks.remind_overdue()
    with db.reading() as session:
        (mail,) = mails(session)
        assert number in mail.subject
        assert queries.owed_invoices(session)
