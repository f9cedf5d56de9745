"""A draft's part: what is noticed, one button for it, what changed, and the way back."""

import io
import re

import numpy as np
import pytest
import trimesh
from sqlalchemy import func, select

from fablab import db, files
from fablab.orders.models import ModelFile, Order
from fablab.slicing.stl import write_stl
from tests.people import draft_cube, order_cube
from tests.slicing.drawn import box, obj, one_object, three_mf

CHOICES = {"filament": "PLA|", "quality": "fine", "infill": "30", "quantity": "2"}


@pytest.fixture
def stl(tmp_path):
    return lambda triangles: write_stl(tmp_path / "part.stl", np.asarray(triangles)).read_bytes()


@pytest.fixture
def alice(site):
    return site.as_("alice")


def upload(browser, content, name="part.stl"):
    answer = browser.post("/orders/", files={"file": (io.BytesIO(content), name)})
    assert answer.status_code == 302, answer.text
    return answer.location


def press(browser, address, finding, **choices):
    answer = browser.post(f"{address}/change", finding=finding, **choices)
    assert answer.status_code == 302, answer.text
    return browser.get(answer.location)


def line_of(address):
    with db.reading() as session:
        return session.scalars(select(Order).where(Order.public_id == address.rsplit("/", 1)[1])).one().line


def size(browser, address):
    """The size of the part that would be printed, out of its STL."""
    content = browser.client.get(f"{address}/model.stl").data
    rows = np.frombuffer(content[84:], dtype=np.dtype([("n", "<f4", 3), ("c", "<f4", (3, 3)), ("a", "<u2")]))
    assert len(content) == 84 + 50 * len(rows)
    return np.ptp(rows["c"], axis=(0, 1)).round(2).tolist()


def test_a_part_in_inches_is_converted_and_back(alice, stl):
    sent = stl(box(40, 20, 10) / 25.4)
    address = upload(alice, sent)
    page = alice.get(address).text
    assert "was it drawn in inches?" in page
    assert "Convert from inches: 40 mm" in page
    page = press(alice, address, "unit").text
    assert "Scaled × 25.4: now 40 × 20 × 10 mm." in page
    assert "4.0 × 2.0 × 1.0" in page
    assert "drawn in inches" not in page
    assert size(alice, address) == [40, 20, 10]
    assert alice.client.get(f"{address}/file").data == sent
    assert alice.post(f"{address}/undo").status_code == 302
    assert "was it drawn in inches?" in alice.get(address).text
    assert line_of(address).change is None
    assert line_of(address).source_sha256 is None


def test_what_was_chosen_is_kept_when_the_part_is_changed(alice, stl):
    address = upload(alice, stl(box()[2:]))
    page = press(alice, address, "open", **CHOICES).text
    assert "1 hole closed" in page
    assert re.search(r'id="quantity"[^>]*value="2"', page)
    assert re.search(r'value="fine" checked', page)


def test_supports_are_switched_on_for_this_draft(alice, stl):
    address = upload(alice, stl(trimesh.creation.icosphere(subdivisions=3, radius=15).triangles))
    assert "Print with supports" in alice.get(address).text
    page = press(alice, address, "contact", **CHOICES).text
    assert re.search(r'name="supports" value="y" checked', page)
    assert "Print with supports" not in page
    assert re.search(r'name="supports" value="y" checked', alice.get(address).text)


@pytest.mark.parametrize(
    ("name", "content"),
    [("part.3mf", three_mf(one_object(box(4, 2, 1), "centimeter"))), ("part.obj", obj(box(40, 20, 10)))],
    ids=["3mf", "obj"],
)
def test_every_kind_of_file_becomes_an_stl_that_is_priced_shown_and_printed(alice, site, name, content):
    address = upload(alice, content, name)
    page = alice.get(address).text
    assert name in page
    assert "You pay" in page
    assert size(alice, address) == [40, 20, 10]
    download = alice.client.get(f"{address}/file")
    assert download.data == content
    assert name in download.headers["Content-Disposition"]
    assert "part.stl" in alice.client.get(f"{address}/model.stl").headers["Content-Disposition"]
    cents = re.search(r'name="seen_cents" value="(\d+)"', page).group(1)
    choices = {"filament": "PLA|", "quality": "normal", "infill": "20", "quantity": "1"}
    assert alice.post(f"{address}/confirm", **choices, seen_cents=cents).status_code == 302
    line = line_of(address)
    assert files.path_of(line.sent_sha256).read_bytes() == content
    assert files.path_of(line.model_sha256).exists()
    assert line.model_sha256 != line.sent_sha256


def test_a_changed_part_has_its_own_price(alice, stl):
    address = upload(alice, stl(box(500, 60, 40)))
    page = alice.get(address).text
    assert "too big" in page
    assert "You pay" not in page
    page = press(alice, address, "too_big").text
    assert "Scaled to" in page
    assert "You pay" in page


def test_what_was_changed_is_told_to_the_volunteer_who_prints_it(alice, site, stl):
    address = upload(alice, stl(box()[2:]))
    page = press(alice, address, "open").text
    cents = re.search(r'name="seen_cents" value="(\d+)"', page).group(1)
    choices = {"filament": "PLA|", "quality": "normal", "infill": "20", "quantity": "1"}
    assert alice.post(f"{address}/confirm", **choices, seen_cents=cents).status_code == 302
    assert "1 hole closed" in site.as_("bob").get(address).text


def test_a_confirmed_part_is_not_changed_any_more(alice, site):
    with db.transaction() as session:
        order = order_cube(session, site.cast.alice)
    for path in ("change", "undo"):
        answer = alice.post(f"/orders/{order.public_id}/{path}", finding="unit")
        assert answer.status_code == 409
        assert "confirmed already" in answer.text


@pytest.mark.parametrize("finding", ["", "unit", "nonsense", "bodies"])
def test_a_button_that_is_not_there_any_more_does_nothing(alice, site, finding):
    with db.transaction() as session:
        order = draft_cube(session, site.cast.alice)
    answer = alice.post(f"/orders/{order.public_id}/change", finding=finding)
    assert answer.status_code == 409
    assert "look again" in answer.text
    assert line_of(f"/orders/{order.public_id}").change is None


def test_the_same_change_by_two_people_is_one_part(site, stl):
    content = stl(box(40, 20, 10) / 25.4)
    for name in ("alice", "charlie"):
        browser = site.as_(name)
        press(browser, upload(browser, content), "unit")
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(ModelFile)) == 2


def test_pictures_are_shown_and_drawn_again_when_they_are_lost(alice, stl):
    address = upload(alice, stl(box()[2:]))
    page = alice.get(address).text
    pictures = re.findall(r'src="(/orders/[^"]+/picture\.png[^"]*)"', page)
    assert len(pictures) == 2
    for picture in pictures:
        answer = alice.client.get(picture.replace("&amp;", "&"))
        assert answer.mimetype == "image/png"
        assert answer.data.startswith(b"\x89PNG")
    sha256 = line_of(address).model_sha256
    for ending in ("png", "open.png"):
        files.beside(sha256, ending).unlink()
    assert alice.client.get(f"{address}/picture.png").status_code == 200
    assert alice.client.get(f"{address}/picture.png?finding=open").status_code == 200
    for missing in ("thin", "nonsense", ""):
        assert alice.client.get(f"{address}/picture.png?finding={missing}").status_code == 404


def test_the_lists_show_pictures(site, alice):
    with db.transaction() as session:
        order = order_cube(session, site.cast.alice)
    assert f"/orders/{order.public_id}/picture.png" in alice.get("/orders/").text
    bob = site.as_("bob")
    (picture,) = re.findall(r'src="(/board/jobs/[^"]+/picture\.png)"', bob.get("/board/queue").text)
    assert bob.client.get(picture).data.startswith(b"\x89PNG")


def test_the_findings_speak_french(alice, stl):
    alice.post("/language", language="fr", back="/orders/")
    address = upload(alice, stl(box(40, 20, 10) / 25.4))
    page = alice.get(address).text
    assert "a-t-elle été dessinée en pouces" in page
    assert "Convertir depuis les pouces" in page
    assert "Mise à l’échelle × 25,4" in press(alice, address, "unit").text
