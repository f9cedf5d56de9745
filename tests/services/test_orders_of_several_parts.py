"""Orders of several parts, on both databases: one price to the cent, plates of each part, one end, an item for each."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fablab import files
from fablab.billing import ledger, offering, payers, tariffs
from fablab.billing import services as billing
from fablab.billing.payers import PayerChoice
from fablab.billing.pricing import DEFAULT_TARIFF, price
from fablab.billing.tariffs import READY_MADE
from fablab.billing.totalling import Printed, total
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid, NotFound
from fablab.invoicing import from_orders, queries
from fablab.jobs import dispatch
from fablab.jobs import queries as jobs
from fablab.jobs.judging import Judgement
from fablab.jobs.signoff import Verdict
from fablab.orders import lines
from fablab.orders import services as orders
from fablab.orders.models import OrderState
from tests.books import business, command
from tests.people import draft_cube, order_cube, slice_job, small_place, wanted

PARTS = st.lists(
    st.builds(
        Printed,
        st.just("part.stl"),
        st.sampled_from(sorted(DEFAULT_TARIFF.per_kg_cents)),
        st.floats(0.5, 900),
        st.floats(60, 90_000),
        st.integers(1, 60),
    ),
    min_size=1,
    max_size=8,
)


def three_cubes(session, person):
    """A draft of three parts: one, two and three copies."""
    order = draft_cube(session, person)
    cube = order.line.model_file
    for name in ("second.stl", "third.stl"):
        session.add(orders.new_line(order, cube, name))
    session.flush()
    session.refresh(order)
    for copies, line in enumerate(order.lines, start=1):
        lines.keep_wish(session, order, line.id, wanted(copies))
    return order


def confirmed(session, person):
    order = three_cubes(session, person)
    billing.confirm(session, order, {}, offering.order_offer(session, order, {}).price.total_cents, person)
    return order


def print_next(session, volunteer):
    (attempt,) = dispatch.schedule(session, utcnow())
    dispatch.sending(session, attempt)
    dispatch.about_to_start(session, attempt, utcnow())
    for judgement in (Judgement.PRINTING, Judgement.FINISHED):
        dispatch.record(session, attempt, judgement, {}, utcnow())
    billing.sign_off(session, attempt, Verdict(attempt.copies), volunteer)


TARIFFS = st.sampled_from([DEFAULT_TARIFF, *(each.tariff for each in READY_MADE)])


@given(TARIFFS, PARTS)
def test_the_parts_add_up_to_the_price_and_the_lines_explain_it(tariff, parts):
    made = total(tariff, parts)
    assert sum(made.part_cents) == made.price.total_cents == sum(line.amount_cents for line in made.price.lines)
    assert min(made.part_cents) >= 0


@given(TARIFFS, PARTS)
def test_ordering_together_never_costs_more_than_ordering_each_alone(tariff, parts):
    alone = sum(price(tariff, each.material, each.mass_g, each.time_s, each.copies).total_cents for each in parts)
    together = total(tariff, parts).price.total_cents
    assert together <= alone + len(parts) * tariff.rules.rounding_cents


def test_the_fee_of_an_order_is_paid_once():
    parts = [Printed("a.stl", "PLA", 100, 3600, 1), Printed("b.stl", "PLA", 100, 3600, 2)]
    fees = replace(DEFAULT_TARIFF, setup_cents=500, minimum_cents=0)
    free = replace(fees, setup_cents=0)
    assert total(fees, parts).price.total_cents == total(free, parts).price.total_cents + 500


def test_all_parts_are_confirmed_in_one_step_and_become_plates_of_their_own(session):
    cast = small_place(session)
    order = confirmed(session, cast.alice)
    plates = jobs.of_order(session, order.id)
    assert [(job.line_id, job.copies) for job in plates] == [(line.id, line.quantity) for line in order.lines]
    assert sum(line.price_cents for line in order.lines) == order.price_cents
    assert ledger.reserved_cents(session, order.id) == order.price_cents


def test_an_order_is_ready_when_all_its_parts_are_and_has_charged_exactly_its_price(session):
    cast = small_place(session)
    order = confirmed(session, cast.alice)
    for job in jobs.of_order(session, order.id):
        slice_job(session, job)
    charged = []
    for _ in order.lines:
        assert order.state in (OrderState.ACCEPTED, OrderState.IN_PRODUCTION)
        print_next(session, cast.bob)
        charged.append(ledger.charged_cents(session, order.id))
    assert order.state == OrderState.READY
    assert charged[0] == order.lines[0].price_cents
    assert charged[-1] == order.price_cents
    assert ledger.reserved_cents(session, order.id) == 0


def test_a_dearer_slice_of_one_part_asks_again_and_the_new_price_is_spread(session):
    cast = small_place(session)
    order = confirmed(session, cast.alice)
    before = order.price_cents
    first, *_ = jobs.of_order(session, order.id)
    slice_job(session, first, mass_g=100)
    assert order.state == OrderState.QUOTED
    billing.confirm_again(session, order, order.proposal_cents, cast.alice)
    assert sum(line.price_cents for line in order.lines) == order.price_cents > before


def test_a_price_of_other_parts_is_not_confirmed(session):
    cast = small_place(session)
    order = three_cubes(session, cast.alice)
    seen = offering.order_offer(session, order, {}).price.total_cents
    lines.keep_wish(session, order, order.lines[1].id, wanted(60))
    with pytest.raises(Conflict, match="is €"):
        billing.confirm(session, order, {}, seen, cast.alice)
    assert order.state == OrderState.DRAFT


def test_a_part_without_a_price_is_named(session):
    cast = small_place(session)
    order = three_cubes(session, cast.alice)
    tariffs.set_tariff(session, tariffs.TariffData("PETG only", 100, 80, 200, {"PETG": 4000}), None)
    with pytest.raises(Invalid, match=r"cube\.stl: "):
        offering.order_offer(session, order, {})


def test_a_part_is_removed_once_and_the_last_one_stays(session):
    cast = small_place(session)
    order = three_cubes(session, cast.alice)
    gone = order.lines[1].id
    lines.remove(session, order, gone)
    assert [line.file_name for line in order.lines] == ["cube.stl", "third.stl"]
    with pytest.raises(NotFound):
        lines.remove(session, order, gone)
    lines.remove(session, order, order.lines[0].id)
    with pytest.raises(Conflict, match="only part"):
        lines.remove(session, order, order.lines[0].id)


def test_a_confirmed_order_keeps_its_parts(session):
    cast = small_place(session)
    order = confirmed(session, cast.alice)
    with pytest.raises(Conflict, match="confirmed already"):
        lines.remove(session, order, order.lines[0].id)
    with pytest.raises(Conflict, match="confirmed already"):
        lines.keep_wish(session, order, order.lines[0].id, wanted(5))


def test_ordering_again_starts_a_draft_with_the_same_parts_at_todays_price(session):
    cast = small_place(session)
    order = order_cube(session, cast.alice, 3)
    tariffs.set_tariff(session, tariffs.TariffData("Dear", 900, 80, 200, {"PLA": 4000}), None)
    made = lines.again(session, order, cast.alice.id)
    assert (made.state, made.price_cents, lines.chosen(made.line)) == (OrderState.DRAFT, None, wanted(3))
    assert made.line.sent_sha256 == order.line.sent_sha256
    assert files.path_of(made.line.model_sha256).exists()
    assert offering.order_offer(session, made, {}).price.total_cents > order.price_cents


def test_a_day_that_is_over_is_not_asked_for(session):
    cast = small_place(session)
    order = draft_cube(session, cast.alice)
    today = utcnow().date()
    with pytest.raises(Invalid, match="is over"):
        lines.want_on(session, order, today - timedelta(days=1), today)
    lines.want_on(session, order, today, today)
    assert order.wanted_on == today


def test_an_invoice_has_an_item_for_each_part_that_was_made(session):
    cast, company = business(session)
    order = three_cubes(session, cast.alice)
    payers.choose(session, order, PayerChoice(company.public_id, "", seen_before_vat=True), cast.alice)
    billing.confirm(session, order, {}, offering.order_offer(session, order, {}).price.total_cents, cast.alice)
    plates = jobs.of_order(session, order.id)
    for job in plates:
        slice_job(session, job)
    print_next(session, cast.bob)
    print_next(session, cast.bob)
    billing.cancel_plate(session, plates[2], cast.bob)
    first, second, _ = order.lines
    (waiting,) = from_orders.waiting(session, company.id)
    items = [(item.quantity, item.cents) for item in waiting.draft.items]
    assert items == [(1, first.price_cents), (2, second.price_cents)]
    from_orders.invoice_company(session, company, "", command("several-parts"))
    assert queries.invoiced_cents(session, order.id) == first.price_cents + second.price_cents
    assert from_orders.waiting(session, company.id) == []
