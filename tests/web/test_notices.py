"""The bell, the page of notices, which mails come, and the administrator's list of mails."""

import pytest

from fablab import db
from fablab.db import utcnow
from fablab.notices import letters, outbox, queries, services
from fablab.notices.kinds import Group, Kind, Pace
from fablab.notices.models import Mail
from fablab.notices.services import News
from fablab.words import say


@pytest.fixture
def told(site):
    """Alice was told that a part is printed again."""
    with db.transaction() as session:
        news = News(Kind.PRINTED_AGAIN, "test", "/wallet/", {"file": "cube.stl"})
        return services.tell(session, site.cast.alice, news)


def test_the_bell_counts_what_is_unread_and_following_a_notice_reads_it(site, told):
    alice = site.as_("alice")
    assert '<span class="count">' in alice.get("/orders/").text
    assert "“cube.stl” is printed again" in alice.get("/notices/").text
    assert alice.post(f"/notices/{told.public_id}").location == "/wallet/"
    assert '<span class="count">' not in alice.get("/notices/bell").text


def test_all_can_be_read_at_once(site, told):
    alice = site.as_("alice")
    alice.post("/notices/read")
    assert '<span class="count">' not in alice.get("/notices/").text


def test_somebody_elses_notice_is_not_found_and_stays_unread(site, told):
    assert site.as_("charlie").post(f"/notices/{told.public_id}").status_code == 404
    with db.reading() as session:
        assert queries.unread(session, site.cast.alice.id) == 1


def test_choices_are_kept_and_a_wrong_one_is_refused(site):
    alice = site.as_("alice")
    assert alice.post("/notices/choices", orders="daily", pick_up="never", money="at_once").status_code == 302
    assert "Saved." in alice.get("/notices/choices?saved=1").text
    with db.reading() as session:
        assert queries.paces_of(session, site.cast.alice.id)[Group.ORDERS] == Pace.DAILY
    assert alice.post("/notices/choices", orders="hourly").status_code == 422


def test_one_click_ends_the_mails_of_a_group_and_a_link_that_was_changed_does_not(site, told):
    nobody, person = site.as_(None), site.cast.alice.public_id
    link = f"/mail/stop/{person}/orders/{letters.signature(person, 'orders')}"
    assert "avancement de mes commandes" in nobody.get(link).text
    with db.reading() as session:
        assert queries.pace_of(session, site.cast.alice.id, Group.ORDERS) == Pace.AT_ONCE  # looking ends nothing
    assert nobody.post(link, **{"List-Unsubscribe": "One-Click"}).status_code == 200
    with db.reading() as session:
        assert queries.pace_of(session, site.cast.alice.id, Group.ORDERS) == Pace.NEVER
    assert nobody.post(f"/mail/stop/{person}/money/{letters.signature(person, 'orders')}").status_code == 404
    assert nobody.post(f"/mail/stop/{person}/essential/{letters.signature(person, 'essential')}").status_code == 404


def test_the_administrator_sees_what_did_not_arrive_why_and_sends_it_again(site, told):
    with db.transaction() as session:
        mail = outbox.take(session, session.get(Mail, told.mail_id).id, utcnow().replace(year=2099))
        outbox.failed(session, mail.id, mail.token, say("The mail server refused it: {answer}", answer="550 <b>no</b>"))
    carole = site.as_("carole")
    page = carole.get("/mail/").text
    assert "550 &lt;b&gt;no&lt;/b&gt;" in page
    assert "No mail server is set" in page
    assert "Hello Alice" in carole.get(f"/mail/{mail.public_id}").text
    assert (
        carole.client.get(f"/mail/{mail.public_id}/as-sent")
        .headers["Content-Security-Policy"]
        .startswith("default-src")
    )
    assert carole.post(f"/mail/{mail.public_id}/again").status_code == 302
    assert carole.post(f"/mail/{mail.public_id}/again").status_code == 409  # pressed twice, sent once
    assert "Every mail that was due has arrived" in carole.get("/mail/").text
