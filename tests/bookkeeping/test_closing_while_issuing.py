"""Days pass in a third of a second while four issue and two close: every booking is in exactly one closed day."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from fablab import bus, db
from fablab.billing import closed, seller
from fablab.billing.models import LedgerEntry
from fablab.bookkeeping import checking, closings
from fablab.bookkeeping.models import Closing, Span
from fablab.bookkeeping.statement import from_text
from fablab.errors import Conflict
from fablab.invoicing import issuing, verifying
from tests.books import business, draft_of
from tests.waiting import wait_until

ISSUERS, CLOSERS, DAYS, DAY_S = 4, 2, 12, 0.33


@pytest.fixture
def quick_days(monkeypatch):
    started, first = time.monotonic(), datetime(2026, 1, 1, tzinfo=UTC)

    def now():
        return first + timedelta(days=(time.monotonic() - started) / DAY_S)

    monkeypatch.setattr(closed, "utcnow", now)
    return now


@pytest.mark.timeout(120)
def test_closings_have_seen_every_booking(any_place, quick_days):
    with db.transaction() as session:
        business(session)
    stop, broken = threading.Event(), []

    def again(act):
        def run():
            count = 0
            while not stop.is_set():
                count += 1
                try:
                    with bus.using(bus.SilentTransport()), db.transaction() as session:
                        act(session, count)
                except (Conflict, sa.exc.OperationalError):
                    continue  # the day was closed meanwhile, or SQLite was busy for too long: it was not issued
                except BaseException as error:
                    broken.append(error)
                    raise

        return threading.Thread(target=run)

    def issuer(name):
        return lambda session, count: issuing.issue(
            session, draft_of(100), issuing.Command(f"{name}-{count}", None, quick_days())
        )

    threads = [again(issuer(f"issuer-{number}")) for number in range(ISSUERS)]
    threads += [again(lambda session, _: closings.close_days(session, quick_days())) for _ in range(CLOSERS)]
    for each in threads:
        each.start()
    try:
        wait_until(lambda: len(closed_days()) >= DAYS or broken, 60)
    finally:
        stop.set()
        for each in threads:
            each.join(30)
    assert broken == []
    end = datetime.combine(seller.today(quick_days()) + timedelta(days=2), datetime.min.time(), UTC)
    with db.transaction() as session:
        closings.close_days(session, end, at_most=1000)
        assert list(checking.findings(session)) == []
        assert list(verifying.findings(session)) == []
    with db.reading() as session:
        bookings = session.scalar(sa.select(sa.func.count(LedgerEntry.id)))
    assert sum(each.bookings for each in closed_days()) == bookings > DAYS


def closed_days():
    with db.reading() as session:
        query = sa.select(Closing.payload).where(Closing.span == Span.DAY)
        return [from_text(payload) for payload in session.scalars(query)]
