"""The price in Chromium: about at once, checked by itself, the same slice printed; in French and English."""

import re
import sqlite3

import numpy as np
import pytest
import trimesh
from playwright.sync_api import expect

from fablab.slicing.samples import write_stl
from fablab.slicing.slicer import find_slicer
from tests.browser.somebody import open_page
from tests.running import system
from tests.waiting import wait_until

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

WORDS = {
    "en": {"about": "about", "checked": "Checked", "confirm": "Confirm for", "flat": "Nothing touches the build plate"},
    "fr": {"about": "environ", "checked": "Vérifié", "confirm": "Confirmer pour", "flat": "Rien ne touche le plateau"},
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo place with a door before its slicer: while the door is shut, slices wait."""
    real = find_slicer()
    if real is None:
        pytest.skip("PrusaSlicer is not installed: the package prusa-slicer")
    tool = tmp_path_factory.mktemp("tool")
    program, door = tool / "slicer", tool / "shut"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --help ] || while [ -e {door} ]; do sleep 0.1; done\nexec {real.program} "$@"\n'
    )
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FABLAB_SLICER", str(program))
        with system(tmp_path_factory.mktemp("demo") / "data", "--demo") as running:
            yield running, door


@pytest.fixture
def door(demo):
    """The closed door; it is open again after the test."""
    demo[1].touch()
    yield demo[1]
    demo[1].unlink(missing_ok=True)


def drawn(folder, side, name="block.stl"):
    return write_stl(folder / name, np.array(trimesh.creation.box((side, side, side)).triangles))


def row(demo, question, *values):
    with sqlite3.connect(demo[0].data_dir / "fablab.db") as connection:
        return connection.execute(question, values).fetchone()


def upload(page, part):
    page.goto("/orders/")
    page.set_input_files("#file", part)
    page.wait_for_url(re.compile("/orders/.+"))


def is_too_wide(page):
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.mark.parametrize(("language", "phone"), [("en", False), ("fr", True)])
def test_about_becomes_checked_by_itself_and_is_printed_without_another_slice(
    chromium, demo, door, tmp_path, language, phone
):
    words = WORDS[language]
    page = open_page(chromium, demo[0], "alice", language=language, phone=phone)
    upload(page, drawn(tmp_path, 21 if phone else 22))
    time = page.locator("#price dd").nth(1)
    expect(time).to_contain_text(words["about"])
    expect(time).to_contain_text("±")
    expect(page.locator(".checking")).to_be_visible()
    door.unlink()
    expect(page.locator(".checking.done")).to_contain_text(words["checked"], timeout=60_000)
    expect(time).not_to_contain_text(words["about"])
    assert not is_too_wide(page)
    sliced = row(demo, "select count(*) from slice")
    page.get_by_role("button", name=words["confirm"]).click()
    expect(page.locator("#progress")).to_be_visible()
    public_id = page.url.rsplit("/", 1)[-1]
    question = "select kind from job_event join job on job.id = job_id join print_order o on o.id = order_id"
    with sqlite3.connect(demo[0].data_dir / "fablab.db") as connection:
        kinds = {kind for (kind,) in connection.execute(f"{question} where o.public_id = ?", (public_id,))}
    assert "job_created" in kinds
    assert "job_slicing" not in kinds
    assert row(demo, "select count(*) from slice") == sliced
    assert page.errors == []


def test_choices_that_come_back_are_asked_for_again(chromium, demo, door, tmp_path):
    page = open_page(chromium, demo[0], "gaelle")
    upload(page, drawn(tmp_path, 25))
    for copies in ("2", "3", "2"):
        page.fill("#quantity", copies)
        expect(page.locator(f"#price[data-fragment*='quantity={copies}']:not([data-check])")).to_be_visible()
    door.unlink()
    expect(page.locator(".checking.done")).to_be_visible(timeout=60_000)
    assert page.errors == []


def test_only_the_choices_that_rest_are_checked(chromium, demo, door, tmp_path):
    page = open_page(chromium, demo[0], "emilie", phone=True)
    upload(page, drawn(tmp_path, 23))
    for copies in ("2", "3", "4", "70"):
        page.fill("#quantity", copies)
    expect(page.locator("#price .plates")).to_be_visible()
    assert not is_too_wide(page)
    expect(page.locator("#price[data-check]")).to_have_count(0, timeout=10_000)
    door.unlink()
    expect(page.locator(".checking.done")).to_be_visible(timeout=60_000)
    newest = "select model_sha256 from order_line order by id desc limit 1"
    with sqlite3.connect(demo[0].data_dir / "fablab.db") as connection:
        asked = connection.execute(f"select copies from slice_request where model_sha256 = ({newest})").fetchall()
    assert sorted(copies for (copies,) in asked) == [1, 14, 56]
    expect(page.locator("#quantity")).to_have_value("70")
    assert page.errors == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_part_on_a_needle_is_told_before_it_is_paid(chromium, demo, tmp_path, language):
    leg = trimesh.creation.cylinder(radius=0.1, height=10 if language == "en" else 11)
    table = trimesh.util.concatenate([leg, trimesh.creation.box((20, 20, 5)).apply_translation([0, 0, 7])])
    page = open_page(chromium, demo[0], "farid", language=language)
    upload(page, write_stl(tmp_path / "table.stl", np.array(table.triangles)))
    expect(page.locator("#price .notice.bad")).to_contain_text(WORDS[language]["flat"], timeout=60_000)
    expect(page.get_by_role("button", name=WORDS[language]["confirm"])).to_have_count(0)
    page.get_by_label("under overhangs" if language == "en" else "sous les surplombs").check()
    expect(page.locator(".checking.done")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name=WORDS[language]["confirm"])).to_be_visible()
    assert page.errors == []


def test_without_javascript_a_reload_shows_what_was_found(chromium, demo, door, tmp_path):
    page = open_page(chromium, demo[0], "denis", language="fr", javascript=False)
    page.set_input_files("#file", drawn(tmp_path, 24))
    page.get_by_role("button", name="Voir le prix").click()
    expect(page.locator(".checking")).to_contain_text("Rechargez cette page")
    page.fill("#quantity", "2")
    page.get_by_role("button", name="Mettre le prix à jour").click()
    expect(page.locator(".checking")).to_contain_text("Vérification en cours")
    door.unlink()

    def is_checked():
        page.reload()
        return page.locator(".checking.done").count() == 1

    wait_until(is_checked, 60, 0.5)
    page.get_by_role("button", name="Confirmer pour").click()
    expect(page.locator("#progress")).to_contain_text("2 exemplaires")
