"""Two volunteers sign off the last two plates of an order at the same moment (PostgreSQL)."""

import threading
from contextlib import suppress

from fablab import db
from fablab.accounts.models import Person
from fablab.billing import ledger, offering, payers, paying
from fablab.billing import services as billing
from fablab.billing.payers import PayerChoice
from fablab.db import utcnow
from fablab.invoicing import from_orders
from fablab.jobs import dispatch
from fablab.jobs import queries as jobs
from fablab.jobs.judging import Judgement
from fablab.jobs.models import Attempt
from fablab.jobs.signoff import Verdict
from fablab.orders import services as orders
from fablab.orders.models import Order, OrderState
from tests.books import business
from tests.people import add_machine, add_spool, slice_job, small_place
from tests.services.test_orders_of_several_parts import confirmed, print_next, three_cubes


def two_last_plates(session, cast, order):
    """Two plates of an order lie printed on two machines; a third one is signed off already."""
    for job in jobs.of_order(session, order.id):
        slice_job(session, job)
    print_next(session, cast.bob)
    add_spool(session, add_machine(session, "Bea"))
    attempts = list(dispatch.schedule(session, utcnow()))
    for attempt in attempts:
        dispatch.sending(session, attempt)
        dispatch.about_to_start(session, attempt, utcnow())
        for judgement in (Judgement.PRINTING, Judgement.FINISHED):
            dispatch.record(session, attempt, judgement, {}, utcnow())
    return [attempt.id for attempt in attempts]


def sign_off(attempt_id, by_id):
    with db.transaction() as session:
        attempt = session.get_one(Attempt, attempt_id)
        billing.sign_off(session, attempt, Verdict(attempt.copies), session.get_one(Person, by_id))


def both(*acts):
    threads = [threading.Thread(target=act) for act in acts]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def test_the_order_of_a_company_ends_although_two_press_at_once(any_place, monkeypatch):
    with db.transaction() as session:
        cast, acme = business(session)
        order = three_cubes(session, cast.alice)
        payers.choose(session, order, PayerChoice(acme.public_id, "", seen_before_vat=True), cast.alice)
        billing.confirm(session, order, {}, offering.order_offer(session, order, {}).price.total_cents, cast.alice)
        last = two_last_plates(session, cast, order)
    real, together = orders.close_if_done, threading.Barrier(2)

    def close_if_done(*args):
        real(*args)
        with suppress(threading.BrokenBarrierError):
            together.wait(timeout=1)  # both have looked before one of them commits; SQLite lets only one in

    monkeypatch.setattr(orders, "close_if_done", close_if_done)
    both(*(lambda each=each: sign_off(each, cast.bob.id) for each in last))
    with db.reading() as session:
        assert session.get_one(Order, order.id).state == OrderState.READY
        assert from_orders.waiting(session)


def test_all_good_copies_are_charged_although_two_press_at_once(any_place, monkeypatch):
    with db.transaction() as session:
        cast = small_place(session)
        order = confirmed(session, cast.alice)
        first, second = two_last_plates(session, cast, order)
    real, looked, done = paying.charge, threading.Event(), threading.Event()

    def charge(session, order, earned, key, text, by_id):
        if key.endswith(f"-{second}"):
            looked.set()
            done.wait(2)  # the other one commits after what is good was counted here
        return real(session, order, earned, key, text, by_id)

    monkeypatch.setattr(paying, "charge", charge)

    def one():
        looked.wait(5)
        sign_off(first, cast.bob.id)
        done.set()

    both(one, lambda: sign_off(second, cast.bob.id))
    with db.reading() as session:
        seen = session.get_one(Order, order.id)
        assert (seen.state, ledger.charged_cents(session, order.id)) == (OrderState.READY, seen.price_cents)
