"""People, printers and materials: what is accepted, what is refused in words, and what is written down."""

from datetime import timedelta

import pytest

from fablab import bus, db, vault
from fablab.accounts import services as accounts
from fablab.accounts.permissions import Permission, Role
from fablab.billing import offering, tariffs
from fablab.db import utcnow
from fablab.errors import Conflict, Invalid, Problem
from fablab.filament import services as filament
from fablab.jobs import queries as jobs
from fablab.machines import services as machines
from fablab.machines.models import Operation, Plate, Service
from fablab.machines.services import MachineData, Report
from tests.people import PASSWORD, add_machine, order_cube, small_place


@pytest.mark.parametrize(
    ("name", "email", "password", "field"),
    [
        ("", "a@b.fr", "long enough", "name"),
        ("A", "not an address", "long enough", "email"),
        ("A", "a@b.fr", "short", "password"),
    ],
)
def test_a_wrong_account_names_its_field(session, name, email, password, field):
    with pytest.raises(Invalid) as problem:
        accounts.register(session, name, email, password)
    assert problem.value.field == field


def test_an_email_address_has_one_account_whatever_its_case(session):
    small_place(session)
    with pytest.raises(Conflict):
        accounts.register(session, "Other", "ALICE@example.org", "long enough")


def test_passwords_are_argon2_and_checked(session):
    person = accounts.register(session, "Dora", "dora@example.org", PASSWORD)
    assert person.password_hash.startswith("$argon2id$")
    assert accounts.password_is_right(person.password_hash, PASSWORD)
    assert not accounts.password_is_right(person.password_hash, "wrong")
    assert not accounts.password_is_right(None, "anything")


def test_a_sign_in_ends_by_sign_out_age_idleness_or_a_new_password(session):
    cast, now = small_place(session), utcnow()
    token = accounts.sign_in(session, cast.alice)
    session.flush()
    assert accounts.find_sign_in(session, token, now).person.name == "Alice"
    assert accounts.find_sign_in(session, token, now + timedelta(hours=13)) is None
    assert accounts.find_sign_in(session, "made up", now) is None
    accounts.sign_out(session, token)
    assert accounts.find_sign_in(session, token, now) is None
    other = accounts.sign_in(session, cast.alice)
    session.flush()
    accounts.change_password(session, cast.alice, "another password")
    assert accounts.find_sign_in(session, other, now) is None


def test_an_administrator_cannot_lock_everybody_out(session):
    cast = small_place(session)
    with pytest.raises(Conflict):
        accounts.change(session, cast.carole, role=Role.MEMBER, active=True, by=cast.carole)
    accounts.change(session, cast.bob, role=Role.MEMBER, active=True, by=cast.carole)
    assert not cast.bob.may(Permission.RUN_BOARD)


def test_a_new_printer_is_held_until_somebody_has_seen_its_plate(session):
    small_place(session)
    assert add_machine(session, "New", ready=False).plate == Plate.HELD


def test_a_printers_key_is_sealed_and_bound_to_its_row(session):
    small_place(session)
    made = machines.add(session, MachineData("Op", "octoprint", "http://127.0.0.1:5000", "mk3", "secret-key"), None)
    assert "secret-key" not in made.key_sealed
    assert machines.key_of(made) == "secret-key"
    with pytest.raises(Problem, match="enter it again"):
        vault.unseal(made.key_sealed, "printer:999")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (MachineData("", "simulated", "x", "mk3"), "name"),
        (MachineData("Ada", "simulated", "x", "mk3"), "name"),
        (MachineData("New", "telepathy", "x", "mk3"), "driver"),
    ],
)
def test_a_wrong_printer_names_its_field(session, data, field):
    small_place(session)
    with pytest.raises(Invalid) as problem:
        machines.add(session, data, None)
    assert problem.value.field == field


def test_a_printer_that_moved_is_held_again(session):
    cast = small_place(session)
    machines.change(session, cast.ada, MachineData("Ada", "simulated", "/elsewhere", "mk3"), cast.carole.id)
    assert (cast.ada.plate, cast.ada.operation) == (Plate.HELD, Operation.UNSEEN)


def test_a_print_started_by_hand_holds_the_plate(session):
    cast = small_place(session)
    machines.record_report(session, cast.ada, Report(Operation.BUSY, foreign_file="vase.gcode"), utcnow())
    assert (cast.ada.plate, cast.ada.foreign_file) == (Plate.HELD, "vase.gcode")


def test_out_of_service_needs_a_reason_and_comes_back_held(session):
    cast = small_place(session)
    with pytest.raises(Invalid):
        machines.set_service(session, cast.ada, Service.OUT_OF_SERVICE, " ", cast.carole.id)
    machines.set_service(session, cast.ada, Service.OUT_OF_SERVICE, "Fan broken", cast.carole.id)
    machines.set_service(session, cast.ada, Service.IN_SERVICE, "", cast.carole.id)
    assert cast.ada.plate == Plate.HELD


def test_a_material_needs_slicer_settings(session):
    small_place(session)
    with pytest.raises(Invalid, match="there are for: PETG, PLA, TPU"):
        filament.add_material(session, "CHEESE", "Cheese")
    with pytest.raises(Conflict):
        filament.add_material(session, "PLA", "PLA")


def test_a_tariff_without_prices_is_refused(session):
    small_place(session)
    with pytest.raises(Invalid):
        tariffs.set_tariff(session, tariffs.TariffData("Free", 0, 0, 0, {}), None)
    with pytest.raises(Invalid):
        tariffs.set_tariff(session, tariffs.TariffData("Odd", -1, 0, 0, {"PLA": 1}), None)


def test_nothing_is_asked_of_workers_when_the_transaction_fails(place, recorder):
    with pytest.raises(ZeroDivisionError), db.transaction() as session:
        bus.ask(session, "slice", 1)
        bus.tell(session, "board")
        1 / 0  # noqa: B018
    assert (recorder.asked, recorder.told) == ([], [])
    with db.transaction() as session:
        bus.ask(session, "slice", 1)
        assert recorder.asked == []
    assert recorder.asked == [("slice", (1,))]


def test_a_part_too_big_for_every_printer_gets_no_price(session):
    from dataclasses import replace

    from fablab.slicing.measure import MeshReport
    from tests.people import draft_cube, wanted

    cast = small_place(session)
    order = draft_cube(session, cast.alice)
    report = MeshReport.from_json(order.line.model_file.report)
    order.line.model_file.report = replace(report, size_mm=(400.0, 20.0, 20.0)).to_json()
    with pytest.raises(Invalid, match="too big for every printer"):
        offering.quote_for(session, order.line.model_file, wanted())


def test_many_copies_are_spread_over_plates(session):
    cast = small_place(session, cents=20_000)
    order = order_cube(session, cast.alice, quantity=100)
    copies = [job.copies for job in jobs.of_order(session, order.id)]
    assert sum(copies) == 100
    assert len(copies) > 1
