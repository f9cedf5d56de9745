"""What goes wrong on PostgreSQL when two act at once; each of these fails there."""

import threading

import pytest
import sqlalchemy as sa

from fablab import db
from fablab.accounts.models import Person
from fablab.billing import ledger
from fablab.billing import services as billing
from fablab.db import utcnow
from fablab.errors import Problem
from fablab.invoicing import chain, from_orders
from fablab.jobs import queries as jobs
from fablab.jobs import services as job_services
from fablab.jobs import slices
from fablab.jobs.models import Attempt, Slice
from fablab.jobs.signoff import Verdict
from fablab.orders.models import Order
from fablab.refunds import services as refunds
from fablab.refunds.models import Answer, Complaint, Wish
from fablab.refunds.services import Decision
from tests.books import business, command, made_company_order
from tests.people import made_slice, slice_job, small_place
from tests.services.test_orders_of_several_parts import confirmed
from tests.services.test_signing_off_together import two_last_plates
from tests.waiting import wait_until

ON_POSTGRES = pytest.mark.parametrize("any_place", ["postgresql"], indirect=True)


def somebody_waits():
    """Tell whether a transaction of this database waits for a lock of another one."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with db.engine().connect() as connection:
        return connection.scalar(sa.text(waiting))


def together(*acts):
    """Do all at once; return what went wrong besides what is said in words."""
    wrong = []

    def tried(act):
        try:
            act()
        except Problem:
            pass
        except Exception as problem:
            wrong.append(f"{act.__name__}: {problem!r:.90}")

    threads = [threading.Thread(target=tried, args=(each,), name=each.__name__) for each in acts]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return wrong


@ON_POSTGRES
def test_a_refund_and_an_invoice_of_one_order(any_place):
    with db.transaction() as session:
        cast, acme = business(session)
        order = made_company_order(session, cast, acme)
        asked = refunds.ask(session, order, Wish.REFUND, "slipped", cast.alice, utcnow())
    holding, begun = threading.Event(), threading.Event()

    def invoice():
        with db.transaction() as session:
            chain.hold(session)
            holding.set()
            begun.wait(3)
            wait_until(somebody_waits, 5)  # the refund holds the order and waits for the chain
            from_orders.invoice_company(session, session.merge(acme), "", command("one"))

    def refund():
        holding.wait(5)
        with db.transaction() as session:
            begun.set()
            complaint, bob = session.get_one(Complaint, asked.id), session.get_one(Person, cast.bob.id)
            refunds.decide(session, complaint, Decision(Answer.REFUND, refund_cents=100), bob, utcnow())

    assert together(invoice, refund) == []


@ON_POSTGRES
def test_a_refund_and_a_sign_off_of_one_order(any_place, monkeypatch):
    with db.transaction() as session:
        cast = small_place(session)
        order = confirmed(session, cast.alice)
        one, _ = two_last_plates(session, cast, order)
        asked = refunds.ask(session, order, Wish.REFUND, "slipped", cast.alice, utcnow())
    real, locked, begun = ledger.lock_wallet, threading.Event(), threading.Event()

    def lock_wallet(session, person_id):
        real(session, person_id)
        if threading.current_thread().name == "sign":
            locked.set()
            begun.wait(3)
            wait_until(somebody_waits, 5)

    monkeypatch.setattr(ledger, "lock_wallet", lock_wallet)

    def sign():
        with db.transaction() as session:
            attempt = session.get_one(Attempt, one)
            billing.sign_off(session, attempt, Verdict(attempt.copies), session.get_one(Person, cast.bob.id))

    def refund():
        locked.wait(5)
        with db.transaction() as session:
            begun.set()
            complaint, bob = session.get_one(Complaint, asked.id), session.get_one(Person, cast.bob.id)
            refunds.decide(session, complaint, Decision(Answer.REFUND, refund_cents=1), bob, utcnow())

    assert together(sign, refund) == []


@ON_POSTGRES
def test_a_plate_that_is_sliced_while_the_new_price_is_confirmed_is_queued(any_place):
    with db.transaction() as session:
        cast = small_place(session, cents=20_000)
        order = confirmed(session, cast.alice)
        first, second, third = jobs.of_order(session, order.id)
        slice_job(session, first, mass_g=300)
        slice_job(session, third)
        token = job_services.take_for_slicing(session, second.id, utcnow()).token
        made = slices.keep(session, made_slice("second", 4.0, 1500.0))
        session.flush()
    confirmed_now, sliced = threading.Event(), threading.Event()

    def confirm():
        with db.transaction() as session:
            seen = session.get_one(Order, order.id)
            billing.confirm_again(session, seen, seen.proposal_cents, session.get_one(Person, cast.alice.id))
            confirmed_now.set()
            sliced.wait(2)

    def slicer():
        confirmed_now.wait(5)
        with db.transaction() as session:
            done = job_services.sliced(session, second.id, token, session.get_one(Slice, made.id))
            billing.slice_arrived(session, done)
        sliced.set()

    assert together(confirm, slicer) == []
    with db.reading() as session:
        seen = session.get_one(Order, order.id).state, [each.state for each in jobs.of_order(session, order.id)]
        assert seen == ("accepted", ["queued"] * 3)
