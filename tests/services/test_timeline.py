"""An order told step by step: what has happened, where it is, what is still to come."""

import pytest

from fablab.billing import offering, reviewing
from fablab.billing import services as billing
from fablab.orders import review, services, timeline
from fablab.orders.models import OrderState
from fablab.orders.review_models import ReviewRules, Verdict
from tests.people import draft_cube, order_cube, small_place, wanted


def told(session, order):
    return [
        (each.state, "now" if each.now else ("ahead" if each.ahead else "done"))
        for each in timeline.of_order(session, order)
    ]


@pytest.fixture
def cast(session):
    return small_place(session)


def test_a_confirmed_order_has_its_way_before_it(session, cast):
    order = order_cube(session, cast.alice)
    assert told(session, order) == [
        ("accepted", "now"),
        ("in_production", "ahead"),
        ("ready", "ahead"),
        ("collected", "ahead"),
    ]
    assert timeline.of_order(session, order)[0].at is not None


def test_a_new_price_takes_the_place_of_the_confirmation(session, cast):
    order = order_cube(session, cast.alice)
    services.ask_again(session, order, order.price_cents + 100, order.note)
    assert told(session, order)[0] == ("quoted", "now")


def test_an_order_that_was_cancelled_ends_there(session, cast):
    order = order_cube(session, cast.alice)
    billing.cancel(session, order, cast.alice)
    assert told(session, order) == [("accepted", "done"), ("cancelled", "now")]


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.ACCEPT, [("in_review", "done"), ("accepted", "now")]),
        (Verdict.CHANGE, [("in_review", "done"), ("changes_requested", "now"), ("accepted", "ahead")]),
        (Verdict.DECLINE, [("in_review", "done"), ("declined", "now")]),
    ],
)
def test_a_look_of_somebody_is_a_step(session, cast, verdict, expected):
    review.set_rules(
        session,
        ReviewRules(size_mm=0, price_cents=0, warnings=False, first_order=True, company=False, attestation=False),
    )
    order = draft_cube(session, cast.alice)
    seen = offering.order_offer(session, order, {order.line.id: wanted()}).price.total_cents
    reviewing.submit(session, order, {order.line.id: wanted()}, seen, cast.alice, attested=True)
    assert told(session, order)[:2] == [("in_review", "now"), ("accepted", "ahead")]
    reviewing.decide(session, order, verdict, "Because.", cast.bob)
    assert told(session, order)[: len(expected)] == expected
    if verdict != Verdict.ACCEPT:
        assert OrderState(order.state) == expected[1][0]
