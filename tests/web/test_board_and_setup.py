"""What volunteers and administrators see and do, through the pages."""

from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select

from fablab import db
from fablab.accounts.models import Person
from fablab.billing import ledger
from fablab.db import utcnow
from fablab.filament.models import SpoolMovement
from fablab.jobs import dispatch, handprints
from fablab.jobs import queries as jobs
from fablab.jobs.judging import Judgement
from fablab.jobs.models import Attempt, Job
from fablab.machines.models import HouseRules, Machine, Plate
from tests.people import add_machine, draft_cube, order_cube, queued_order


def printing(site):
    with db.transaction() as session:
        order, job = queued_order(session, site.cast.alice)
        (attempt,) = dispatch.schedule(session, utcnow())
        dispatch.sending(session, attempt)
        dispatch.about_to_start(session, attempt, utcnow())
        dispatch.record(session, attempt, Judgement.PRINTING, {}, utcnow())
    return order, job, attempt


def finished(site):
    order, job, attempt = printing(site)
    with db.transaction() as session:
        dispatch.record(session, session.get(Attempt, attempt.id), Judgement.FINISHED, {}, utcnow())
    return order, job, attempt


def test_the_board_shows_machines_queue_and_why(site):
    with db.transaction() as session:
        queued_order(session, site.cast.alice)
        session.get(Machine, site.cast.ada.id).plate = Plate.HELD
    page = site.as_("bob").get("/board/").text
    for text in (
        "Ada",
        "is the plate empty?",
        "cube.stl",
        "Somebody has to say that the plate of Ada is empty.",
        "500",
    ):
        assert text in page


def test_nothing_to_do_is_said(site):
    assert "Nothing to do" in site.as_("bob").get("/board/").text


def test_a_print_can_be_paused_and_stopped(site):
    _, _, attempt = printing(site)
    bob = site.as_("bob")
    page = bob.get("/board/").text
    for wish in ("pause", "cancel"):
        assert f"/board/attempts/{attempt.public_id}/{wish}" in page
        assert bob.post(f"/board/attempts/{attempt.public_id}/{wish}").status_code == 302
    assert bob.post(f"/board/attempts/{attempt.public_id}/explode").status_code == 422
    with db.reading() as session:
        assert session.get(Attempt, attempt.id).wish == "cancel"


def test_one_tap_signs_a_good_plate_off(site):
    order, _, attempt = finished(site)
    bob = site.as_("bob")
    page = bob.get("/board/").text
    assert "All good (1 of 1)" in page
    assert bob.post(f"/board/attempts/{attempt.public_id}/check", good="1", plate_cleared="y").status_code == 302
    assert "Waiting to be collected" in bob.get("/board/").text
    address = f"/pick-up/{order.public_id}/hand-out?board="
    assert f'action="{address}"' in bob.get("/board/").text
    for _ in range(2):
        assert bob.post(address).location == "/board/"
    assert "Waiting to be collected" not in bob.get("/board/").text
    assert bob.post(f"/board/attempts/{attempt.public_id}/check", good="1").status_code == 409


def test_a_card_says_how_a_machine_keeps_to_its_time(site):
    for factor in (1.05, 1.10, 1.20, 9.0):
        _, _, attempt = finished(site)
        with db.transaction() as session:
            seen = session.get_one(Attempt, attempt.id)
            seen.ended_at = seen.started_at + timedelta(seconds=factor * seen.slice.time_s)
        site.as_("bob").post(f"/board/attempts/{attempt.public_id}/check", good="1", plate_cleared="y")
    assert "10 % longer here than computed (3 prints)" in site.as_("bob").get("/board/").text


def test_a_bad_plate_shows_what_follows_before_it_is_recorded(site):
    _, job, attempt = finished(site)
    bob = site.as_("bob")
    address = f"/board/attempts/{attempt.public_id}"
    assert "What went wrong?" in bob.get(f"{address}/check").text
    outlook = bob.get(f"{address}/consequence", query_string={"good": 0, "reason": "detached"}).text
    assert "go back to the front" in outlook
    assert "say what went wrong" in bob.get(f"{address}/consequence", query_string={"good": 0}).text
    assert bob.post(f"{address}/check", good="0").status_code == 422
    assert bob.post(f"{address}/check", good="0", reason="nonsense").status_code == 422
    assert bob.post(f"{address}/check", good="0", reason="detached").status_code == 302
    with db.reading() as session:
        assert session.get(Job, job.id).state == "queued"
        assert session.get(Machine, site.cast.ada.id).plate == Plate.HELD


def test_a_plate_with_a_print_on_it_cannot_be_called_empty(site):
    printing(site)
    answer = site.as_("bob").post(f"/board/machines/{site.cast.ada.public_id}/clear")
    assert answer.status_code == 409


def test_a_queued_job_is_held_released_moved_and_cancelled(site):
    with db.transaction() as session:
        queued_order(session, site.cast.alice)
        _, second = queued_order(session, site.cast.charlie)
    bob, address = site.as_("bob"), f"/board/jobs/{second.public_id}"
    assert bob.post(f"{address}/hold").status_code == 302
    assert "On hold" in bob.get("/board/queue").text
    bob.post(f"{address}/release")
    bob.post(f"{address}/front")
    with db.reading() as session:
        assert jobs.queue(session, utcnow())[0].job.id == second.id
    assert bob.get(address).status_code == 200
    bob.post(f"{address}/cancel")
    with db.reading() as session:
        assert session.get(Job, second.id).state == "cancelled"


def test_a_slice_that_failed_says_why_and_can_be_tried_again(site):
    from fablab.jobs import services
    from fablab.words import say

    with db.transaction() as session:
        order = order_cube(session, site.cast.alice)
        job = jobs.of_order(session, order.id)[0]
        taken = services.take_for_slicing(session, job.id, utcnow())
        services.slicing_failed(session, job.id, taken.token, say("The part floats above the plate."), "raw text")
    bob = site.as_("bob")
    assert "The part floats above the plate." in bob.get("/board/").text
    assert "raw text" in bob.get(f"/board/jobs/{job.public_id}").text
    assert "The part floats above the plate." in site.as_("alice").get(f"/orders/{order.public_id}").text
    assert bob.post(f"/board/jobs/{job.public_id}/slice").status_code == 302


def test_the_page_of_a_plate_shows_its_tries_and_what_was_seen(site):
    _, job, attempt = finished(site)
    page = site.as_("bob").get(f"/board/jobs/{job.public_id}").text
    assert attempt.file_name in page
    assert "attempt_finished_unverified" in page


def test_an_administrator_adds_everything_a_place_needs(site):
    carole = site.as_("carole")
    simulated = {"name": "Grace", "driver": "simulated", "profile": "ender3", "address": "/tmp/none", "key": ""}
    assert carole.post("/setup/printers/new", **simulated).status_code == 302
    assert carole.post("/setup/printers/new", **simulated).status_code == 422
    assert carole.post("/setup/materials/new", code="PETG", label="PETG", use="outdoors").status_code == 302
    tariff = {"name": "2027", "setup": "1,50", "per_hour": "1", "minimum": "3", "rate-PLA": "45", "rate-PETG": "50"}
    tariff |= {"tariff_group": "member", "example_material": "PLA", "example_mass_g": "40"}
    tariff |= {"example_minutes": "150", "example_copies": "1"}
    assert carole.post("/setup/tariffs/new", **tariff).status_code == 302
    assert carole.post("/setup/tariffs/new", **{**tariff, "setup": "much"}).status_code == 422
    assert carole.post("/setup/tariffs/new", **{**tariff, "rate-PLA": "-4"}).status_code == 422
    page = carole.get("/setup/").text
    for text in ("Grace", "PETG", "2027", "€1.50"):
        assert text in page


def test_an_administrator_adds_a_person_who_can_sign_in(site):
    carole = site.as_("carole")
    person = {"name": "Dora", "email": "dora@example.org", "password": "correct horse battery", "role": "volunteer"}
    assert carole.post("/people/", **person).status_code == 302
    assert carole.post("/people/", **person).status_code == 409
    assert carole.post("/people/", **{**person, "email": "x"}).status_code == 422
    assert site.as_("dora").get("/board/").status_code == 200


def test_cash_at_the_desk_fills_the_wallet_once(site):
    carole, address = site.as_("carole"), f"/wallets/{site.cast.charlie.public_id}"
    page = carole.get(address).text
    key = page.split('name="key"')[1].split('value="')[1].split('"')[0]
    for _ in range(2):
        assert carole.post(address, amount="12,50", method="cash", key=key).status_code == 302
    assert "€32.50" in carole.get(address).text
    for wrong in ("0", "-5", "abc", "99999"):
        assert carole.post(address, amount=wrong, key=f"k{wrong}").status_code == 422


def test_an_account_is_erased_and_its_orders_are_still_shown(site):
    carole, address = site.as_("carole"), f"/people/{site.cast.charlie.public_id}"
    assert "Erase this account" in carole.get(address).text
    assert carole.post(f"{address}/erase").status_code == 409
    with db.transaction() as session:
        order = draft_cube(session, site.cast.charlie)
        ledger.pay_out(
            session, session.get(Person, site.cast.charlie.id), 2000, site.cast.carole.id, "o", ledger.IN_CASH
        )
    assert carole.post(f"{address}/erase").status_code == 302
    assert "Charlie" not in carole.get("/people/").text
    shown = site.as_("bob").get(f"/orders/{order.public_id}")
    assert shown.status_code == 200
    assert "Charlie" not in shown.text


def test_rights_and_passwords_are_changed(site):
    carole, address = site.as_("carole"), f"/people/{site.cast.bob.public_id}"
    bob = site.as_("bob")
    assert carole.post(f"{address}/password", password="a new password").status_code == 302
    assert bob.get("/board/").status_code == 302
    assert carole.post(f"{address}/rights", role="member").status_code == 302
    assert site.as_(None).post("/sign-in", email="bob@example.org", password="a new password").status_code == 422
    own = f"/people/{site.cast.carole.public_id}/rights"
    assert carole.post(own, role="member", active="y").status_code == 409


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:9", "does not answer"),
        ("ftp://printer", "starts with http"),
        ("http://169.254.169.254", "not in a network"),
        ("http://user:word@10.0.0.1", "no password"),
    ],
)
def test_a_connection_test_says_what_is_wrong(site, address, words):
    form = {"name": "Op", "driver": "octoprint", "profile": "mk3", "address": address, "key": "k", "test": "1"}
    answer = site.as_("carole").post("/setup/printers/new", **form)
    assert answer.status_code == 200
    assert words in answer.text


def test_a_printers_settings_never_show_its_key(site):
    carole = site.as_("carole")
    form = {
        "name": "Op",
        "driver": "octoprint",
        "profile": "mk3",
        "address": "http://127.0.0.1:9",
        "key": "very-secret",
    }
    answer = carole.post("/setup/printers/new", **form)
    assert "very-secret" not in carole.get(answer.location).text
    assert carole.post(answer.location, **{**form, "key": ""}).status_code == 302
    assert carole.post(f"{answer.location}/service", service="out_of_service", reason="").status_code == 422
    assert carole.post(f"{answer.location}/service", service="out_of_service", reason="Fan").status_code == 302


def test_a_printer_with_a_print_on_it_is_neither_moved_nor_retired(site):
    printing(site)
    carole, address = site.as_("carole"), f"/setup/printers/{site.cast.ada.public_id}"
    moved = {"name": "Ada", "driver": "simulated", "profile": "mk3", "address": "/elsewhere", "key": ""}
    assert carole.post(address, **moved).status_code == 409
    assert carole.post(f"{address}/service", service="retired", reason="").status_code == 409


@pytest.mark.parametrize("path", ["/setup/printers/new", "/setup/materials/new", "/setup/tariffs/new", "/setup/rules"])
def test_the_forms_are_whole_in_both_languages(site, path):
    carole = site.as_("carole")
    for language in ("fr", "en"):
        carole.post("/language", language=language)
        assert carole.get(path).status_code == 200


def test_fragments_are_the_parts_of_their_pages(site):
    with db.transaction() as session:
        queued_order(session, site.cast.alice)
        add_machine(session, "Grace")
    bob = site.as_("bob")
    page = bob.get("/board/").text
    for path in ("/board/machines", "/board/queue"):
        assert bob.get(path, headers={"X-Fragment": "1"}).text.strip() in page


def test_health_needs_no_sign_in_and_tells_what_is_missing(site):
    nobody = site.as_(None)
    assert nobody.get("/healthz").json == {"status": "alive"}
    answer = nobody.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["missing"] == ["broker"]


def test_house_rules_are_written_in_words_and_hold_at_once(site):
    carole = site.as_("carole")
    rules = {"opening_hours": "mon-sun 0:00-0:01", "quiet_hours": "22h-22h01", "heating_at_once": "1"}
    rules["heating_minutes"] = "5"
    refused = carole.post("/setup/rules", **{**rules, "opening_hours": "whenever"})
    assert refused.status_code == 422
    assert "“whenever” is not understood" in refused.text
    assert carole.post("/setup/rules", **rules).status_code == 302
    page = carole.get("/setup/").text
    assert "22h-22h01" in page
    assert f"Set by {site.cast.carole.name}" in page
    assert "mon-sun 0:00-0:01" in carole.get("/setup/rules").text
    carole.post("/setup/rules", **{**rules, "quiet_hours": ""})
    with db.transaction() as session:
        queued_order(session, site.cast.alice)
        session.get(Machine, site.cast.ada.id).attended = True
    assert "prints only while somebody is here" in carole.get("/board/").text
    with db.transaction() as session:
        assert dispatch.schedule(session, utcnow()) == []
        assert [rules.set_by_id for rules in session.scalars(select(HouseRules))] == [site.cast.carole.id] * 2


def test_a_printer_keeps_its_circuit_and_whether_it_needs_somebody(site):
    carole, address = site.as_("carole"), f"/setup/printers/{site.cast.ada.public_id}"
    with db.reading() as session:
        ada = session.get(Machine, site.cast.ada.id)
    form = {"name": ada.name, "driver": ada.driver, "profile": ada.profile, "address": ada.address, "key": ""}
    assert carole.post(address, **form, circuit="wall", attended="y").status_code == 302
    page = carole.get(address).text
    assert 'value="wall"' in page
    assert 'checked id="attended"' in page
    carole.post(address, **form, circuit="")
    with db.reading() as session:
        ada = session.get(Machine, site.cast.ada.id)
        assert (ada.circuit, ada.attended) == ("", False)


def test_the_grams_of_a_failed_print_are_proposed_and_can_be_corrected(site):
    _, _, attempt = printing(site)
    with db.transaction() as session:
        running = session.get(Attempt, attempt.id)
        dispatch.follow_progress(session, running, 0.5, None)
        dispatch.record(session, running, Judgement.STOPPED, {}, utcnow())
    bob, address = site.as_("bob"), f"/board/attempts/{attempt.public_id}/check"
    assert "By how far the print was: 2.0 g." in unescape(bob.get(address).text).replace("\u00a0", " ")
    refused = bob.post(address, good="0", reason="clogged", used_g="900")
    assert refused.status_code == 422
    assert "between 0 g and 26.0 g" in refused.text.replace("\u00a0", " ")
    assert bob.post(address, good="0", reason="clogged", used_g="3.25").status_code == 302
    with db.reading() as session:
        moved = session.scalars(select(SpoolMovement).where(SpoolMovement.attempt_id == attempt.id)).one()
        assert (moved.mass_mg, moved.person_id) == (-3250, site.cast.bob.id)


def test_a_print_by_hand_is_a_line_on_the_board_until_somebody_says_whose_it_was(site):
    now, bob = utcnow(), site.as_("bob")
    with db.transaction() as session:
        handprints.follow(session, site.cast.ada.id, "vase.gcode", "pi", 0.5, now)
    assert "somebody printed by hand" not in bob.get("/board/").text
    with db.transaction() as session:
        handprints.follow(session, site.cast.ada.id, None, None, None, now)
        (printed,) = handprints.to_file(session)
        printed_id, spool = printed.public_id, printed.spool.public_id
    assert "somebody printed by hand" in bob.get("/board/").text
    address = f"/board/hand-prints/{printed_id}"
    assert "started as “pi”" in bob.get(address).text
    assert bob.post(address, for_whom="", spool=spool, used_g="5").status_code == 422
    assert bob.post(address, for_whom="Zoe", spool="nonsense", used_g="5").status_code == 422
    assert "which spool" in bob.post(address, for_whom="Zoe", spool="", used_g="5").text
    assert bob.post(address, for_whom="Zoe", spool=spool, used_g="5").status_code == 302
    assert "somebody printed by hand" not in bob.get("/board/").text
    assert "nothing to file" in bob.get(address).text
    assert bob.post(address, for_whom="Zoe", spool=spool, used_g="5").status_code == 409
