"""Trouble at the board, on both databases: the same button at once, and an order whose member is gone."""

import threading

import pytest
import sqlalchemy as sa

from fablab import db
from fablab.accounts import services as accounts
from fablab.accounts.models import Person
from fablab.billing import ledger
from fablab.billing import services as billing
from fablab.db import utcnow
from fablab.errors import Conflict, Problem
from fablab.filament.models import SpoolMovement
from fablab.jobs import dispatch
from fablab.jobs.models import Attempt
from fablab.jobs.signoff import Reason, Verdict
from fablab.jobs.states import JobState
from fablab.machines import services as machines
from fablab.machines.models import Machine, MachineEvent, Plate
from fablab.notices import queries as notices
from fablab.notices.models import Mail
from fablab.orders import handing
from fablab.orders.models import Order, OrderState
from tests.people import queued_order, small_place
from tests.services.test_order_to_charge import finish, start_printing


def press_together(presses):
    """Let several people press at the same moment, each in a transaction of their own, and return what they are told."""
    together, told = threading.Barrier(len(presses)), []

    def one(press):
        together.wait()
        try:
            with db.transaction() as session:
                press(session)
        except Problem as problem:
            told.append(problem)

    threads = [threading.Thread(target=one, args=(press,)) for press in presses]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return told


def a_finished_plate():
    with db.transaction() as session:
        cast = small_place(session)
        order, _ = queued_order(session, cast.alice)
        return cast, order, finish(session, start_printing(session))


def count(session, model, **values):
    return session.scalar(sa.select(sa.func.count()).select_from(model).filter_by(**values))


@pytest.mark.parametrize("second", [Verdict(1), Verdict(0, Reason.DETACHED)], ids=["the same", "the opposite"])
def test_two_who_sign_off_a_plate_at_once_decide_once_and_one_is_told(any_place, second):
    cast, order, attempt = a_finished_plate()

    def sign_off(verdict):
        return lambda session: billing.sign_off(
            session, session.get_one(Attempt, attempt.id), verdict, session.get_one(Person, cast.bob.id)
        )

    (told,) = press_together([sign_off(Verdict(1)), sign_off(second)])
    assert isinstance(told, Conflict)
    assert str(told).endswith((".", "!")), "a whole sentence"
    with db.reading() as session:
        good = session.get_one(Order, order.id).state == OrderState.READY
        assert ledger.charged_cents(session, order.id) == (order.price_cents if good else 0)
        assert count(session, SpoolMovement, attempt_id=attempt.id) == 1


def test_two_who_say_that_a_plate_is_empty_say_it_once(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        session.get_one(Machine, cast.ada.id).plate = Plate.HELD
    presses = [lambda session: machines.clear_plate(session, cast.ada.id, cast.bob.id)] * 4
    assert press_together(presses) == []
    with db.reading() as session:
        assert session.get_one(Machine, cast.ada.id).plate == Plate.CLEAR
        assert count(session, MachineEvent, kind="plate_cleared") == 1


def test_two_printers_that_become_free_at_once_print_a_plate_once(any_place):
    with db.transaction() as session:
        queued_order(session, small_place(session).alice)
    assert press_together([lambda session: dispatch.schedule(session, utcnow())] * 4) == []
    with db.reading() as session:
        assert count(session, Attempt) == 1


def test_the_order_of_a_member_who_is_gone_is_made_paid_and_handed_over_and_nobody_is_written_to(session):
    cast = small_place(session)
    order, job = queued_order(session, cast.alice)
    told, mails = len(notices.newest(session, cast.alice.id)), count(session, Mail)
    accounts.change(session, cast.alice, role=cast.alice.role, active=False, by=cast.carole)
    attempt = finish(session, start_printing(session))
    billing.sign_off(session, attempt, Verdict(1), cast.bob)
    session.refresh(order)
    assert (job.state, order.state) == (JobState.DONE, OrderState.READY)
    assert ledger.charged_cents(session, order.id) == order.price_cents
    assert len(notices.newest(session, cast.alice.id)) == told
    assert count(session, Mail) == mails
    row = handing.of_order(session, order.public_id)
    handing.hand_out(session, row, cast.bob.id)
    assert row.order.state == OrderState.COLLECTED
