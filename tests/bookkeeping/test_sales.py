"""Sales of a period, counted without asking the database again for each booking."""

from contextlib import contextmanager

import sqlalchemy as sa

from fablab import db
from fablab.billing import ledger, seller
from fablab.billing.ledger import Booking
from fablab.billing.models import Account, EntryKind
from fablab.bookkeeping.models import Span
from fablab.bookkeeping.periods import period
from fablab.bookkeeping.sales import sales
from fablab.db import utcnow
from fablab.words import say
from tests.books import STANDARD, open_books
from tests.people import add_person


@contextmanager
def statements():
    """Collect what the database is asked for in the block."""
    asked = []

    def note(_connection, _cursor, statement, *_rest):
        asked.append(statement)

    sa.event.listen(db.engine(), "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(db.engine(), "before_cursor_execute", note)


def sell(person, many, name):
    with db.transaction() as session:
        for place in range(many):
            lines = [(Account.RESERVED, person.id, 100), (Account.SALES, None, -100)]
            ledger.post(session, Booking(f"{name}-{place}", EntryKind.CHARGE, lines, say("sold")))


def asked_for_sales():
    with statements() as asked, db.snapshot() as session:
        found = list(sales(session, period(Span.YEAR, seller.today(utcnow()))))
    return len(found), len(asked)


def test_more_sales_ask_the_database_no_more_often(place):
    with db.transaction() as session:
        open_books(session, STANDARD)
        person = add_person(session, "Alice", cents=0)
    sell(person, 3, "few")
    few, asked = asked_for_sales()
    sell(person, 60, "many")
    assert (few, asked_for_sales()) == (3, (63, asked))
