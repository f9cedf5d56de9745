"""What people are told, when the mail leaves, and that it leaves once: on both databases."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fablab import db
from fablab.billing import services as billing
from fablab.errors import Invalid
from fablab.jobs import queries as jobs
from fablab.notices import letters, outbox, queries, services, timing
from fablab.notices.kinds import Group, Kind, Pace
from fablab.notices.models import Mail, MailState, Notice
from fablab.notices.services import News
from tests.books import add_company, command, draft_of, open_books
from tests.people import add_person, order_cube, small_place

NOON = datetime(2026, 11, 25, 11, tzinfo=UTC)  # 12:00 in Paris
NIGHT = datetime(2026, 11, 25, 23, tzinfo=UTC)


def tell(session, person, number=1, kind=Kind.PRINTED_AGAIN, now=NOON, **params):
    news = News(kind, f"test-{number}", "/orders/abc", {"file": "cube.stl", **params})
    return services.tell(session, person, news, now)


def mail_of(session, notice):
    return session.get(Mail, notice.mail_id, populate_existing=True)


def test_the_same_news_told_twice_is_one_notice_and_one_mail(session):
    alice = add_person(session, "Alice")
    first = tell(session, alice)
    assert tell(session, alice) is first
    assert len(queries.newest(session, alice.id)) == 1
    assert len(queries.mails(session, undelivered=False)) == 1


def test_a_confirmed_order_is_told_in_its_own_transaction(session):
    cast = small_place(session)
    order = order_cube(session, cast.alice)
    (notice,) = queries.newest(session, cast.alice.id)
    assert (notice.kind, notice.path) == (Kind.CONFIRMED, f"/orders/{order.public_id}")
    assert "cube.stl" in str(notice.title)


def test_nothing_is_told_when_the_transaction_fails(any_place, recorder):
    with db.transaction() as session:
        alice = add_person(session, "Alice")
    recorder.asked.clear()
    with pytest.raises(RuntimeError), db.transaction() as session:
        tell(session, alice)
        raise RuntimeError
    with db.reading() as session:
        assert queries.unread(session, alice.id) == 0
    assert recorder.asked == []


def test_a_cancelled_order_is_told(session):
    cast = small_place(session)
    billing.cancel(session, order_cube(session, cast.alice), cast.alice)
    assert [each.kind for each in queries.newest(session, cast.alice.id)] == [Kind.CANCELLED, Kind.CONFIRMED]


def test_a_dearer_slice_asks_for_the_new_price_by_mail(session):
    from tests.people import slice_job

    cast = small_place(session)
    order = order_cube(session, cast.alice)
    slice_job(session, jobs.of_order(session, order.id)[0], mass_g=400)
    newest = queries.newest(session, cast.alice.id)[0]
    assert newest.kind == Kind.NEW_PRICE
    assert newest.mail_id is not None


def test_everybody_of_a_company_hears_of_its_invoice(session):
    from fablab.accounts import companies
    from fablab.accounts.models import CompanyRole
    from fablab.invoicing import issuing

    cast = small_place(session)
    open_books(session)
    company = add_company(session)
    companies.join(session, company, cast.alice.email, CompanyRole.BUYER)
    companies.join(session, company, cast.charlie.email, CompanyRole.ACCOUNTANT)
    document = issuing.issue(session, draft_of(1200, company=company), command("test"))
    for person in (cast.alice, cast.charlie):
        (notice,) = queries.newest(session, person.id)
        assert document.number in str(notice.title)


def test_a_closed_account_is_told_nothing(session):
    alice = add_person(session, "Alice")
    alice.active = False
    assert tell(session, alice) is None


def test_at_night_the_mail_waits_for_the_morning(session, recorder):
    notice = tell(session, add_person(session, "Alice"), now=NIGHT)
    mail = mail_of(session, notice)
    assert mail.due_at == datetime(2026, 11, 26, 6, tzinfo=UTC)  # 7:00 in Paris
    assert outbox.take(session, mail.id, NIGHT) is None


def test_once_a_day_all_news_come_in_one_mail(session):
    alice = add_person(session, "Alice")
    services.choose(session, alice.id, Group.ORDERS, Pace.DAILY)
    first, second = tell(session, alice, 1), tell(session, alice, 2)
    assert first.mail_id == second.mail_id
    mail = mail_of(session, first)
    assert mail.due_at == datetime(2026, 11, 26, 7, tzinfo=UTC)  # 8:00 in Paris
    assert letters.as_text(mail).count("Have a look") == 2


def test_news_after_the_mail_of_the_day_was_taken_goes_into_another(session):
    alice = add_person(session, "Alice")
    services.choose(session, alice.id, Group.ORDERS, Pace.DAILY)
    first = tell(session, alice, 1)
    assert outbox.take(session, first.mail_id, NOON + timedelta(days=1)) is not None
    assert tell(session, alice, 2).mail_id != first.mail_id


def test_without_mails_the_notice_is_still_there(session):
    alice = add_person(session, "Alice")
    services.choose(session, alice.id, Group.ORDERS, Pace.NEVER)
    assert tell(session, alice).mail_id is None
    assert queries.unread(session, alice.id) == 1


def test_essential_mails_cannot_be_declined(session):
    with pytest.raises(Invalid):
        services.choose(session, add_person(session, "Alice").id, Group.ESSENTIAL, Pace.NEVER)


def test_only_one_sender_hands_a_mail_over(session):
    mail_id = tell(session, add_person(session, "Alice")).mail_id
    slow = outbox.take(session, mail_id, NOON).token
    assert outbox.take(session, mail_id, NOON) is None
    later = NOON + timedelta(minutes=2)
    quick = outbox.take(session, mail_id, later).token
    assert not outbox.hand_over(session, mail_id, slow, later)
    assert outbox.hand_over(session, mail_id, quick, later)
    outbox.sent(session, mail_id, quick, later)
    assert session.get(Mail, mail_id, populate_existing=True).state == MailState.SENT


def test_a_mail_whose_sender_died_while_handing_over_is_not_sent_again_by_itself(session):
    mail_id = tell(session, add_person(session, "Alice")).mail_id
    token = outbox.take(session, mail_id, NOON).token
    assert outbox.hand_over(session, mail_id, token, NOON)
    later = NOON + timedelta(hours=1)
    outbox.give_up_stale(session, later)
    mail = session.get(Mail, mail_id, populate_existing=True)
    assert mail.state == MailState.UNKNOWN
    assert queries.due(session, later) == []
    assert mail in queries.mails(session, undelivered=True)
    outbox.send_again(session, mail, later)
    assert list(queries.due(session, later)) == [mail_id]


def test_after_the_last_try_the_mail_has_failed_with_its_reason(session):
    mail_id, now = tell(session, add_person(session, "Alice")).mail_id, NOON
    for _ in range(len(timing.PAUSES) + 1):
        mail = outbox.take(session, mail_id, now)
        outbox.try_later(session, mail, mail.token, services.say("The mail server sleeps."), now)
        now += timedelta(days=2)
    assert outbox.take(session, mail_id, now) is None
    (failed,) = queries.mails(session, undelivered=True)
    assert str(session.get(Mail, failed.id, populate_existing=True).problem) == "The mail server sleeps."


@pytest.mark.parametrize("name", ["Alice\r\nBcc: eve@example.org", "Ali\u2028ce\nSubject: x"])
def test_a_name_or_a_file_cannot_add_a_header(session, name):
    alice = add_person(session, "Alice")
    alice.name = name
    notice = tell(session, alice)
    notice.title.params["file"] = name
    letter = letters.compose(mail_of(session, notice))
    head = letter.content.split(b"\r\n\r\n")[0]
    assert b"\nBcc:" not in head
    assert head.count(b"Subject:") <= 2
    assert head.count(b"\r\nSubject:") == 1


@pytest.mark.parametrize("email", ["élodie@example.org", "a,b@example.org", "a@b.c,eve@example.org", "<a@example.org"])
def test_an_address_that_cannot_be_written_to_is_a_clear_failure(session, email):
    alice = add_person(session, "Alice")
    alice.email = email
    with pytest.raises(letters.Refused):
        letters.compose(mail_of(session, tell(session, alice)))


def test_text_and_html_say_the_same_in_the_language_of_the_person(session):
    alice = add_person(session, "Alice")
    alice.language = "fr"
    mail = mail_of(session, tell(session, alice, kind=Kind.READY, place="<A3>", code="K7QM"))
    text, html = letters.as_text(mail), letters.as_html(mail)
    assert "Bonjour Alice" in text
    assert "Bonjour Alice" in html
    assert "<A3>" in text
    assert "&lt;A3&gt;" in html
    assert f"http://localhost:8000{mail.notices[0].path}" in text


def test_only_what_can_be_declined_has_a_one_click_unsubscribe(session):
    alice = add_person(session, "Alice")
    declinable = letters.compose(mail_of(session, tell(session, alice, 1))).content
    essential = letters.compose(mail_of(session, tell(session, alice, 2, kind=Kind.ON_HOLD))).content
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in declinable
    assert b"List-Unsubscribe" not in essential


def test_reading_one_or_all(session):
    alice = add_person(session, "Alice")
    first, _, _ = (tell(session, alice, number) for number in range(3))
    services.read(session, alice.id, first.public_id, NOON)
    assert queries.unread(session, alice.id) == 2
    services.read(session, alice.id, None, NOON)
    assert queries.unread(session, alice.id) == 0
    assert session.get(Notice, first.id).title is not None


@given(st.integers(0, 366 * 24 * 60), st.times(), st.times())
def test_no_mail_leaves_in_quiet_hours_and_none_waits_longer_than_a_day(minutes, start, end):
    rules = timing.House(ZoneInfo("Europe/Paris"), start, end, time(8))
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    due = timing.due_at(Pace.AT_ONCE, now, rules)
    assert now <= due <= now + timedelta(hours=26)
    assert due == now or rules.is_quiet(now)
