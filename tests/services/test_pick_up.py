"""Parts on the shelf: a place, a code, handed over once, reminded, given up; on both databases."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from fablab import db
from fablab.billing import services as billing
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid, NotFound
from fablab.notices import queries as notices
from fablab.notices.kinds import Kind
from fablab.orders import handing, queries, shelf
from fablab.orders.handing import RulesData
from fablab.orders.models import OrderEvent, OrderState
from fablab.orders.shelf import PickUp
from tests.books import make
from tests.people import order_cube, small_place


def on_shelf(session, cast, person=None):
    """An order of `person`, printed and good."""
    order = make(session, order_cube(session, person or cast.alice), 1, cast.bob)
    cast.ada.plate = "clear"
    session.flush()
    return order, handing.of_order(session, order.public_id)


def test_an_order_that_is_ready_gets_a_place_and_a_code_and_its_person_is_told(session):
    cast = small_place(session)
    order, row = on_shelf(session, cast)
    assert row.place == "A1"
    assert len(row.code) == 4
    newest = notices.newest(session, cast.alice.id)[0]
    assert newest.kind == Kind.READY
    assert row.code in str(newest.text)
    assert newest.path == f"/orders/{order.public_id}"


def test_the_emptiest_place_is_proposed_and_another_can_be_chosen(session):
    cast = small_place(session)
    handing.set_rules(session, RulesData("left\n right \n", 7, 3))
    _, first = on_shelf(session, cast)
    _, second = on_shelf(session, cast)
    assert (first.place, second.place) == ("left", "right")
    handing.put_elsewhere(session, second, "left")
    assert second.place == "left"
    with pytest.raises(Invalid):
        handing.put_elsewhere(session, second, "moon")


def test_a_code_in_small_letters_or_a_part_of_the_name_finds_it(session):
    cast = small_place(session)
    _, row = on_shelf(session, cast)
    assert list(handing.waiting(session, row.code.lower())) == [row]
    assert list(handing.waiting(session, " ali ")) == [row]
    row.order.person.name = "Émilie Roux"
    for wanted in ("Émilie", "émi", "EMILIE", "emilie roux"):
        assert list(handing.waiting(session, wanted)) == [row]
    assert list(handing.waiting(session, "%")) == []
    assert list(handing.waiting(session, "Charlie")) == []


def test_an_order_is_handed_over_once_and_cannot_be_given_up_then(session):
    cast = small_place(session)
    order, row = on_shelf(session, cast)
    handing.hand_out(session, row, cast.bob.id)
    handing.hand_out(session, row, cast.bob.id)
    kinds = [event.kind for event in queries.events_of(session, order.id)]
    assert kinds.count("order_collected") == 1
    session.refresh(row)
    assert row.ended_by_id == cast.bob.id
    assert list(handing.waiting(session)) == []
    with pytest.raises(Conflict):
        handing.abandon(session, row, "too late", cast.bob.id)


def test_two_volunteers_who_press_at_once_hand_over_once(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        order, _ = on_shelf(session, cast)
    together, failures = threading.Barrier(2), []

    def press():
        together.wait()
        try:
            with db.transaction() as session:
                handing.hand_out(session, handing.of_order(session, order.public_id), cast.bob.id)
        except Exception as error:
            failures.append(error)

    presses = [threading.Thread(target=press) for _ in range(2)]
    for each in presses:
        each.start()
    for each in presses:
        each.join()
    with db.reading() as session:
        events = session.scalars(sa.select(OrderEvent).where(OrderEvent.kind == "order_collected")).all()
    assert failures == []
    assert len(events) == 1


def test_giving_up_needs_a_reason_which_the_member_reads(session):
    cast = small_place(session)
    order, row = on_shelf(session, cast)
    with pytest.raises(Invalid):
        handing.abandon(session, row, "  ", cast.bob.id)
    handing.abandon(session, row, "not collected for three months", cast.bob.id)
    assert order.state == OrderState.ABANDONED
    assert "three months" in str(notices.newest(session, cast.alice.id)[0].text)
    with pytest.raises(Conflict):
        handing.hand_out(session, row, cast.bob.id)


def test_reminders_come_every_so_many_days_and_then_somebody_has_to_call(session):
    cast = small_place(session)
    handing.set_rules(session, RulesData("A", 7, 2))
    _, row = on_shelf(session, cast)
    now = utcnow()
    reminded = [handing.remind(session, now + timedelta(days=day)) for day in range(30)]
    assert [day for day, count in enumerate(reminded) if count] == [7, 14]
    told = [each.kind for each in notices.newest(session, cast.alice.id)]
    assert told.count(Kind.REMINDER) == 2
    session.refresh(row)
    assert list(handing.to_remind(session, now + timedelta(days=15))) == []
    assert list(handing.to_remind(session, now + timedelta(days=22))) == [row]


def test_parts_of_a_closed_account_are_to_be_called_about_and_can_be_handed_over(session):
    cast = small_place(session)
    _, row = on_shelf(session, cast)
    cast.alice.active = False
    session.flush()
    assert list(handing.to_remind(session, utcnow() + timedelta(days=8))) == [row]
    handing.hand_out(session, row, cast.bob.id)
    assert row.order.state == OrderState.COLLECTED


def test_a_label_of_another_place_is_said_so(session):
    with pytest.raises(NotFound, match="not from here"):
        handing.of_order(session, "nonsense")


def test_a_code_is_free_again_after_the_pick_up(session):
    cast = small_place(session)
    _, first = on_shelf(session, cast)
    handing.hand_out(session, first, cast.bob.id)
    _, second = on_shelf(session, cast)
    session.execute(sa.update(PickUp).where(PickUp.order_id == second.order_id).values(code=first.code))
    assert len(handing.waiting(session, first.code)) == 1


@pytest.mark.parametrize("names", ["", " \n ", "A\nA", "x" * 41])
def test_wrong_places_are_refused_in_words(session, names):
    with pytest.raises(Invalid):
        handing.set_rules(session, RulesData(names, 7, 3))
    assert shelf.places(session) == ["A1", "A2", "A3", "B1", "B2", "B3"]


def test_what_was_cancelled_never_reaches_the_shelf(session):
    cast = small_place(session)
    order = order_cube(session, cast.alice)
    billing.cancel(session, order, cast.alice)
    assert list(handing.waiting(session)) == []
