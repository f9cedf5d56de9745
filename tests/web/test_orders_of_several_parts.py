"""The pages of an order of several parts: files sent at once, another part looked at, one removed, all confirmed."""

import re
from io import BytesIO

from fablab import db
from fablab.jobs import queries as jobs
from fablab.orders import queries
from tests.people import draft_cube, order_cube
from tests.web.test_member_pages import CHOICES, kept_files, stl


def several(browser, address, *contents, **fields):
    """Send some files in one form."""
    return browser.post(address, files={"file": [(BytesIO(content), name) for name, content in contents]}, **fields)


def order_of(site, address):
    with db.reading() as session:
        return queries.owned_by(session, site.cast.alice, re.search(r"/orders/([^/?]+)", address).group(1))


def test_several_files_become_one_order_with_one_price(site, tmp_path):
    alice, part = site.as_("alice"), stl(tmp_path)
    answer = several(alice, "/orders/", ("a.stl", part), ("b.stl", part), ("c.stl", part))
    assert answer.status_code == 302
    page = alice.get(answer.location).text
    assert "Parts of this order" in page
    assert page.count("Preparing the printer</th>") == 1
    seen = re.search(r'name="seen_cents" value="(\d+)"', page).group(1)
    order = order_of(site, answer.location)
    assert [line.file_name for line in order.lines] == ["a.stl", "b.stl", "c.stl"]
    assert alice.post(f"{answer.location}/confirm", **CHOICES, seen_cents=seen).status_code == 302
    with db.reading() as session:
        assert {job.title for job in jobs.of_order(session, order.id)} == {"a.stl", "b.stl", "c.stl"}
    shown = alice.get(answer.location).text
    assert "0 of 1 good" in shown


def test_one_bad_file_of_several_is_named_and_nothing_is_kept(site, tmp_path):
    answer = several(site.as_("alice"), "/orders/", ("a.stl", stl(tmp_path)), ("bad.stl", b"<html></html>"))
    assert answer.status_code == 422
    assert "bad.stl: " in answer.text
    assert "None of the files was taken" in answer.text
    assert [path for path in kept_files() if not path.suffix] == []


def test_a_part_is_added_and_what_was_chosen_before_stays(site, tmp_path):
    alice = site.as_("alice")
    with db.transaction() as session:
        order = draft_cube(session, site.cast.alice)
    address = f"/orders/{order.public_id}"
    chosen = {**CHOICES, "quantity": "4", "wanted_on": "2099-01-02"}
    answer = several(alice, f"{address}/parts", ("more.stl", stl(tmp_path)), **chosen)
    assert answer.status_code == 302
    assert "wanted_on=2099-01-02" in answer.location
    page = alice.get(answer.location).text
    assert "4 copies" in page
    assert 'value="2099-01-02"' in page
    first, second = (line.id for line in order_of(site, address).lines)
    looked = alice.post(f"{address}/parts/look", **CHOICES, line=second, other=first)
    assert re.search(r'name="quantity"[^>]*value="4"', alice.get(looked.location).text)
    gone = alice.post(f"{address}/parts/remove", **CHOICES, line=first, other=second)
    assert gone.status_code == 302
    assert len(order_of(site, address).lines) == 1
    assert alice.post(f"{address}/parts/remove", **CHOICES, line=first, other=second).status_code == 404


def test_a_part_of_another_order_is_not_there(site):
    alice = site.as_("alice")
    with db.transaction() as session:
        mine, other = draft_cube(session, site.cast.alice), draft_cube(session, site.cast.charlie)
    for wrong in (other.line.id, "x", "9" * 40, "-1"):
        assert alice.get(f"/orders/{mine.public_id}", query_string={"line": wrong}).status_code == 404
        assert alice.post(f"/orders/{mine.public_id}/parts/look", **CHOICES, other=wrong).status_code == 404


def test_an_order_is_ordered_again_with_one_button(site):
    alice = site.as_("alice")
    with db.transaction() as session:
        order = order_cube(session, site.cast.alice, 3)
    assert "Order the same again" in alice.get(f"/orders/{order.public_id}").text
    answer = alice.post(f"/orders/{order.public_id}/again")
    assert re.search(r'name="quantity"[^>]*value="3"', alice.get(answer.location).text)
    assert "Drafts" in alice.get("/orders/").text


def test_a_day_that_is_none_or_over_gets_a_sentence(site):
    alice = site.as_("alice")
    with db.transaction() as session:
        order = draft_cube(session, site.cast.alice)
    for wrong in ("2020-01-01", "soon"):
        answer = alice.post(f"/orders/{order.public_id}/confirm", **CHOICES, seen_cents="200", wanted_on=wrong)
        assert answer.status_code == 422
