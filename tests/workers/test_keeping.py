"""A lease is renewed as long as its work goes on, not longer, and through a database that is away for a moment."""

import threading

from sqlalchemy.exc import OperationalError

from tests.waiting import wait_until
from workers import keeping


def test_it_renews_during_the_work_and_stops_with_it(place, monkeypatch):
    monkeypatch.setattr(keeping, "RENEW_EVERY_S", 0.02)
    renewed = []
    with keeping.kept(lambda session, now: renewed.append(now) or True):
        wait_until(lambda: len(renewed) >= 3, 5)
    assert not [thread for thread in threading.enumerate() if thread.name == "keeper"]


def test_a_lost_lease_is_not_asked_for_again(place, monkeypatch):
    monkeypatch.setattr(keeping, "RENEW_EVERY_S", 0.02)
    asked = []
    with keeping.kept(lambda session, now: asked.append(now)):
        wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "keeper"], 5)
    assert len(asked) == 1


def test_a_database_that_is_away_is_tried_again(place, monkeypatch):
    monkeypatch.setattr(keeping, "RENEW_EVERY_S", 0.02)
    asked = []

    def renew(session, now):
        asked.append(now)
        if len(asked) == 1:
            raise OperationalError("select", {}, Exception("locked"))
        return True

    with keeping.kept(renew):
        wait_until(lambda: len(asked) >= 3, 5)
