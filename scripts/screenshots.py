"""Takes the pictures of the README from a demo place that it runs itself."""

import io
import re
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import FLAGS
from tests.running import System, system

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
DESKTOP, PHONE = {"width": 1180, "height": 900}, {"width": 390, "height": 844}
COLOURS = 256
"""Enough for flat pages, chosen so that neither a small swatch nor the ground loses its colour."""


def main() -> None:
    """Write the pictures of a place in which two prints are on their way and much is to do."""
    with tempfile.TemporaryDirectory() as folder, system(Path(folder) / "data", "--demo") as demo:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            bob = _room(browser, demo)
            bob.goto("/board/")
            bob.get_by_role("button", name="All good").first.click()  # so that a printer is free
            bob.wait_for_load_state()
            _member(browser, demo, Path(folder) / "data" / "samples" / "pot.stl")


def _room(browser: Browser, demo: System) -> Page:
    board = _page(browser, demo, "bob", DESKTOP)
    board.goto("/board/")
    board.wait_for_selector(".machine progress", timeout=90_000)
    _keep(board, "board-desktop", whole=True)
    dark = _page(browser, demo, "bob", DESKTOP, dark=True)
    dark.goto("/board/")
    _keep(dark, "board-dark")
    phone = _page(browser, demo, "bob", PHONE)
    phone.goto("/board/")
    _keep(phone, "board-phone")
    phone.goto("/pick-up/")
    _keep(phone, "pick-up-phone")
    board.goto("/wall")
    board.wait_for_load_state("networkidle")
    _keep(board, "wall")
    return board


def _member(browser: Browser, demo: System, part: Path) -> None:
    alice = _page(browser, demo, "alice", DESKTOP)
    alice.set_input_files("#file", part)
    alice.wait_for_url(re.compile("/orders/.+"))
    alice.wait_for_selector("[data-viewer-state=ready]")
    alice.wait_for_selector(".checking.done", timeout=60_000)
    _keep(alice, "part-desktop")
    alice.get_by_role("button", name="Confirm for").click()
    alice.wait_for_load_state()
    french = _page(browser, demo, "alice", PHONE, language="fr")
    french.goto(alice.url)
    french.wait_for_selector("progress", timeout=90_000)
    _keep(french, "order-phone-fr")


def _page(
    browser: Browser, demo: System, who: str, size: dict[str, int], *, language: str = "en", dark: bool = False
) -> Page:
    context = browser.new_context(
        viewport=size,
        locale=language,
        base_url=demo.url,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    opened = context.new_page()
    opened.goto("/")
    opened.fill("#email", f"{who}@demo.example")
    opened.fill("#password", "fablab-demo")
    opened.click("main button.primary")
    opened.wait_for_load_state()
    return opened


def _keep(page: Page, name: str, *, whole: bool = False) -> None:
    """Write what a page shows, or the whole of it, as a small PNG with a palette."""
    page.wait_for_function("[...document.images].every(each => each.loading === 'lazy' || each.complete)")
    shot = Image.open(io.BytesIO(page.screenshot(full_page=whole))).convert("RGB")
    small = shot.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    small.save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
