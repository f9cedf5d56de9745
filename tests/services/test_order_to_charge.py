"""An order's way through the subjects, on both databases: reserved, printed, signed off, charged or given back."""

import pytest

from fablab.accounts import companies
from fablab.accounts.models import CompanyRole
from fablab.billing import ledger, offering, tariffs
from fablab.billing import services as billing
from fablab.billing.models import Account
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.filament.queries import remaining_mg
from fablab.jobs import dispatch, signoff
from fablab.jobs import queries as jobs
from fablab.jobs import services as job_services
from fablab.jobs.judging import Judgement
from fablab.jobs.signoff import Reason, Verdict
from fablab.jobs.states import AttemptState, JobState
from fablab.machines.models import Plate
from fablab.money import share
from fablab.orders import services as orders
from fablab.orders.models import OrderState
from tests.books import business, company_order
from tests.people import draft_cube, order_cube, queued_order, slice_job, small_place, wanted


def start_printing(session):
    (attempt,) = dispatch.schedule(session, utcnow())
    dispatch.sending(session, attempt)
    dispatch.about_to_start(session, attempt, utcnow())
    dispatch.record(session, attempt, Judgement.PRINTING, {}, utcnow())
    return attempt


def finish(session, attempt):
    dispatch.record(session, attempt, Judgement.FINISHED, {}, utcnow())
    return attempt


def test_confirming_reserves_exactly_the_price_that_was_seen(session):
    cast = small_place(session)
    order = order_cube(session, cast.alice)
    assert order.state == OrderState.ACCEPTED
    assert ledger.reserved_cents(session, order.id) == order.price_cents
    assert ledger.balance_cents(session, cast.alice.id) == 2000 - order.price_cents


def test_a_price_that_changed_meanwhile_is_not_reserved(session):
    cast = small_place(session)
    order = draft_cube(session, cast.alice)
    seen = offering.quote_for(session, order.line.model_file, wanted()).price.total_cents
    tariffs.set_tariff(session, tariffs.TariffData("Dear", 900, 80, 200, {"PLA": 4000}), None)
    with pytest.raises(Conflict, match="is €"):
        billing.confirm(session, order, {order.line.id: wanted()}, seen, cast.alice)
    assert order.state == OrderState.DRAFT
    assert ledger.balance_cents(session, cast.alice.id) == 2000


def test_an_empty_wallet_says_how_much_is_missing(session):
    cast = small_place(session, cents=50)
    order = draft_cube(session, cast.alice)
    seen = offering.quote_for(session, order.line.model_file, wanted()).price.total_cents
    with pytest.raises(Conflict, match="missing in your wallet"):
        billing.confirm(session, order, {order.line.id: wanted()}, seen, cast.alice)


def test_an_order_confirmed_twice_is_one_order(session):
    cast = small_place(session)
    order = order_cube(session, cast.alice)
    with pytest.raises(Conflict, match="confirmed already"):
        billing.confirm(session, order, {order.line.id: wanted()}, order.price_cents, cast.alice)
    assert len(jobs.of_order(session, order.id)) == 1


def test_a_good_plate_is_charged_at_the_confirmed_price_and_frees_the_printer(session):
    cast = small_place(session)
    order, job = queued_order(session, cast.alice)
    attempt = finish(session, start_printing(session))
    session.refresh(cast.ada)
    assert cast.ada.plate == Plate.HELD
    billing.sign_off(session, attempt, Verdict(1), cast.bob)
    session.refresh(cast.ada)
    assert (job.state, order.state, cast.ada.plate) == (JobState.DONE, OrderState.READY, Plate.CLEAR)
    assert ledger.charged_cents(session, order.id) == order.price_cents
    assert ledger.reserved_cents(session, order.id) == 0
    assert remaining_mg(session, [cast.spool.id])[cast.spool.id] == 500_000 - 4_000


def test_a_bad_plate_goes_back_to_the_front_free_of_charge(session):
    cast = small_place(session)
    order, job = queued_order(session, cast.alice)
    _, other = queued_order(session, cast.charlie)
    attempt = finish(session, start_printing(session))
    billing.sign_off(session, attempt, Verdict(0, Reason.DETACHED), cast.bob)
    assert job.state == JobState.QUEUED
    assert job.rank < other.rank
    assert ledger.charged_cents(session, order.id) == 0
    assert ledger.reserved_cents(session, order.id) == order.price_cents


def test_a_partly_good_plate_charges_its_share_and_makes_the_rest_again(session):
    cast = small_place(session)
    order, job = queued_order(session, cast.alice, quantity=3)
    attempt = finish(session, start_printing(session))
    billing.sign_off(session, attempt, Verdict(2, Reason.QUALITY), cast.bob)
    assert (job.state, job.missing_copies) == (JobState.TO_SLICE, 1)
    assert ledger.charged_cents(session, order.id) == share(order.price_cents, 2, 3)
    slice_job(session, job)
    last = finish(session, start_printing(session))
    assert last.copies == 1
    billing.sign_off(session, last, Verdict(1), cast.bob)
    assert order.state == OrderState.READY
    assert ledger.charged_cents(session, order.id) == order.price_cents


def test_an_aborted_print_takes_the_filament_that_was_extruded(session):
    cast = small_place(session)
    queued_order(session, cast.alice)
    attempt = start_printing(session)
    dispatch.follow_progress(session, attempt, 0.5, 10)
    dispatch.record(session, attempt, Judgement.STOPPED, {"error": "Thermal runaway"}, utcnow())
    assert "Thermal runaway" in str(attempt.problem)
    billing.sign_off(session, attempt, Verdict(0, Reason.OTHER), cast.bob)
    assert remaining_mg(session, [cast.spool.id])[cast.spool.id] == 500_000 - 2_000


def test_a_plate_is_signed_off_once(session):
    cast = small_place(session)
    queued_order(session, cast.alice)
    attempt = finish(session, start_printing(session))
    billing.sign_off(session, attempt, Verdict(1), cast.bob)
    with pytest.raises(Conflict):
        billing.sign_off(session, attempt, Verdict(1), cast.bob)


@pytest.mark.parametrize("verdict", [Verdict(2), Verdict(-1), Verdict(0)])
def test_a_verdict_that_makes_no_sense_is_refused(session, verdict):
    cast = small_place(session)
    queued_order(session, cast.alice)
    attempt = finish(session, start_printing(session))
    with pytest.raises(Invalid):
        billing.sign_off(session, attempt, verdict, cast.bob)


def test_a_file_that_cannot_be_printed_ends_the_order_and_gives_everything_back(session):
    cast = small_place(session)
    order, job = queued_order(session, cast.alice)
    attempt = start_printing(session)
    dispatch.record(session, attempt, Judgement.STOPPED, {}, utcnow())
    billing.sign_off(session, attempt, Verdict(0, Reason.FILE), cast.bob)
    assert (job.state, order.state) == (JobState.CANCELLED, OrderState.CANCELLED)
    assert ledger.balance_cents(session, cast.alice.id) == 2000


def test_cancelling_before_printing_gives_the_reservation_back(session):
    cast = small_place(session)
    order, job = queued_order(session, cast.alice)
    billing.cancel(session, order, cast.alice)
    assert (job.state, order.state) == (JobState.CANCELLED, OrderState.CANCELLED)
    assert ledger.balance_cents(session, cast.alice.id) == 2000
    assert ledger.balance_cents(session, cast.alice.id, Account.RESERVED) == 0


def test_a_print_that_started_is_not_cancelled_by_its_member(session):
    cast = small_place(session)
    order, _ = queued_order(session, cast.alice)
    start_printing(session)
    with pytest.raises(Conflict, match="only a volunteer"):
        billing.cancel(session, order, cast.alice)


def test_a_slightly_dearer_slice_is_carried_by_the_house(session):
    cast = small_place(session)
    order = order_cube(session, cast.alice)
    job = jobs.of_order(session, order.id)[0]
    slice_job(session, job, mass_g=5.0)
    assert (order.state, job.state) == (OrderState.ACCEPTED, JobState.QUEUED)


def test_a_much_dearer_slice_asks_the_member_again_and_charges_nothing_meanwhile(session):
    cast = small_place(session)
    order = order_cube(session, cast.alice)
    before = order.price_cents
    job = jobs.of_order(session, order.id)[0]
    slice_job(session, job, mass_g=100.0)
    assert (order.state, job.state) == (OrderState.QUOTED, JobState.WAITING_CONFIRMATION)
    assert ledger.reserved_cents(session, order.id) == before
    assert dispatch.schedule(session, utcnow()) == []
    with pytest.raises(Conflict):
        billing.confirm_again(session, order, before, cast.alice)
    billing.confirm_again(session, order, order.proposal_cents, cast.alice)
    assert (order.state, job.state) == (OrderState.ACCEPTED, JobState.QUEUED)
    assert ledger.reserved_cents(session, order.id) == order.price_cents > before


def test_a_slice_is_not_compared_when_a_plate_of_ours_is_made_again(session):
    cast = small_place(session)
    order, job = queued_order(session, cast.alice, quantity=2)
    attempt = finish(session, start_printing(session))
    orders.in_production(session, order)
    billing.sign_off(session, attempt, Verdict(1, Reason.DETACHED), cast.bob)
    slice_job(session, job, mass_g=500.0)
    assert job.state == JobState.QUEUED


def test_a_plate_cancelled_by_a_volunteer_ends_its_order(session):
    cast = small_place(session)
    order, job = queued_order(session, cast.alice)
    billing.cancel_plate(session, job, cast.bob)
    assert order.state == OrderState.CANCELLED
    assert ledger.balance_cents(session, cast.alice.id) == 2000


def test_the_consequence_is_said_before_it_is_confirmed():
    assert "2 of 3 go back" in str(signoff.in_words(3, Verdict(1, Reason.DETACHED)))
    assert "pays what was agreed" in str(signoff.in_words(3, Verdict(3)))
    assert "only for the good copies" in str(signoff.in_words(3, Verdict(1, Reason.FILE)))


def test_a_late_slicer_is_refused(session):
    cast = small_place(session)
    order = order_cube(session, cast.alice)
    job = jobs.of_order(session, order.id)[0]
    first = job_services.take_for_slicing(session, job.id, utcnow())
    token = first.token
    job_services.give_slicing_back(session, job.id, token)
    job_services.take_for_slicing(session, job.id, utcnow())
    assert job_services.slicing_failed(session, job.id, token, signoff.in_words(1, Verdict(1)), "") is None
    assert job.state == JobState.SLICING


def test_a_start_that_never_happened_leaves_the_plate_clear_and_tries_are_few(session):
    cast = small_place(session)
    _, job = queued_order(session, cast.alice)
    for _ in range(3):
        job.not_before = None
        session.flush()
        (attempt,) = dispatch.schedule(session, utcnow())
        dispatch.never_started(session, attempt, signoff.in_words(1, Verdict(1)), utcnow())
        session.refresh(cast.ada)
        assert cast.ada.plate == Plate.CLEAR
        assert attempt.state == AttemptState.START_FAILED
    assert job.held
    assert dispatch.schedule(session, utcnow()) == []


def test_an_unknown_outcome_keeps_the_printer_until_a_person_decides(session):
    cast = small_place(session)
    _, job = queued_order(session, cast.alice)
    queued_order(session, cast.charlie)
    (attempt,) = dispatch.schedule(session, utcnow())
    dispatch.sending(session, attempt)
    dispatch.about_to_start(session, attempt, utcnow())
    dispatch.record(session, attempt, Judgement.UNKNOWN, {}, utcnow())
    assert (attempt.state, job.state) == (AttemptState.UNKNOWN, JobState.AWAITING_SIGNOFF)
    assert dispatch.schedule(session, utcnow()) == []
    with pytest.raises(Conflict, match="may still start"):
        billing.sign_off(session, attempt, Verdict(0, Reason.NOT_STARTED), cast.bob)
    attempt.fenced_at = utcnow()
    billing.sign_off(session, attempt, Verdict(0, Reason.NOT_STARTED), cast.bob)
    assert job.state == JobState.QUEUED
    assert remaining_mg(session, [cast.spool.id])[cast.spool.id] == 500_000


def test_who_left_a_company_confirms_no_dearer_price_for_it(session):
    cast, acme = business(session)
    order = company_order(session, cast.alice, acme)
    slice_job(session, jobs.of_order(session, order.id)[0], mass_g=300)
    companies.leave(session, acme, cast.alice)
    with pytest.raises(Conflict, match="cannot order for this company"):
        billing.confirm_again(session, order, order.proposal_cents, cast.alice)
    assert order.state == OrderState.QUOTED
    companies.join(session, acme, cast.alice.email, CompanyRole.BUYER)
    billing.confirm_again(session, order, order.proposal_cents, cast.alice)
    assert order.state == OrderState.ACCEPTED
