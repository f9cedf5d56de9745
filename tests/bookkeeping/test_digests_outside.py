"""Digests of closings leave the place by mail: months at once, days with that of Sunday, nothing left out or doubled."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from fablab import checkup, db
from fablab.billing import closed
from fablab.bookkeeping import closings, outside
from fablab.bookkeeping.closings import Closer
from fablab.bookkeeping.digest_models import DigestMail, DigestReaders
from fablab.bookkeeping.models import Closing, Span
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.invoicing import issuing
from fablab.notices.models import Mail, MailState
from tests.books import business, draft_of
from tests.conftest import environment
from tests.mailserver import mail_server
from workers import mailing

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
TREASURER, ACCOUNTANT = "tresorier@asso.example", "cabinet@compta.example"


def day(number):
    """Noon of that day, counted from the Monday of the first booking."""
    return MONDAY + timedelta(days=number)


@pytest.fixture
def books(any_place, monkeypatch):
    """Something was booked on a Monday; nobody outside is named yet."""
    monkeypatch.setattr(closed, "utcnow", lambda: MONDAY)
    with db.transaction() as session:
        _, acme = business(session)
        issuing.issue(session, draft_of(10_000, company=acme), issuing.Command("one", None, MONDAY))
        session.execute(sa.update(Mail).values(state=MailState.SENT))  # those of the invoice are not looked at here


@pytest.fixture
def readers(books):
    name(TREASURER, ACCOUNTANT)


def name(*addresses, now=MONDAY):
    with db.transaction() as session:
        outside.set_readers(session, "\n".join(addresses), None, now)


def close_days(now):
    with db.transaction() as session:
        return closings.close_days(session, now)


def close(span, first_on, now):
    with db.transaction() as session:
        return closings.close(session, span, first_on, Closer(None, now))


def digest_mails():
    with db.reading() as session:
        return session.scalars(sa.select(DigestMail).order_by(DigestMail.mail_id)).all()


def carried():
    return [(each.mail.to_email, each.first_position, each.last_position) for each in digest_mails()]


def send_all(server):
    with environment(mail_server=server):
        with db.transaction() as session:
            session.execute(sa.update(Mail).where(Mail.state == MailState.DUE).values(due_at=utcnow()))
        for each in digest_mails():
            mailing.send(each.mail_id)


def late(now):
    with db.reading() as session:
        return outside.late(session, now)


class TestWhenTheyLeave:
    """Which closing makes a letter, and what it carries."""

    def test_days_are_gathered_and_leave_with_that_of_sunday_to_every_reader(self, readers):
        for number in range(1, 7):
            close_days(day(number))
        assert carried() == []
        close_days(day(7))
        assert carried() == [(TREASURER, 1, 7), (ACCOUNTANT, 1, 7)]
        close_days(day(7))
        close_days(day(8))
        assert len(carried()) == 2

    def test_a_month_leaves_at_once_with_the_days_since_the_letter_before(self, readers):
        close_days(day(7))
        close_days(day(30))
        close(Span.MONTH, date(2026, 3, 1), day(31))
        to_the_treasurer = [each[1:] for each in carried() if each[0] == TREASURER]
        assert to_the_treasurer == [(1, 7), (8, 30), (31, 31)]

    def test_many_days_and_a_month_closed_together_are_one_letter(self, readers):
        close(Span.MONTH, date(2026, 3, 1), day(40))
        assert [each[1:] for each in carried()] == [(1, 31), (1, 31)]

    def test_a_rolled_back_closing_leaves_no_letter(self, readers):
        with pytest.raises(ZeroDivisionError), db.transaction() as session:
            closings.close_days(session, day(7))
            raise ZeroDivisionError
        assert carried() == []

    def test_without_readers_nothing_is_queued_and_the_first_letter_carries_all(self, books):
        close_days(day(14))
        assert carried() == []
        name(ACCOUNTANT, now=day(14))
        close_days(day(21))
        assert carried() == [(ACCOUNTANT, 1, 21)]

    def test_workers_that_close_at_once_queue_one_letter(self, readers):
        threads = [threading.Thread(target=close_days, args=(day(7),)) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert carried() == [(TREASURER, 1, 7), (ACCOUNTANT, 1, 7)]

    def test_what_could_not_be_sent_is_carried_by_the_next_letter(self, readers):
        close_days(day(7))
        send_all("")
        assert {each.mail.state for each in digest_mails()} == {MailState.FAILED}
        close_days(day(14))
        assert carried()[2:] == [(TREASURER, 1, 14), (ACCOUNTANT, 1, 14)]
        with db.reading() as session:
            assert [each.last_position for each in outside.mails_of(session, 3)] == [14, 14]

    def test_sent_by_hand_it_leaves_before_sunday_and_only_once(self, readers):
        close_days(day(3))
        with db.transaction() as session:
            outside.send_now(session, day(3))
        assert [each[1:] for each in carried()] == [(1, 3), (1, 3)]
        with pytest.raises(Conflict, match="on its way"), db.transaction() as session:
            outside.send_now(session, day(3))
        name(now=day(3))
        with pytest.raises(Conflict, match="enter an address"), db.transaction() as session:
            outside.send_now(session, day(3))


class TestOnTheMailServer:
    """What the readers get."""

    def test_each_reader_gets_every_digest_and_the_page_knows_when(self, readers):
        close_days(day(7))
        with mail_server() as server:
            send_all(server.address)
            send_all(server.address)
            assert sorted(to for to, _ in server.taken) == sorted([TREASURER, ACCOUNTANT])
            message = server.taken[0][1]
        assert message["Subject"] == "Fablab : clôtures 1 à 7"
        with db.reading() as session:
            made = session.scalars(sa.select(Closing).order_by(Closing.position)).all()
            left = outside.left_at(session, made)
            assert {each.mail.to_email for each in outside.mails_of(session, 3)} == {TREASURER, ACCOUNTANT}
        for form in ("plain", "html"):
            text = message.get_body((form,)).get_content()
            assert all(each.hash in text for each in made)
        assert sorted(left) == [1, 2, 3, 4, 5, 6, 7]

    def test_one_reader_that_refuses_does_not_keep_the_other_from_proving(self, readers):
        close_days(day(7))
        with mail_server() as server, environment(mail_server=server.address):
            with db.transaction() as session:
                session.execute(sa.update(Mail).where(Mail.state == MailState.DUE).values(due_at=utcnow()))
            first, second = digest_mails()
            mailing.send(first.mail_id)
            server.mood = "refuses"
            mailing.send(second.mail_id)
        assert [each.mail.state for each in digest_mails()] == [MailState.SENT, MailState.FAILED]
        assert late(day(20)) is None
        close_days(day(14))
        assert [each[1:] for each in carried()[2:]] == [(8, 14), (8, 14)]


class TestWhatIsMissing:
    """Said on the page of the books and by the doctor."""

    def test_seven_days_after_a_closing_that_did_not_leave_it_is_said(self, books):
        close_days(day(1))
        assert late(day(8)) is None
        assert "name somebody outside" in str(late(day(8) + timedelta(seconds=1)))
        name(ACCOUNTANT, now=day(8))
        close_days(day(8))
        assert "did not arrive" in str(late(day(9)))
        with mail_server() as server:
            send_all(server.address)
        assert late(day(9)) is None
        assert late(day(15)) is None
        close_days(day(15))
        assert "did not arrive" in str(late(day(23)))

    def test_in_a_week_that_goes_well_nothing_is_ever_late(self, readers):
        with mail_server() as server:
            for number in range(1, 22):
                close_days(day(number))
                assert late(day(number) + timedelta(hours=11)) is None, number
                send_all(server.address)

    def test_without_closings_nothing_is_said(self, books):
        assert late(day(100)) is None

    def test_the_doctor_says_both(self, readers, monkeypatch):
        assert list(checkup._digests()) == []
        close_days(day(7))
        (found,) = checkup._digests()
        assert (found.ok, "did not arrive" in str(found.sentence)) == (False, True)
        with mail_server() as server:
            send_all(server.address)
        (found,) = checkup._digests()
        assert (found.ok, "closing 7 left on" in str(found.sentence)) == (True, True)


class TestReaders:
    """Who keeps the digests is written down with who said so."""

    def test_addresses_are_checked_cleaned_and_kept_with_their_history(self, session):
        cast, _ = business(session)
        outside.set_readers(session, f" {TREASURER.upper()} \n\n{ACCOUNTANT}\n{ACCOUNTANT}", cast.carole.id, MONDAY)
        assert outside.readers(session) == [TREASURER, ACCOUNTANT]
        outside.set_readers(session, f"{TREASURER}\n{ACCOUNTANT}", cast.carole.id, MONDAY)
        assert session.scalar(sa.select(sa.func.count(DigestReaders.id))) == 1
        outside.set_readers(session, "", cast.carole.id, MONDAY)
        assert outside.readers(session) == []
        assert [each.by_id for each in outside.history(session)] == [cast.carole.id] * 2

    @pytest.mark.parametrize(
        "typed", ["nobody", "a@b.example; c@d.example", "\n".join(f"a{n}@b.example" for n in range(6))]
    )
    def test_what_cannot_be_written_to_is_refused_beside_the_field(self, session, typed):
        with pytest.raises(Invalid) as wrong:
            outside.set_readers(session, typed, None, MONDAY)
        assert wrong.value.field == "addresses"
