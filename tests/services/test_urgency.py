"""Orders that are wanted as soon as possible, on both databases: paid for, explained, frozen, ahead of who waits."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from fablab.billing import ledger, offering, payers, reviewing, seller, tariffs, urgency
from fablab.billing import services as billing
from fablab.billing.by_hand import Asked
from fablab.billing.models import Account, Group
from fablab.billing.payers import PayerChoice
from fablab.billing.pricing import Rules
from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.invoicing import from_orders
from fablab.invoicing.content import from_text
from fablab.jobs import dispatch, ordering
from fablab.jobs import queries as jobs
from fablab.jobs.states import JobState
from fablab.orders import review
from fablab.orders.models import OrderState
from fablab.orders.review_models import ReviewRules, Verdict
from tests.books import add_company, command, make, open_books
from tests.people import NO_RULE, draft_cube, queued_order, slice_job, small_place, wanted

PRICES = tariffs.TariffData("Standard", 100, 80, 200, {"PLA": 4000}, Rules(urgent_percent=25, urgent_cents=100))


@pytest.fixture
def cast(session):
    found = small_place(session, cents=20_000)
    tariffs.set_tariff(session, PRICES, None)
    return found


def seen(session, order, *, urgent=None):
    asked = None if urgent is None else Asked(None, urgent)
    return offering.order_offer(session, order, {order.line.id: wanted()}, None, asked).price.total_cents


def urgent_order(session, person):
    order = draft_cube(session, person)
    urgency.choose(session, order, urgent=True)
    billing.confirm(session, order, {order.line.id: wanted()}, seen(session, order), person)
    (job,) = jobs.of_order(session, order.id)
    slice_job(session, job)
    return order, job


def waiting(session):
    return [job.id for job in jobs.open_jobs(session)]


def test_it_is_chosen_for_a_price_that_says_so_and_frozen(session, cast):
    order = draft_cube(session, cast.alice)
    usual, urgent = seen(session, order), seen(session, order, urgent=True)
    assert urgent == usual + round(usual * 0.25 + 1e-9) + 100
    assert not order.urgent
    urgency.choose(session, order, urgent=True)
    with pytest.raises(Conflict, match="The price is"):
        billing.confirm(session, order, {order.line.id: wanted()}, usual, cast.alice)
    billing.confirm(session, order, {order.line.id: wanted()}, urgent, cast.alice)
    assert (order.price_cents, ledger.balance_cents(session, cast.alice.id, Account.RESERVED)) == (urgent, urgent)
    told = [line["sentence"]["msgid"] for line in order.price["lines"]]
    assert sum("As soon as possible" in each for each in told) == 2
    tariffs.set_tariff(session, replace(PRICES, rules=Rules()), None)
    (job,) = jobs.of_order(session, order.id)
    assert job.urgent
    slice_job(session, job, mass_g=order.line.estimated_mass_g, time_s=order.line.estimated_time_s)
    assert billing.price_after_slicing(session, order) == urgent
    with pytest.raises(Conflict, match="confirmed already"):
        urgency.choose(session, order, urgent=False)


def test_it_goes_ahead_of_who_waits_behind_earlier_urgent_ones_and_never_ahead_of_what_has_a_printer(session, cast):
    _, running = queued_order(session, cast.alice)
    (attempt,) = dispatch.schedule(session, utcnow())
    _, usual = queued_order(session, cast.charlie)
    _, first = urgent_order(session, cast.alice)
    _, second = urgent_order(session, cast.charlie)
    _, late = queued_order(session, cast.alice)
    assert [each for each in waiting(session) if each != running.id] == [first.id, second.id, usual.id, late.id]
    assert dispatch.schedule(session, utcnow()) == []
    session.refresh(running)
    assert (attempt.job_id, running.state) == (running.id, JobState.ASSIGNED)


def test_volunteers_still_put_the_queue_in_order(session, cast):
    _, first = urgent_order(session, cast.alice)
    _, usual = queued_order(session, cast.charlie)
    ordering.to_front(session, usual, cast.bob.id)
    _, second = urgent_order(session, cast.alice)
    assert waiting(session) == [usual.id, first.id, second.id]
    ordering.to_end(session, first, cast.bob.id)
    _, third = urgent_order(session, cast.alice)
    assert waiting(session) == [usual.id, second.id, third.id, first.id]


def test_urgent_orders_alone_stand_in_the_order_they_came(session, cast):
    made = [urgent_order(session, cast.alice)[1].id for _ in range(3)]
    _, usual = queued_order(session, cast.alice)
    assert waiting(session) == [*made, usual.id]


def test_where_the_tariff_has_no_surcharge_nothing_is_urgent(session, cast):
    tariffs.set_tariff(session, replace(PRICES, rules=Rules()), None)
    order = draft_cube(session, cast.alice)
    assert not urgency.is_offered(session, order, to_companies=True)
    with pytest.raises(Conflict, match="without urgent orders"):
        urgency.choose(session, order, urgent=True)
    with pytest.raises(Conflict, match="without urgent orders"):
        seen(session, order, urgent=True)


def test_the_prices_of_who_pays_decide(session, cast):
    tariffs.set_tariff(session, replace(PRICES, rules=Rules(), group=Group.COMPANY), None)
    open_books(session)
    acme = add_company(session, buyer=cast.alice)
    order = draft_cube(session, cast.alice)
    assert urgency.is_offered(session, order, to_companies=True)
    before_vat = seller.companies_before_vat(session, seller.today(utcnow()))
    payers.choose(session, order, PayerChoice(acme.public_id, "", before_vat), cast.alice)
    with pytest.raises(Conflict, match="Who pays"):
        urgency.choose(session, order, urgent=True)
    tariffs.set_tariff(session, replace(PRICES, group=Group.COMPANY), None)
    urgency.choose(session, order, urgent=True)
    price = seen(session, order)
    billing.confirm(session, order, {order.line.id: wanted()}, price, cast.alice)
    make(session, order, 1, cast.bob)
    (invoice,) = from_orders.invoice_company(session, acme, "", command("one"))
    (item,) = from_text(invoice.payload).lines
    assert invoice.net_cents == price
    assert "plus vite" in item.text


def test_what_the_desk_accepts_is_urgent_at_the_price_that_was_seen(session, cast):
    review.set_rules(session, ReviewRules(**(NO_RULE | {"first_order": True})))
    order = draft_cube(session, cast.alice)
    urgency.choose(session, order, urgent=True)
    price = seen(session, order)
    reviewing.submit(session, order, {order.line.id: wanted()}, price, cast.alice, attested=True)
    assert order.state == OrderState.IN_REVIEW
    tariffs.set_tariff(session, replace(PRICES, rules=Rules()), None)
    reviewing.decide(session, order, Verdict.ACCEPT, "", cast.bob)
    (job,) = jobs.of_order(session, order.id)
    assert (order.price_cents, job.urgent) == (price, True)


def test_no_ranks_meet_however_often_the_queue_is_put_in_order(session, cast):
    for _ in range(3):
        _, job = urgent_order(session, cast.alice)
        ordering.to_front(session, job, cast.bob.id)
        queued_order(session, cast.charlie)
    assert len(waiting(session)) == session.scalar(sa.select(sa.func.count(sa.distinct(jobs.Job.rank))))
