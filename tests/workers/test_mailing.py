"""Mails to a real mail server that is well, down, slow, picky, full, or drops the line."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from fablab import db
from fablab.db import utcnow
from fablab.notices import outbox, queries, services
from fablab.notices.kinds import Kind
from fablab.notices.models import Mail, MailState
from fablab.notices.services import News
from fablab.settings import settings
from tests.conftest import environment
from tests.mailserver import mail_server
from tests.people import add_person
from tests.waiting import wait_until
from workers import mailing


def waiting_mail(name="Alice"):
    with db.transaction() as session:
        person = add_person(session, name)
        news = News(Kind.ON_HOLD, "test", "/orders/abc", {"file": "pièce.stl"})
        mail_id = services.tell(session, person, news).mail_id
        session.get(Mail, mail_id).due_at = utcnow()  # also at night
    return mail_id


def now_stands(mail_id):
    with db.reading() as session:
        return session.get(Mail, mail_id)


def sent_through(server, place, timeout="5"):
    with environment(data_dir=str(place), mail_server=server, mail_timeout_s=timeout):
        mail_id = waiting_mail()
        mailing.send(mail_id)
        return now_stands(mail_id)


def test_a_mail_arrives_once_in_both_forms(place):
    with mail_server() as server:
        mail = sent_through(server.address, place)
        mailing.send(mail.id)
        ((to, message),) = server.taken
    assert (mail.state, to) == (MailState.SENT, "alice@example.org")
    assert message["Subject"] == "“pièce.stl” is on hold"
    assert "Hello Alice" in message.get_body(("plain",)).get_content()
    assert "<h1" in message.get_body(("html",)).get_content()


def test_a_server_that_is_down_is_asked_again_later(place):
    mail = sent_through("smtp+plain://127.0.0.1:9", place)
    assert (mail.state, mail.tries) == (MailState.DUE, 1)
    assert mail.due_at > utcnow()
    assert "cannot be reached" in str(mail.problem)


def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(place):
    with mail_server("slow") as server:
        mail = sent_through(server.address, place, timeout="0.3")
    assert (mail.state, mail.tries) == (MailState.DUE, 1)


@pytest.mark.parametrize(
    ("mood", "state", "words"),
    [
        ("refuses", MailState.FAILED, "nobody of that name"),
        ("full", MailState.FAILED, "too full"),
        ("busy", MailState.DUE, "later please"),
        ("drops", MailState.UNKNOWN, "perhaps it arrived"),
        ("takes and drops", MailState.UNKNOWN, "perhaps it arrived"),
    ],
)
def test_what_the_server_answers_decides(place, mood, state, words):
    with mail_server(mood) as server:
        mail = sent_through(server.address, place)
        mailing.send(mail.id)
        assert len(server.taken) == (1 if mood == "takes and drops" else 0)
    assert mail.state == state
    assert words in str(mail.problem)


def test_a_mail_that_the_server_put_off_arrives_when_it_is_due_again(place):
    with mail_server("busy") as server:
        mail = sent_through(server.address, place)
        server.mood = "well"
        with db.transaction() as session:
            session.get(Mail, mail.id).due_at = utcnow() - timedelta(seconds=1)
        with environment(data_dir=str(place), mail_server=server.address):
            mailing.send(mail.id)
        assert len(server.taken) == 1
    assert now_stands(mail.id).state == MailState.SENT


def test_without_a_server_the_mail_is_kept_with_the_reason_and_can_be_sent_later(place):
    mail = sent_through("", place)
    assert mail.state == MailState.FAILED
    assert "no mail server is set" in str(mail.problem)
    with mail_server() as server, environment(data_dir=str(place), mail_server=server.address):
        with db.transaction() as session:
            outbox.send_again(session, session.get(Mail, mail.id), utcnow())
        mailing.send(mail.id)
        assert len(server.taken) == 1


def test_a_worker_killed_while_handing_over_never_sends_twice(place):
    with mail_server("hangs") as server:
        mail_id = waiting_mail()
        variables = {**os.environ, "FABLAB_DATA_DIR": str(settings().data_dir), "FABLAB_MAIL_SERVER": server.address}
        code = f"from workers import mailing; mailing.send({mail_id})"
        worker = subprocess.Popen([sys.executable, "-c", code], env=variables)
        try:
            wait_until(server.reached_text.is_set, 60)
            assert now_stands(mail_id).state == MailState.HANDING
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        server.mood = "well"
        later = utcnow() + timedelta(hours=1)
        with db.transaction() as session:
            outbox.give_up_stale(session, later)
            assert queries.due(session, later) == []
        with environment(data_dir=str(place), mail_server=server.address):
            mailing.send(mail_id)
        assert server.taken == []
    assert now_stands(mail_id).state == MailState.UNKNOWN
