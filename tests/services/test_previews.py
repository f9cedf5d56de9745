"""A real slice before the person pays, on both databases: asked for once, given up, taken, lost, reused, cleared away."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from fablab import db, files, leases
from fablab.billing import ledger, offering
from fablab.billing import services as billing
from fablab.billing.offers import Check
from fablab.billing.pricing import Price
from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.jobs import queries as jobs
from fablab.jobs import slices
from fablab.jobs.models import Slice, SliceRequest
from fablab.jobs.states import JobState, SliceState
from fablab.orders.models import Order
from fablab.settings import settings
from fablab.slicing.dialect import Fault
from fablab.words import say
from tests.people import draft_cube, made_slice, order_cube, slice_job, slice_next_preview, small_place, wanted

pytestmark = pytest.mark.usefixtures("stand_in_slicer")


@pytest.fixture
def cast(session, stand_in_slicer):
    return small_place(session, cents=20_000)


def ask(session, order, choices=None):
    offering.ask_check(session, order, {order.line.id: choices or wanted()}, utcnow())
    return offering.offer_for(session, order, choices or wanted())


def draft(session, person, choices=None):
    """A draft whose price is to be checked."""
    order = draft_cube(session, person)
    ask(session, order, choices)
    return order


def offer(session, order, choices=None):
    return offering.offer_for(session, order, choices or wanted())


def requests(session, *states):
    return session.scalar(select(func.count(SliceRequest.id)).where(SliceRequest.state.in_(states or set(SliceState))))


def fail(session, fault):
    request = slices.take_next(session, utcnow())
    slices.failed(session, request.id, request.token, say("Nothing touches the build plate."), fault)
    return request


def test_a_draft_shows_the_estimate_until_its_slice_is_there(session, cast, recorder):
    order = draft_cube(session, cast.alice)
    before = offer(session, order)
    assert (before.check, before.quote.checked) == (Check.NOT_ASKED, False)
    assert ask(session, order).check == Check.RUNNING
    slice_next_preview(session, mass_g=4.5, time_s=1600)
    after = offer(session, order)
    assert (after.check, after.quote.checked) == (Check.DONE, True)
    assert (after.quote.mass_g, after.quote.time_s) == (4.5, 1600)
    assert after.quote.time_range_s == (1600, 1600)
    assert after.estimate == before.quote


def test_many_plates_are_checked_when_each_kind_is_sliced(session, cast):
    order = draft(session, cast.alice, wanted(70))
    asked = offer(session, order, wanted(70))
    (full, count), (rest, one) = [(each.copies, each.plates) for each in asked.estimate.by_plate]
    assert (full * count + rest, one) == (70, 1)
    slice_two_grams_each(session)
    assert offer(session, order, wanted(70)).check == Check.RUNNING
    slice_two_grams_each(session)
    done = offer(session, order, wanted(70)).quote
    assert (done.mass_g, done.time_s) == (140, 21_000)
    assert {each.copies: each.mass_g for each in done.by_plate} == {full: 2 * full, rest: 2 * rest}
    assert done.price != asked.quote.price


def slice_two_grams_each(session):
    request = slices.take_next(session, utcnow())
    result = made_slice(request.key, 2 * request.copies, 300 * request.copies)
    slices.made(session, request.id, request.token, slices.keep(session, result))


def test_the_newest_choices_take_the_place_of_older_ones(session, cast):
    order = draft(session, cast.alice, wanted(1))
    ask(session, order, wanted(2))
    ask(session, order, wanted(3))
    assert slice_next_preview(session).copies == 3
    assert slices.take_next(session, utcnow()) is None


def test_what_is_being_sliced_is_finished_and_kept_for_later(session, cast):
    order = draft(session, cast.alice, wanted(1))
    taken = slices.take_next(session, utcnow())
    ask(session, order, wanted(2))
    slices.made(session, taken.id, taken.token, slices.keep(session, made_slice(taken.key, 4, 1500)))
    assert offer(session, order, wanted(1)).check == Check.DONE


def test_choices_that_come_back_are_asked_for_again(session, cast):
    order = draft(session, cast.alice, wanted(1))
    ask(session, order, wanted(2))
    assert offer(session, order, wanted(1)).check == Check.NOT_ASKED
    assert ask(session, order, wanted(1)).check == Check.RUNNING
    assert slice_next_preview(session).copies == 1


def test_a_plate_that_others_wait_for_is_asked_for_too_so_that_the_page_is_told(session, cast):
    draft(session, cast.alice)
    mine = draft_cube(session, cast.charlie)
    assert offer(session, mine).check == Check.NOT_ASKED
    assert ask(session, mine).check == Check.RUNNING


def test_two_people_with_the_same_plate_share_one_slice(session, cast):
    first, second = draft(session, cast.alice), draft(session, cast.charlie)
    assert requests(session) == 1
    slice_next_preview(session)
    assert {offer(session, order).check for order in (first, second)} == {Check.DONE}


def test_what_one_gives_up_the_other_still_gets(session, cast):
    first, second = draft(session, cast.alice), draft(session, cast.charlie)
    ask(session, first, wanted(2))
    assert slice_next_preview(session).copies == 1
    assert offer(session, second).check == Check.DONE


def test_a_job_goes_before_every_draft(session, cast):
    draft(session, cast.alice)
    job = jobs.of_order(session, order_cube(session, cast.charlie, 2).id)[0]
    assert slices.take_next(session, utcnow()) is None
    slice_job(session, job)
    assert slices.take_next(session, utcnow()) is not None


def test_one_person_cannot_fill_the_queue(session, cast):
    orders = [draft(session, cast.alice, wanted(copies)) for copies in range(1, 10)]
    checks = [offer(session, order, wanted(copies)).check for copies, order in enumerate(orders, start=1)]
    most = slices.MOST_WAITING_PER_PERSON
    assert checks == [Check.RUNNING] * most + [Check.NOT_ASKED] * (9 - most)
    slice_next_preview(session)
    assert ask(session, orders[-1], wanted(9)).check == Check.RUNNING


def test_the_same_plate_is_not_sliced_for_a_job_while_a_draft_has_it(session, cast):
    order = draft(session, cast.alice)
    seen = offer(session, order).quote.price.total_cents
    taken = slices.take_next(session, utcnow())
    billing.confirm(session, order, {order.line.id: wanted()}, seen, cast.alice)
    job = jobs.of_order(session, order.id)[0]
    assert job.state == JobState.TO_SLICE
    plate = slices.plate_of(job)
    assert slices.take_for_job(session, plate, taken.key, utcnow()) is None
    later = utcnow() + leases.LEASE * 2
    assert slices.take_for_job(session, plate, taken.key, later) is not None


def test_a_worker_that_is_not_heard_of_again_loses_the_plate(session, cast):
    order = draft(session, cast.alice)
    first = slices.take_next(session, utcnow())
    token = first.token
    assert slices.renew(session, utcnow() + leases.LEASE / 2, first.id, token)
    slices.give_up_stale(session, utcnow() + leases.LEASE)
    assert offer(session, order).check == Check.RUNNING
    slices.give_up_stale(session, utcnow() + leases.LEASE * 2)
    second = slices.take_next(session, utcnow())
    assert not slices.renew(session, utcnow(), first.id, token)
    slices.failed(session, first.id, token, say("Too late."), Fault.PART)
    assert second.state == SliceState.SLICING


def test_a_plate_that_ends_every_worker_is_given_up(session, cast):
    order = draft(session, cast.alice)
    for _ in range(slices.MOST_TRIES):
        request = slices.take_next(session, utcnow())
        slices.give_back(session, request.id, request.token)
    assert slices.take_next(session, utcnow()) is None
    assert offer(session, order).check == Check.UNKNOWN


def test_what_cannot_be_printed_is_told_before_paying_and_not_confirmed(session, cast):
    order = draft(session, cast.alice)
    fail(session, Fault.PART)
    refused = offer(session, order)
    assert (refused.check, str(refused.problem)) == (Check.REFUSED, "Nothing touches the build plate.")
    with pytest.raises(Conflict, match="Nothing touches"):
        billing.confirm(session, order, {order.line.id: wanted()}, refused.quote.price.total_cents, cast.alice)
    assert ask(session, order, wanted(2)).check == Check.RUNNING


def test_our_own_failure_keeps_nobody_from_ordering_and_is_tried_again_later(session, cast):
    order = draft(session, cast.alice)
    request = fail(session, Fault.PLACE)
    assert offer(session, order).check == Check.UNKNOWN
    assert ask(session, order).check == Check.UNKNOWN
    request.ended_at = utcnow() - slices.TRY_AGAIN_AFTER * 2
    assert ask(session, order).check == Check.RUNNING
    billing.confirm(
        session, order, {order.line.id: wanted()}, offer(session, order).quote.price.total_cents, cast.alice
    )


def test_a_checked_order_goes_straight_to_the_queue_at_the_checked_price(session, cast, recorder):
    order = draft(session, cast.alice)
    slice_next_preview(session, mass_g=30, time_s=9_000)
    shown = offer(session, order)
    billing.confirm(session, order, {order.line.id: wanted()}, shown.quote.price.total_cents, cast.alice)
    (job,) = jobs.of_order(session, order.id)
    assert (job.state, job.slice.mass_g) == (JobState.QUEUED, 30)
    assert ledger.reserved_cents(session, order.id) == order.price_cents == shown.quote.price.total_cents
    assert "30.0 g of PLA" in str(Price.from_json(order.price).lines[0].sentence)
    line = order.line
    assert (line.estimated_mass_g, line.estimated_time_s) == (shown.estimate.mass_g, shown.estimate.time_s)
    assert line.estimated_mass_g != 30
    assert slices.take_next(session, utcnow()) is None


def test_a_lower_price_that_arrives_meanwhile_is_simply_charged(session, cast):
    order = draft(session, cast.alice, wanted(20))
    seen = offer(session, order, wanted(20)).quote.price.total_cents
    slice_next_preview(session, mass_g=5, time_s=4_000)
    billing.confirm(session, order, {order.line.id: wanted(20)}, seen, cast.alice)
    assert order.price_cents < seen
    assert ledger.balance_cents(session, cast.alice.id) == 20_000 - order.price_cents


def test_a_higher_price_that_arrives_meanwhile_is_shown_first(session, cast):
    order = draft(session, cast.alice)
    seen = offer(session, order).quote.price.total_cents
    slice_next_preview(session, mass_g=200)
    with pytest.raises(Conflict, match="look at it and confirm again"):
        billing.confirm(session, order, {order.line.id: wanted()}, seen, cast.alice)
    assert ledger.balance_cents(session, cast.alice.id) == 20_000
    billing.confirm(
        session, order, {order.line.id: wanted()}, offer(session, order).quote.price.total_cents, cast.alice
    )


def test_who_confirms_before_the_check_is_never_silently_charged_more(session, cast):
    order = draft(session, cast.alice)
    seen = offer(session, order).quote.price.total_cents
    billing.confirm(session, order, {order.line.id: wanted()}, seen, cast.alice)
    (job,) = jobs.of_order(session, order.id)
    slice_job(session, job, mass_g=200)
    assert (order.state, order.price_cents) == ("quoted", seen)


def test_a_confirmed_draft_wants_nothing_any_more(session, cast):
    order = draft(session, cast.alice, wanted(2))
    billing.confirm(
        session, order, {order.line.id: wanted(2)}, offer(session, order, wanted(2)).quote.price.total_cents, cast.alice
    )
    slice_job(session, jobs.of_order(session, order.id)[0])
    assert slices.take_next(session, utcnow()) is None
    ask(session, order, wanted(3))
    assert slices.take_next(session, utcnow()) is None


def test_another_version_of_the_slicer_slices_again(session, cast, stand_in_slicer):
    order = draft(session, cast.alice)
    slice_next_preview(session)
    stand_in_slicer.write_text("#!/bin/sh\necho PrusaSlicer-2.9.1\n")
    assert offer(session, order).check == Check.NOT_ASKED
    assert ask(session, order).check == Check.RUNNING


def test_without_a_slicer_the_estimate_is_offered(session, cast, stand_in_slicer):
    stand_in_slicer.unlink()
    order = draft(session, cast.alice)
    assert offer(session, order).check == Check.UNKNOWN
    billing.confirm(
        session, order, {order.line.id: wanted()}, offer(session, order).quote.price.total_cents, cast.alice
    )


def test_a_lost_file_is_sliced_again_and_the_row_takes_it(session, cast):
    order = draft(session, cast.alice)
    request = slice_next_preview(session, mass_g=4)
    files.path_of(request.slice.gcode_sha256).unlink()
    assert offer(session, order).check == Check.NOT_ASKED
    assert ask(session, order).check == Check.RUNNING
    slice_next_preview(session, mass_g=6)
    assert offer(session, order).quote.mass_g == 6
    assert session.scalar(select(func.count(Slice.id))) == 1


def keep_until(session, days):
    count = slices.tidy(session, utcnow() + timedelta(days=days) - timedelta(days=settings().keep_previews_days))
    for act in session.info.pop("after_commit", []):
        act()
    return count


def test_slices_nobody_used_are_cleared_away_after_some_days(session, cast):
    order = draft(session, cast.alice)
    path = files.path_of(slice_next_preview(session).slice.gcode_sha256)
    assert keep_until(session, days=6) == 0
    assert path.exists()
    assert keep_until(session, days=8) == 1
    assert not path.exists()
    assert requests(session) == 0
    assert offer(session, order).check == Check.NOT_ASKED


def test_slices_that_are_used_stay(session, cast):
    order = draft(session, cast.alice)
    path = files.path_of(slice_next_preview(session).slice.gcode_sha256)
    billing.confirm(
        session, order, {order.line.id: wanted()}, offer(session, order).quote.price.total_cents, cast.alice
    )
    assert keep_until(session, days=100) == 0
    assert path.exists()


def test_a_plate_that_is_being_sliced_is_not_cleared_away(session, cast):
    draft(session, cast.alice)
    slices.take_next(session, utcnow())
    keep_until(session, days=100)
    assert requests(session, SliceState.SLICING) == 1


def test_many_who_ask_at_once_get_one_request(any_place, stand_in_slicer):
    with db.transaction() as session:
        cast = small_place(session)
        orders = [draft_cube(session, person) for person in (cast.alice, cast.bob, cast.carole, cast.charlie) * 2]

    def ask_for(order):
        with db.transaction() as session:
            offering.ask_check(session, session.get_one(Order, order.id), {order.line.id: wanted()}, utcnow())
        with db.reading() as session:
            return offering.offer_for(session, order, wanted()).check

    with ThreadPoolExecutor(len(orders)) as pool:
        assert set(pool.map(ask_for, orders)) == {Check.RUNNING}
    with db.reading() as session:
        assert requests(session) == 1
