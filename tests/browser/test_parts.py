"""A part with something wrong in Chromium: noticed, mended with one button, priced; with and without JavaScript."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from fablab.slicing.reading import read_triangles
from fablab.slicing.samples import SAMPLES
from fablab.slicing.stl import write_stl
from tests.browser.somebody import open_page
from tests.slicing.drawn import one_object, three_mf
from tests.waiting import wait_until

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

WORDS = {
    "en": ("was it drawn in inches", "Convert from inches", "Scaled × 25.4", "Undo", "See the price"),
    "fr": ("a-t-elle été dessinée en pouces", "Convertir depuis les pouces", "× 25,4", "Annuler la", "Voir le prix"),
}


@pytest.fixture(scope="module")
def inch_part(tmp_path_factory):
    """A real part where there are some (FABLAB_CORPUS), one of ours otherwise, drawn in inches."""
    folder = os.environ.get("FABLAB_CORPUS")
    real = sorted(Path(folder).glob("*20mm_xyz_cube*.stl")) if folder else []
    triangles = read_triangles(real[0], real[0].name) if real else SAMPLES["knob"]()
    return write_stl(tmp_path_factory.mktemp("parts") / "inches.stl", np.asarray(triangles) / 25.4)


@pytest.mark.parametrize(("language", "javascript"), [("en", True), ("fr", False)], ids=["en", "fr, no script"])
def test_a_part_in_inches_is_converted_and_priced(chromium, demo, inch_part, language, javascript):
    noticed, convert, scaled, undo, see_price = WORDS[language]
    page = open_page(chromium, demo, "alice", language=language, phone=True, javascript=javascript)
    page.set_input_files("#file", inch_part)
    if not javascript:
        page.get_by_role("button", name=see_price).click()
    page.wait_for_url(re.compile("/orders/.+"))
    expect(page.locator("#finding-unit")).to_contain_text(noticed)
    before = page.locator("#price tfoot td").inner_text()
    page.fill("#quantity", "3")
    page.get_by_role("button", name=convert).click()
    expect(page.locator(".notice.done")).to_contain_text(scaled)
    expect(page.locator("#quantity")).to_have_value("3")
    expect(page.locator(".noticed")).to_have_count(0)
    expect(page.locator("#price tfoot td")).not_to_have_text(before)
    if javascript:
        expect(page.locator("[data-viewer-state=ready]")).to_be_visible()
    else:
        expect(page.locator(".viewer img")).to_be_visible()
        wait_until(lambda: page.evaluate("document.querySelector('.viewer img').naturalWidth") == 400, 30)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    page.get_by_role("button", name=undo).click()
    expect(page.locator("#finding-unit")).to_contain_text(noticed)
    assert page.errors == []


def test_a_3mf_with_an_open_side_is_closed_and_confirmed(chromium, demo, tmp_path):
    path = tmp_path / "open.3mf"
    path.write_bytes(three_mf(one_object(SAMPLES["calibration-cube"]()[:-2] / 10, "centimeter")))
    page = open_page(chromium, demo, "emilie")
    page.set_input_files("#file", path)
    page.wait_for_url(re.compile("/orders/.+"))
    expect(page.locator("#finding-open img")).to_be_visible()
    page.get_by_role("button", name="Close the hole").click()
    expect(page.locator(".notice.done")).to_contain_text("closed")
    expect(page.locator(".facts").first).to_contain_text("2.0 × 2.0 × 2.0 cm")
    page.get_by_role("button", name="Confirm for").click()
    expect(page.locator(".timeline [aria-current=step] > p:first-child strong")).to_have_text(
        re.compile("Confirmed|Being made")
    )
    page.goto("/orders/")
    shown = page.locator(".order", has_text="open.3mf").locator("img.thumb")
    expect(shown).to_be_visible()
    wait_until(lambda: shown.evaluate("image => image.complete && image.naturalWidth") == 400, 30)
    assert page.errors == []


def test_enter_in_a_field_looks_at_the_price_and_changes_nothing(chromium, demo, inch_part):
    page = open_page(chromium, demo, "alice", javascript=False)
    page.set_input_files("#file", inch_part)
    page.get_by_role("button", name="See the price").click()
    page.fill("#quantity", "4")
    page.press("#quantity", "Enter")
    expect(page.locator("#quantity")).to_have_value("4")
    expect(page.locator("#finding-unit")).to_be_visible()
    expect(page.locator(".notice.done")).to_have_count(0)
