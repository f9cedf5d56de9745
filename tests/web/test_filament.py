"""The shelf, a spool, loading, labels and the shopping list, through the pages."""

import io
import re

import pytest

from fablab import db
from fablab.db import utcnow
from fablab.filament import movements, queries
from fablab.filament import services as filament
from fablab.filament.models import Spool
from fablab.filament.movements import Why
from fablab.filament.services import SpoolData
from fablab.jobs import dispatch, overrides
from fablab.jobs.models import Attempt
from tests.people import add_machine, add_spool, queued_order
from tests.spoolman import answering
from tests.spoolman import spool as spoolman_spool

FILAMENT = {
    "material_code": "PLA",
    "vendor": "Francofil",
    "name": "PLA",
    "colour_name": "orange",
    "colour_hex": "#f2711c",
    "net_g": "1000",
    "tare_g": "210,5",
    "price": "24,90",
    "low_g": "300",
    "diameter_mm": "1.75",
    "density_g_cm3": "",
}


def key_on(page, name="key"):
    return re.search(rf'name="{name}"[^>]*value="([^"]+)"', page)[1]


def left_g(spool):
    with db.reading() as session:
        return queries.balance_mg(session, spool.id) / 1000


def test_a_volunteer_adds_a_filament_and_receives_reels_of_it_once(site):
    bob = site.as_("bob")
    answer = bob.post("/filament/products/new", **FILAMENT)
    assert answer.status_code == 302
    page = bob.get(answer.location).text
    assert 'value="1000"' in page
    chosen = answer.location.split("filament=")[1]
    form = {"filament": chosen, "count": "3", "mass_g": "", "owner": "donation", "owner_id": "", "key": key_on(page)}
    for _ in range(2):
        assert bob.post("/filament/receive", **form, shelf="A1").status_code == 302
    page = bob.get("/filament/").text
    assert page.count("Francofil · PLA") == 3
    assert page.count("Donation") == 3
    assert "shelf A1" in page


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"colour_hex": "red"}, "A colour is written like"),
        ({"tare_g": "5000"}, "An empty reel weighs between"),
        ({"price": "much"}, "is not an amount in euros"),
        ({"net_g": "lots"}, "net_g-error"),
        ({"diameter_mm": "17.5"}, "mostly 1.75 mm"),
    ],
)
def test_a_wrong_filament_is_told_beside_its_field_and_loses_nothing(site, wrong, words):
    answer = site.as_("bob").post("/filament/products/new", **{**FILAMENT, **wrong})
    assert answer.status_code == 422
    assert words in answer.text
    assert "Francofil" in answer.text


def test_a_filament_is_changed(site):
    bob, address = site.as_("bob"), f"/filament/products/{site.cast.spool.filament.public_id}"
    assert 'value="white"' in bob.get(address).text
    assert bob.post(address, **{**FILAMENT, "vendor": "Prusament"}).status_code == 302
    assert "Prusament · PLA" in bob.get("/filament/products").text


def test_a_members_own_spool_needs_the_member(site):
    bob = site.as_("bob")
    form = {
        "filament": site.cast.spool.filament.public_id,
        "count": "1",
        "mass_g": "500",
        "owner": "member",
        "key": "k",
    }
    assert "Please say whose own spool" in bob.post("/filament/receive", **form, owner_id="").text
    answer = bob.post("/filament/receive", **form, owner_id=str(site.cast.alice.id))
    assert answer.status_code == 302
    assert "Alice's own" in bob.get(answer.location).text


def test_a_spool_is_weighed_and_its_history_says_so(site):
    bob, address = site.as_("bob"), f"/filament/spools/{site.cast.spool.public_id}"
    answer = bob.post(f"{address}/weigh", **{"weigh-gross_g": "150"})
    assert answer.status_code == 422
    assert "less than the empty reel alone" in answer.text
    assert 'value="150"' in answer.text
    assert bob.post(f"{address}/weigh", **{"weigh-gross_g": "612,5"}).status_code == 302
    page = bob.get(address).text
    assert "Weighed 612\xa0g with the reel" in page
    assert "Bob" in page
    assert left_g(site.cast.spool) == 412.5


def test_a_form_sent_twice_throws_away_once(site):
    bob, address = site.as_("bob"), f"/filament/spools/{site.cast.spool.public_id}"
    form = {"waste-mass_g": "100", "waste-reason": "tangled", "waste-key": key_on(bob.get(address).text, "waste-key")}
    for _ in range(2):
        assert bob.post(f"{address}/waste", **form).status_code == 302
    assert left_g(site.cast.spool) == 400
    assert "only 400" in bob.post(f"{address}/waste", **{**form, "waste-mass_g": "401", "waste-key": "other"}).text


def test_everything_else_is_done_from_the_page_of_a_spool(site):
    with db.transaction() as session:
        other = add_spool(session, mass_g=50)
    bob, address = site.as_("bob"), f"/filament/spools/{site.cast.spool.public_id}"
    wound = {"transfer-to": other.public_id, "transfer-mass_g": "20", "transfer-reason": "two ends"}
    assert bob.post(f"{address}/transfer", **wound).status_code == 302
    assert bob.post(f"{address}/adjust", **{"adjust-mass_g": "470", "adjust-reason": ""}).status_code == 422
    assert bob.post(f"{address}/adjust", **{"adjust-mass_g": "470", "adjust-reason": "seen"}).status_code == 302
    changed = {"change-owner": "place", "change-owner_id": "", "change-lot": "L-7", "change-comment": "dry it"}
    assert bob.post(f"{address}/change", **changed).status_code == 302
    page = bob.get(address).text
    for words in ("20.0\xa0g went to PLA white", "Corrected: 10.0\xa0g less", "L-7", "dry it"):
        assert words in page
    assert bob.post(f"{address}/nonsense").status_code == 404
    assert bob.post(f"{address}/retire", **{"retire-reason": "brittle"}).status_code == 302
    assert bob.post(f"{address}/retire", **{"retire-reason": "brittle"}).status_code == 409
    assert "out of use since" in bob.get("/filament/?ended=1").text
    assert bob.post(f"{address}/reopen").status_code == 302
    assert bob.post(f"{address}/empty").status_code == 302
    assert left_g(site.cast.spool) == 0


def test_a_print_booked_on_the_wrong_spool_is_moved(site):
    with db.transaction() as session:
        blue = add_spool(session, colour="blue")
        spool = session.get_one(Spool, site.cast.spool.id)
        movements.consume_by_hand(session, spool, 30_000, Why(site.cast.bob.id, "vase.gcode"))
        use = queries.movements(session, spool.id)[0].id
    bob, address = site.as_("bob"), f"/filament/spools/{site.cast.spool.public_id}"
    assert f"uses/{use}" in bob.get(address).text
    assert bob.get(f"{address}/uses/{use}").status_code == 200
    assert bob.post(f"{address}/uses/{use}", to=blue.public_id, reason="").status_code == 422
    assert bob.post(f"{address}/uses/{use}", to=blue.public_id, reason="wrong spool loaded").status_code == 302
    assert bob.post(f"{address}/uses/{use}", to=blue.public_id, reason="again").status_code == 409
    assert (left_g(site.cast.spool), left_g(blue)) == (500, 470)
    assert f"uses/{use}" not in bob.get(address).text
    assert bob.get(f"{address}/uses/{use + 900}").status_code == 404


def test_loading_shows_what_is_on_and_what_will_be_and_takes_one_tap(site):
    with db.transaction() as session:
        blue = add_spool(session, colour="blue", mass_g=310)
    bob, ada = site.as_("bob"), site.cast.ada.public_id
    assert f"/filament/printers/{ada}" in bob.get("/board/").text
    assert "PLA blue" in bob.get(f"/filament/printers/{ada}").text
    page = bob.get(f"/filament/printers/{ada}/load?spool={blue.public_id}").text
    for words in ("On it now", "PLA white", "On it then", "PLA blue", "It is on Ada now"):
        assert words in page
    tap = {"spool": blue.public_id, "seen": site.cast.spool.public_id}
    for _ in range(2):
        assert bob.post(f"/filament/printers/{ada}/load", **tap).status_code == 302
    assert "PLA blue" in bob.get("/board/").text
    late = bob.post(f"/filament/printers/{ada}/load", spool=site.cast.spool.public_id, seen="")
    assert late.status_code == 409
    assert "Somebody has changed the spool on Ada meanwhile" in late.text
    assert bob.post(f"/filament/printers/{ada}/unload").status_code == 302
    assert "No spool" in bob.get("/board/").text


def test_a_spool_on_another_printer_is_said_and_can_be_moved(site):
    with db.transaction() as session:
        grace = add_machine(session, "Grace")
    bob, address = site.as_("bob"), f"/filament/printers/{grace.public_id}/load"
    page = bob.get(address, query_string={"spool": site.cast.spool.public_id}).text
    assert "This spool is on Ada." in page
    assert "I have moved it from Ada to Grace" in page
    tap = {"spool": site.cast.spool.public_id, "seen": ""}
    assert "on another printer" in bob.post(address, **tap).text
    assert bob.post(address, **tap, from_other="y").status_code == 302
    with db.reading() as session:
        assert session.get(Spool, site.cast.spool.id).machine_id == grace.id


def test_a_spool_is_not_changed_under_a_print(site):
    with db.transaction() as session:
        blue = add_spool(session, colour="blue")
        queued_order(session, site.cast.alice)
        dispatch.schedule(session, utcnow())
    bob, ada = site.as_("bob"), site.cast.ada.public_id
    assert "when the print on it was checked" in bob.get(f"/filament/printers/{ada}").text
    assert "It is on Ada now" not in bob.get(f"/filament/printers/{ada}/load?spool={blue.public_id}").text
    tap = {"spool": blue.public_id, "seen": site.cast.spool.public_id}
    assert bob.post(f"/filament/printers/{ada}/load", **tap).status_code == 409
    assert bob.post(f"/filament/spools/{site.cast.spool.public_id}/empty").status_code == 409
    assert "for a print on its way" in bob.get("/filament/").text


def test_a_scanned_label_opens_the_spool_and_a_strange_one_a_sentence(site):
    bob = site.as_("bob")
    page = bob.get(f"/s/{site.cast.spool.public_id}").text
    for words in ("It is on Ada already", "Weigh", "It is empty", "500"):
        assert words in page
    strange = bob.get("/s/AAAAAAAAAAAA")
    assert strange.status_code == 404
    assert "it belongs to another place, or was misread" in strange.text


def test_labels_come_as_a_sheet_and_as_a_picture(site):
    bob, spool = site.as_("bob"), site.cast.spool.public_id
    assert "Make the sheet" in bob.get("/filament/labels").text
    sheet = bob.get("/filament/labels.pdf", query_string={"spool": [spool, spool], "sheet": "3x7", "skip": "20"})
    assert (sheet.mimetype, sheet.data[:5]) == ("application/pdf", b"%PDF-")
    assert bob.get("/filament/labels.pdf").status_code == 422
    assert bob.get("/filament/labels.pdf", query_string={"spool": spool, "skip": "999"}).status_code == 422
    assert bob.get("/filament/labels.pdf", query_string={"spool": "strange"}).status_code == 404
    picture = bob.get(f"/filament/spools/{spool}/label.png")
    assert picture.data[:8] == b"\x89PNG\r\n\x1a\n"


def test_the_shopping_list_says_what_to_buy_and_why(site):
    bob = site.as_("bob")
    assert "Nothing to buy" in bob.get("/filament/shopping").text
    with db.transaction() as session:
        spool = session.get_one(Spool, site.cast.spool.id)
        queued_order(session, site.cast.alice)
        movements.adjust(session, spool, 3, Why(site.cast.bob.id, "seen"))
        spool.filament.low_g = 500
    page = bob.get("/filament/shopping").text
    for words in (
        "need 1.0\xa0g more than there is",
        "0.0\xa0g will be left, and 500\xa0g should be there",
        "1 reel of",
    ):
        assert words in page
    assert "Running low" in bob.get("/filament/").text
    assert "1 filament is to be bought" in bob.get("/filament/").text


def test_what_is_in_the_way_is_let_pass_on_the_page_of_the_plate(site):
    with db.transaction() as session:
        _, job = queued_order(session, site.cast.alice)
        movements.adjust(session, session.get_one(Spool, site.cast.spool.id), 3, Why(site.cast.bob.id, "seen"))
    bob = site.as_("bob")
    page = bob.get(f"/board/jobs/{job.public_id}").text
    assert "The spool on Ada has 3.0\xa0g left" in page
    assert "Start it although the filament may run short" in page
    address = f"/filament/printers/{site.cast.ada.public_id}/let-pass/{job.public_id}"
    assert bob.post(address, spool=site.cast.spool.public_id, mismatch="nonsense").status_code == 422
    assert bob.post(address, spool=site.cast.spool.public_id, mismatch="material").status_code == 409
    assert bob.post(address, spool=site.cast.spool.public_id, mismatch="short").status_code == 302
    assert "Bob let it start all the same" in bob.get(f"/board/jobs/{job.public_id}").text
    with db.transaction() as session:
        assert len(dispatch.schedule(session, utcnow())) == 1
        assert session.query(Attempt).count() == 1
        assert len(overrides.of_job(session, job.id)) == 1


def test_members_choose_only_from_what_is_theirs_to_use(site):
    with db.transaction() as session:
        spool = session.get_one(Spool, site.cast.spool.id)
        filament.change(session, spool, SpoolData(owner="member", owner_id=site.cast.charlie.id))
        assert [each.name for each in queries.colours(session, {}, site.cast.charlie.id)] == ["white"]
        assert queries.colours(session, {}, site.cast.alice.id) == []


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_pages_of_filament_are_whole_in_both_languages(site, language):
    bob, spool = site.as_("bob"), site.cast.spool
    bob.post("/language", language=language)
    for path in (
        "/filament/",
        "/filament/?ended=1",
        "/filament/live",
        "/filament/products",
        "/filament/products/new",
        f"/filament/products/{spool.filament.public_id}",
        "/filament/receive",
        f"/filament/receive?filament={spool.filament.public_id}",
        "/filament/shopping",
        "/filament/labels",
        "/filament/exchange/",
        f"/filament/spools/{spool.public_id}",
        f"/filament/printers/{site.cast.ada.public_id}",
        f"/filament/printers/{site.cast.ada.public_id}/load?spool={spool.public_id}",
        f"/s/{spool.public_id}",
    ):
        assert bob.get(path).status_code == 200, path


def test_tables_go_out_and_come_in_with_every_bad_line_named(site):
    bob, carole = site.as_("bob"), site.as_("carole")
    table = bob.get("/filament/exchange/spools.csv")
    assert (table.mimetype, table.data[:3]) == ("text/csv", b"\xef\xbb\xbf")
    assert bob.get("/filament/exchange/filaments.csv").status_code == 200
    assert bob.get("/filament/exchange/people.csv").status_code == 404
    wrong = b"material,colour,colour_hex,left_g\nPLA,orange,#f2711c,5\nWOOD,orange,#f2711c,5\nPLA,orange,#f2711c,x\n"
    answer = carole.post("/filament/exchange/table", what="spools", files={"file": (io.BytesIO(wrong), "s.csv")})
    assert answer.status_code == 422
    for words in ("Nothing was taken over. Lines that are wrong: 2.", "Line 3: This material", "Line 4: “x”"):
        assert words in answer.text
    right = wrong.splitlines(keepends=True)
    answer = carole.post(
        "/filament/exchange/table", what="spools", files={"file": (io.BytesIO(b"".join(right[:2])), "s.csv")}
    )
    assert answer.status_code == 302
    assert "PLA orange" in carole.get("/filament/").text
    assert "choose a file" in carole.post("/filament/exchange/table", what="spools").text


def test_a_spoolman_is_looked_at_before_its_spools_are_taken(site):
    carole = site.as_("carole")
    with answering([spoolman_spool(7), spoolman_spool(8, remaining_weight=None)]) as (address, _):
        page = carole.post("/filament/exchange/spoolman", address=address).text
        for words in ("1 spool is new.", "PolyTerra™ Charcoal Black", "does not know how much is left"):
            assert words in page
        assert "Polymaker" not in carole.get("/filament/").text
        for _ in range(2):
            answer = carole.post("/filament/exchange/spoolman/take", address=address, spool=["7", "8", "x"])
            assert answer.status_code == 302
        assert carole.get("/filament/").text.count("Polymaker") == 1
        assert "It is here already" in carole.post("/filament/exchange/spoolman", address=address).text
    late = carole.post("/filament/exchange/spoolman/take", address=address, spool=["7"])
    assert late.status_code == 422
    assert "Nothing answers at this address" in late.text
