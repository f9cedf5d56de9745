"""Filaments, spools and their movements: what is accepted, what is refused in words, and what is written down."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from fablab import db
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid
from fablab.filament import history, movements, products, queries
from fablab.filament import services as filament
from fablab.filament.models import Movement, Owner, SpoolMovement
from fablab.filament.movements import Why
from fablab.filament.products import FilamentData
from fablab.filament.services import SpoolData
from fablab.jobs import dispatch, spools
from fablab.jobs.models import Attempt
from tests.people import add_machine, add_spool, queued_order, small_place

WHITE = FilamentData("PLA", "Francofil", "white", "#ffffff", "PLA", tare_g=210.0, price_cents=2490)


def left_g(session, spool):
    return queries.balance_mg(session, spool.id) / 1000


def newest(session, spool):
    return queries.movements(session, spool.id)[0]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"material_code": "WOOD"}, "material_code"),
        ({"colour_hex": "white"}, "colour_hex"),
        ({"colour_name": " "}, "colour_name"),
        ({"net_g": 0}, "net_g"),
        ({"net_g": float("nan")}, "net_g"),
        ({"tare_g": -1}, "tare_g"),
        ({"density_g_cm3": 90.0}, "density_g_cm3"),
        ({"diameter_mm": 17.5}, "diameter_mm"),
        ({"price_cents": -1}, "price"),
        ({"low_g": float("inf")}, "low_g"),
    ],
)
def test_a_wrong_filament_names_its_field(session, wrong, field):
    small_place(session)
    with pytest.raises(Invalid) as problem:
        products.add(session, replace(WHITE, **wrong))
    assert problem.value.field == field


def test_a_filament_is_there_once_and_its_maker_too(session):
    small_place(session)
    white = products.add(session, WHITE)
    with pytest.raises(Conflict, match="there already"):
        products.add(session, replace(WHITE, vendor="  Francofil "))
    blue = products.add(session, replace(WHITE, colour_name="blue", colour_hex="#0000ff"))
    assert white.vendor_id == blue.vendor_id
    assert products.find_or_add(session, WHITE).id == white.id
    with pytest.raises(Conflict, match="Another filament"):
        products.change(session, blue, WHITE)


def test_without_a_density_a_filament_has_that_of_its_material(session):
    small_place(session)
    assert products.add(session, WHITE).density_g_cm3 == 1.24


def test_a_spool_needs_somebody_whose_own_it_is(session):
    cast = small_place(session)
    kind = products.add(session, WHITE)
    with pytest.raises(Invalid, match="whose own"):
        filament.receive(session, kind, 500, SpoolData(owner=Owner.MEMBER), Why(None))
    for wrong in (0, float("nan"), 20_001):
        with pytest.raises(Invalid, match="A spool holds"):
            filament.receive(session, kind, wrong, SpoolData(), Why(None))
    own = filament.receive(session, kind, 500, SpoolData(owner=Owner.MEMBER, owner_id=cast.alice.id), Why(None))
    assert queries.may_use(own, cast.alice.id)
    assert not queries.may_use(own, cast.charlie.id)


def test_the_same_form_receives_one_spool(session):
    small_place(session)
    kind = products.add(session, WHITE)
    first, second = (filament.receive(session, kind, 500, SpoolData(), Why(None, key="form-1")) for _ in range(2))
    assert first.id == second.id


def test_weighing_takes_the_empty_reel_off(session):
    cast = small_place(session)
    assert movements.weigh(session, cast.spool, 450, Why(cast.bob.id)) == 250
    assert left_g(session, cast.spool) == 250
    assert (newest(session, cast.spool).kind, newest(session, cast.spool).gross_mg) == (Movement.WEIGHED, 450_000)
    movements.weigh(session, cast.spool, 450, Why(cast.bob.id))
    assert left_g(session, cast.spool) == 250


def test_a_weight_below_the_empty_reel_is_refused_in_words(session):
    cast = small_place(session)
    with pytest.raises(Invalid, match=r"150 g, less than the empty reel alone \(200 g\)") as problem:
        movements.weigh(session, cast.spool, 150, Why(cast.bob.id))
    assert problem.value.field == "gross_g"
    assert left_g(session, cast.spool) == 500
    assert movements.weigh(session, cast.spool, 150, Why(cast.bob.id), tare_g=140) == 10
    assert cast.spool.tare_g == 140


def test_a_spool_whose_reel_nobody_has_weighed_asks_for_it(session):
    cast = small_place(session)
    kind = products.add(session, replace(WHITE, tare_g=None))
    unknown = filament.receive(session, kind, 500, SpoolData(), Why(None))
    with pytest.raises(Invalid, match="what the empty reel weighs") as problem:
        movements.weigh(session, unknown, 450, Why(cast.bob.id))
    assert problem.value.field == "tare_g"


def test_a_correction_and_what_is_thrown_away_need_a_reason(session):
    cast = small_place(session)
    for act in (movements.adjust, movements.waste):
        with pytest.raises(Invalid, match="say why") as problem:
            act(session, cast.spool, 450, Why(cast.bob.id, " "))
        assert problem.value.field == "reason"
    movements.adjust(session, cast.spool, 450, Why(cast.bob.id, "it was only partly full"))
    made = newest(session, cast.spool)
    assert (made.mass_mg, made.reason, made.person_id) == (-50_000, "it was only partly full", cast.bob.id)


def test_no_more_is_thrown_away_than_there_is_and_the_same_form_once(session):
    cast = small_place(session)
    with pytest.raises(Invalid, match="only 500 g"):
        movements.waste(session, cast.spool, 501, Why(cast.bob.id, "tangled"))
    for _ in range(2):
        movements.waste(session, cast.spool, 100, Why(cast.bob.id, "tangled", "form-1"))
    assert left_g(session, cast.spool) == 400


def test_what_a_print_has_claimed_is_not_thrown_away_nor_offered_to_others(session):
    cast = small_place(session)
    queued_order(session, cast.alice)
    (attempt,) = dispatch.schedule(session, utcnow())
    held = spools.held_mg(session)
    assert held == {cast.spool.id: 4000}
    with pytest.raises(Invalid, match="Only 496 g are free"):
        movements.waste(session, cast.spool, 498, Why(cast.bob.id, "wet"), held[cast.spool.id])
    assert [colour.remaining_g for colour in queries.colours(session, held)] == [496]
    movements.consume(session, cast.spool.id, attempt.id, 4000)
    assert left_g(session, cast.spool) == 496


def test_consuming_twice_for_one_attempt_books_once(session):
    cast = small_place(session)
    queued_order(session, cast.alice)
    (attempt,) = dispatch.schedule(session, utcnow())
    for _ in range(2):
        movements.consume(session, cast.spool.id, attempt.id, 4000)
    assert left_g(session, cast.spool) == 496
    assert cast.spool.first_used_at is not None


def test_winding_over_is_a_pair_and_stays_with_the_material(session):
    cast = small_place(session)
    other = add_spool(session, mass_g=10)
    movements.transfer(session, cast.spool, other, 90, Why(cast.bob.id, "two ends"))
    assert (left_g(session, cast.spool), left_g(session, other)) == (410, 100)
    assert newest(session, other).pair_id == newest(session, cast.spool).id
    filament.add_material(session, "PETG", "PETG")
    petg = products.add(session, replace(WHITE, material_code="PETG"))
    wrong = filament.receive(session, petg, 500, SpoolData(), Why(None))
    with pytest.raises(Invalid, match="PLA does not go on a spool of PETG"):
        movements.transfer(session, cast.spool, wrong, 90, Why(cast.bob.id, "oops"))
    with pytest.raises(Invalid, match="another spool than this one"):
        movements.transfer(session, cast.spool, cast.spool, 90, Why(cast.bob.id, "oops"))


def test_a_use_is_moved_to_the_spool_that_was_really_on_once(session):
    cast = small_place(session)
    blue = add_spool(session, colour="blue")
    movements.consume_by_hand(session, cast.spool, 30_000, Why(cast.bob.id, "vase.gcode"))
    use = newest(session, cast.spool)
    with pytest.raises(Invalid, match="on this spool already"):
        movements.move_use(session, use, cast.spool, Why(cast.bob.id, "wrong"))
    movements.move_use(session, use, blue, Why(cast.bob.id, "Alice printed with the wrong spool loaded"))
    assert (left_g(session, cast.spool), left_g(session, blue)) == (500, 470)
    with pytest.raises(Conflict, match="moved to another spool already"):
        movements.move_use(session, use, blue, Why(cast.bob.id, "again"))
    green = add_spool(session, colour="green")
    movements.move_use(session, newest(session, blue), green, Why(cast.bob.id, "green it was"))
    assert (left_g(session, blue), left_g(session, green)) == (500, 470)


def test_only_a_use_can_be_moved(session):
    cast = small_place(session)
    with pytest.raises(Invalid, match="Only filament that was used"):
        movements.move_use(session, newest(session, cast.spool), add_spool(session), Why(cast.bob.id, "no"))


def test_the_history_is_in_words_and_says_what_was_left(session):
    cast = small_place(session)
    blue = add_spool(session, colour="blue")
    movements.consume_by_hand(session, cast.spool, 30_000, Why(cast.bob.id, "vase.gcode"))
    movements.weigh(session, cast.spool, 660, Why(cast.bob.id))
    use = queries.movements(session, cast.spool.id)[1]
    movements.move_use(session, use, blue, Why(cast.bob.id, "wrong spool"))
    lines = history.of_spool(session, cast.spool, {cast.ada.id: "Ada"})
    assert [str(line.sentence) for line in lines] == [
        f"30.0 g given back: that print took PLA blue (no.\u00a0{blue.id})",
        "Weighed 660 g with the reel: 10.0 g less than expected",
        "A print took 30.0 g",
        "Put on Ada",
        "Received with 500 g",
    ]
    assert [line.left_g for line in lines] == [490, 460, 470, 500, 500]
    assert not any(line.can_be_moved for line in lines)
    assert history.of_spool(session, blue, {})[0].can_be_moved


def test_an_empty_spool_is_written_off_and_comes_back_only_when_it_is_said(session):
    cast = small_place(session)
    filament.empty(session, cast.spool, cast.bob.id)
    assert left_g(session, cast.spool) == 0
    assert cast.spool.machine_id is None
    assert queries.spools(session) == []
    with pytest.raises(Conflict, match="out of use already"):
        filament.empty(session, cast.spool, cast.bob.id)
    with pytest.raises(Conflict, match="not in use any more"):
        filament.load(session, cast.spool, cast.ada.id)
    with pytest.raises(Conflict, match="not in use any more"):
        movements.weigh(session, cast.spool, 400, Why(cast.bob.id))
    filament.reopen(session, cast.spool, cast.bob.id)
    assert len(queries.spools(session)) == 1


def test_a_spool_taken_out_of_use_keeps_what_is_on_it_and_needs_a_reason(session):
    cast = small_place(session)
    with pytest.raises(Invalid, match="say why"):
        filament.retire(session, cast.spool, Why(cast.bob.id))
    filament.retire(session, cast.spool, Why(cast.bob.id, "brittle"))
    assert left_g(session, cast.spool) == 500


def test_a_spool_is_on_one_printer_and_a_printer_has_one_spool(session):
    cast = small_place(session)
    grace = add_machine(session, "Grace")
    with pytest.raises(Conflict, match="another printer"):
        spools.put_on(session, cast.spool, grace, cast.bob.id, seen=None)
    blue = add_spool(session, colour="blue")
    spools.put_on(session, blue, cast.ada, cast.bob.id, seen=cast.spool)
    session.refresh(cast.spool)
    assert (cast.spool.machine_id, blue.machine_id) == (None, cast.ada.id)
    spools.put_on(session, blue, grace, cast.bob.id, seen=None, from_other=True)
    assert blue.machine_id == grace.id


def test_a_spool_is_not_changed_under_a_print_nor_over_a_colleague(session):
    cast = small_place(session)
    blue, grace = add_spool(session, colour="blue"), add_machine(session, "Grace")
    with pytest.raises(Conflict, match="Somebody has changed the spool on Ada"):
        spools.put_on(session, blue, cast.ada, cast.bob.id, seen=None)
    queued_order(session, cast.alice)
    assert dispatch.schedule(session, utcnow())
    with pytest.raises(Conflict, match="when the print on it was checked"):
        spools.put_on(session, blue, cast.ada, cast.bob.id, seen=cast.spool)
    with pytest.raises(Conflict, match="when the print on it was checked"):
        spools.put_on(session, cast.spool, grace, cast.bob.id, seen=None, from_other=True)
    with pytest.raises(Conflict, match="not checked yet"):
        spools.must_be_free(session, cast.spool)


def test_the_same_tap_twice_loads_once(session):
    cast = small_place(session)
    blue = add_spool(session, colour="blue")
    for _ in range(2):
        spools.put_on(session, blue, cast.ada, cast.bob.id, seen=cast.spool)
    assert [each.kind for each in queries.movements(session, blue.id)] == [Movement.LOADED, Movement.RECEIVED]


def test_a_members_own_spool_prints_for_nobody_else(session):
    cast = small_place(session)
    filament.change(session, cast.spool, SpoolData(owner=Owner.MEMBER, owner_id=cast.charlie.id))
    queued_order(session, cast.alice)
    assert dispatch.schedule(session, utcnow()) == []
    queued_order(session, cast.charlie)
    assert len(dispatch.schedule(session, utcnow())) == 1
    assert queries.colours(session, {}, cast.alice.id) == []


@pytest.mark.parametrize("statement", ["UPDATE spool_movement SET mass_mg = 1", "DELETE FROM spool_movement"])
def test_the_database_itself_refuses_to_change_a_movement(any_place, statement):
    with db.transaction() as session:
        small_place(session)
    with pytest.raises(sa.exc.DBAPIError, match="only grows"), db.transaction() as session:
        session.execute(sa.text(statement))


def test_the_database_itself_refuses_a_second_use_of_one_attempt(any_place):
    with db.transaction() as session:
        cast = small_place(session)
        queued_order(session, cast.alice)
        (attempt,) = dispatch.schedule(session, utcnow())
        movements.consume(session, cast.spool.id, attempt.id, 4000)
    with pytest.raises(sa.exc.IntegrityError), db.transaction() as session:
        used = {"spool_id": cast.spool.id, "kind": Movement.CONSUMED, "mass_mg": -1}
        session.add(SpoolMovement(**used, attempt_id=session.get(Attempt, attempt.id).id))
