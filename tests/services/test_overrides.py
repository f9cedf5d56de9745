"""What does not fit stops a start, until a volunteer says that it may: recorded, and for the next try only."""

import pytest

from fablab.db import utcnow
from fablab.errors import Conflict
from fablab.filament import movements, products
from fablab.filament import services as filament
from fablab.filament.movements import Why
from fablab.filament.products import FilamentData
from fablab.filament.services import SpoolData
from fablab.jobs import dispatch, overrides, signoff
from fablab.jobs import queries as jobs
from fablab.jobs import services as job_services
from fablab.jobs.judging import Judgement
from fablab.jobs.scheduling import Mismatch
from tests.people import queued_order, small_place


@pytest.fixture
def cast(session):
    return small_place(session)


def let_pass(session, cast, job, mismatch, spool=None):
    now = utcnow()
    overrides.let_pass(session, job, cast.ada.id, spool or cast.spool, mismatch, cast.bob.id, now)


def nearly_empty(session, cast):
    movements.adjust(session, cast.spool, 3, Why(cast.bob.id, "measured"))


def with_petg(session, cast):
    filament.add_material(session, "PETG", "PETG")
    kind = products.add(session, FilamentData("PETG", "", "black", "#000000"))
    petg = filament.receive(session, kind, 500, SpoolData(), Why(None))
    filament.load(session, petg, cast.ada.id)
    return petg


def test_a_short_spool_stops_a_start_until_a_volunteer_lets_it_pass(session, cast):
    _, job = queued_order(session, cast.alice)
    nearly_empty(session, cast)
    assert dispatch.schedule(session, utcnow()) == []
    (chance,) = overrides.chances(session, job, utcnow())
    assert chance.obstacle.mismatch == Mismatch.SHORT
    let_pass(session, cast, job, Mismatch.SHORT)
    assert len(dispatch.schedule(session, utcnow())) == 1
    (passed,) = overrides.of_job(session, job.id)
    assert (passed.person_id, passed.spool_id) == (cast.bob.id, cast.spool.id)
    assert "3.0 g left" in str(passed.sentence)
    assert jobs.events_of(session, job.id)[-2].kind == "let_pass_short"


def test_a_wrong_material_does_not_start_because_a_short_spool_may(session, cast):
    _, job = queued_order(session, cast.alice)
    petg = with_petg(session, cast)
    with pytest.raises(Conflict, match="changed meanwhile"):
        let_pass(session, cast, job, Mismatch.SHORT, petg)
    let_pass(session, cast, job, Mismatch.MATERIAL, petg)
    (attempt,) = dispatch.schedule(session, utcnow())
    assert attempt.spool_id == petg.id


def test_what_was_let_pass_holds_for_that_spool_only(session, cast):
    _, job = queued_order(session, cast.alice)
    nearly_empty(session, cast)
    let_pass(session, cast, job, Mismatch.SHORT)
    kind = products.find_or_add(session, FilamentData("PLA", "", "white", "#ffffff"))
    other = filament.receive(session, kind, 4, SpoolData(), Why(None))
    filament.load(session, other, cast.ada.id)
    assert dispatch.schedule(session, utcnow()) == []


def test_a_colour_that_may_be_another_may_still_not_be_short(session, cast):
    _, job = queued_order(session, cast.alice)
    job.colour_name = "blue"
    nearly_empty(session, cast)
    let_pass(session, cast, job, Mismatch.COLOUR)
    assert dispatch.schedule(session, utcnow()) == []
    let_pass(session, cast, job, Mismatch.SHORT)
    assert len(dispatch.schedule(session, utcnow())) == 1


def test_two_volunteers_who_let_the_same_pass_do_it_once(session, cast):
    _, job = queued_order(session, cast.alice)
    nearly_empty(session, cast)
    for _ in range(2):
        let_pass(session, cast, job, Mismatch.SHORT)
    assert len(overrides.of_job(session, job.id)) == 1


def test_the_next_try_has_to_be_let_pass_again(session, cast):
    _, job = queued_order(session, cast.alice)
    nearly_empty(session, cast)
    let_pass(session, cast, job, Mismatch.SHORT)
    (attempt,) = dispatch.schedule(session, utcnow())
    dispatch.sending(session, attempt)
    dispatch.about_to_start(session, attempt, utcnow())
    dispatch.record(session, attempt, Judgement.STOPPED, {}, utcnow())
    verdict = signoff.Verdict(0, signoff.Reason.FILAMENT, used_g=2)
    job_services.sign_off(session, attempt, verdict, cast.bob.id)
    assert dispatch.schedule(session, utcnow()) == []
    let_pass(session, cast, job, Mismatch.SHORT)
    assert len(dispatch.schedule(session, utcnow())) == 1


def test_a_plate_that_printed_already_cannot_be_let_pass(session, cast):
    _, job = queued_order(session, cast.alice)
    assert dispatch.schedule(session, utcnow())
    with pytest.raises(Conflict, match="on a printer already"):
        let_pass(session, cast, job, Mismatch.SHORT)
