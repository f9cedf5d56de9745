"""The review desk on both databases: what is caught, what a verdict does, and one winner when two press at once."""

import pytest
import sqlalchemy as sa

from fablab import db
from fablab.accounts.models import Person
from fablab.billing import ledger, offering, reviewing, tariffs
from fablab.billing import services as billing
from fablab.errors import Conflict, Invalid
from fablab.jobs import queries as jobs
from fablab.jobs.models import Job
from fablab.notices import queries as notices
from fablab.notices.kinds import Kind
from fablab.orders import review
from fablab.orders.models import Order, OrderState
from fablab.orders.review_models import ANSWERS, Review, ReviewRules, Verdict
from tests.people import NO_RULE, draft_cube, order_cube, small_place, wanted
from tests.services.test_claims import race


def send(session, order, person, *, attested=True):
    made = offering.quote_for(session, order.line.model_file, wanted())
    reviewing.submit(session, order, {order.line.id: wanted()}, made.price.total_cents, person, attested=attested)
    return order


def caught(session, cast, **rules):
    review.set_rules(session, ReviewRules(**{**NO_RULE, **(rules or {"first_order": True})}))
    return send(session, draft_cube(session, cast.alice), cast.alice)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"first_order": True}, "first order"),
        ({"price_cents": 100}, "It costs"),
        ({"size_mm": 10}, "It is 2.0 cm long"),
        ({"attestation": True}, "was not confirmed"),
    ],
)
def test_each_rule_catches_what_it_is_for_and_says_so(session, rules, said):
    cast = small_place(session)
    review.set_rules(session, ReviewRules(**{**NO_RULE, **rules}))
    order = send(session, draft_cube(session, cast.alice), cast.alice, attested=False)
    assert order.state == OrderState.IN_REVIEW
    (reason,) = review.latest(session, order.id).reasons
    assert said in str(reason)


def test_what_no_rule_catches_goes_its_way(session):
    cast = small_place(session)
    order_cube(session, cast.alice)
    review.set_rules(session, ReviewRules(**{**NO_RULE, "first_order": True, "attestation": True, "warnings": True}))
    order = send(session, draft_cube(session, cast.alice), cast.alice)
    assert (order.state, review.waiting(session)) == (OrderState.ACCEPTED, 0)
    assert order.attested_at is not None


def test_nothing_is_reserved_or_made_before_it_is_accepted(session):
    cast = small_place(session)
    order = caught(session, cast)
    assert (ledger.balance_cents(session, cast.alice.id), jobs.of_order(session, order.id)) == (2000, [])
    seen = order.price_cents
    reviewing.decide(session, order, Verdict.ACCEPT, "", cast.bob)
    assert order.state == OrderState.ACCEPTED
    assert ledger.reserved_cents(session, order.id) == seen == order.price_cents
    assert len(jobs.of_order(session, order.id)) == 1


def test_an_accepted_request_costs_what_was_seen_even_after_the_prices_rose(session):
    cast = small_place(session)
    order = caught(session, cast)
    seen = order.price_cents
    tariffs.set_tariff(session, tariffs.TariffData("Dear", 900, 80, 200, {"PLA": 4000}), None)
    reviewing.decide(session, order, Verdict.ACCEPT, "", cast.bob)
    assert ledger.reserved_cents(session, order.id) == seen


def test_money_spent_meanwhile_is_said_to_the_reviewer_and_the_request_stays(session):
    cast = small_place(session, cents=250)
    order = caught(session, cast)
    ledger.reserve(session, cast.alice.id, order.id, 200, "elsewhere", review.latest(session, order.id).reasons[0])
    with pytest.raises(Conflict, match="missing in the wallet of Alice"), session.begin_nested():
        reviewing.decide(session, order, Verdict.ACCEPT, "", cast.bob)
    session.refresh(order)
    assert (order.state, review.waiting(session)) == (OrderState.IN_REVIEW, 1)


@pytest.mark.parametrize("verdict", [Verdict.CHANGE, Verdict.DECLINE])
def test_a_refusal_needs_a_reason(session, verdict):
    cast = small_place(session)
    order = caught(session, cast)
    with pytest.raises(Invalid, match="Please write"):
        reviewing.decide(session, order, verdict, " ", cast.bob)


def test_a_request_sent_back_is_changed_sent_again_and_lies_on_the_desk_once(session):
    cast = small_place(session)
    order = caught(session, cast)
    reviewing.decide(session, order, Verdict.CHANGE, "Please lay it flat.", cast.bob)
    assert (order.state, order.price_cents) == (OrderState.CHANGES_REQUESTED, None)
    send(session, order, cast.alice)
    assert [each.order_id for each in review.desk(session)] == [order.id]
    reviewing.decide(session, order, Verdict.ACCEPT, "", cast.bob)
    assert order.state == OrderState.ACCEPTED


def test_a_request_can_be_withdrawn_and_leaves_the_desk(session):
    cast = small_place(session)
    order = caught(session, cast)
    billing.cancel(session, order, cast.alice)
    assert (review.desk(session), ledger.balance_cents(session, cast.alice.id)) == ([], 2000)
    with pytest.raises(Conflict, match="not on the desk any more"):
        reviewing.decide(session, order, Verdict.ACCEPT, "", cast.bob)


def test_the_desk_is_sorted_by_how_long_each_waits(session):
    cast = small_place(session)
    first = caught(session, cast)
    second = send(session, draft_cube(session, cast.charlie), cast.charlie)
    reviewing.decide(session, first, Verdict.CHANGE, "Please lay it flat.", cast.bob)
    send(session, first, cast.alice)
    assert [each.order_id for each in review.desk(session)] == [second.id, first.id]


def press(order_id, person_id, verdict):
    try:
        with db.transaction() as session:
            order, person = session.get_one(Order, order_id), session.get_one(Person, person_id)
            reviewing.decide(session, order, Verdict(verdict), "Because.", person)
    except Conflict as lost:
        return str(lost)
    return "done"


@pytest.mark.parametrize("verdict", ANSWERS)
def test_four_reviewers_at_once_decide_once_and_the_others_read_who_was_faster(any_place, verdict):
    with db.transaction() as session:
        cast = small_place(session)
        order = caught(session, cast)
    found = race(press, order.id, cast.bob.id, verdict.value)
    assert sorted(found)[:3] == [found_text for found_text in found if found_text.startswith("Bob was faster: ")]
    assert found.count("done") == 1
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Review.id))) == 1
        plates = session.scalar(sa.select(sa.func.count(Job.id)))
        held = ledger.reserved_cents(session, order.id)
    accepted = verdict == Verdict.ACCEPT
    assert (plates, held) == ((1, order.price_cents) if accepted else (0, 0))


@pytest.mark.parametrize(
    ("verdict", "reason", "kind"),
    [
        (Verdict.ACCEPT, "", Kind.ACCEPTED),
        (Verdict.ACCEPT, "On Friday.", Kind.ACCEPTED),
        (Verdict.CHANGE, "Thicker walls.", Kind.CHANGES),
        (Verdict.DECLINE, "No weapons.", Kind.DECLINED),
    ],
)
def test_what_was_said_is_told_once_with_its_reason(session, verdict, reason, kind):
    cast = small_place(session)
    order = caught(session, cast)
    reviewing.decide(session, order, verdict, reason, cast.bob)
    (notice,) = notices.newest(session, cast.alice.id)
    assert (notice.kind, notice.path) == (kind, f"/orders/{order.public_id}")
    said = review.latest(session, order.id).reason
    assert said == reason or (verdict == Verdict.ACCEPT and said)
    assert said in str(notice.text)
    assert notice.mail_id is not None
