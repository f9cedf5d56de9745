"""Takes the pictures of the README from a demo place that it runs itself."""

import re
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS
from tests.running import system

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
DESKTOP, PHONE = {"width": 1180, "height": 900}, {"width": 390, "height": 844}


def main() -> None:
    """Write the four pictures."""
    with tempfile.TemporaryDirectory() as folder, system(Path(folder) / "data", "--demo") as demo:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)

            def page(who: str, size: dict[str, int], language: str):
                context = browser.new_context(viewport=size, locale=language, base_url=demo.url)
                opened = context.new_page()
                opened.goto("/")
                opened.fill("#email", f"{who}@demo.example")
                opened.fill("#password", "fablab-demo")
                opened.click("main button.primary")
                opened.wait_for_load_state()
                return opened

            board = page("bob", DESKTOP, "en")
            board.goto("/board/")
            board.wait_for_selector(".task", timeout=90_000)
            alice = page("alice", DESKTOP, "en")
            alice.set_input_files("#file", Path(folder) / "data" / "samples" / "pot.stl")
            alice.wait_for_url(re.compile("/orders/.+"))
            alice.wait_for_selector("[data-viewer-state=ready]")
            alice.wait_for_selector(".checking.done", timeout=60_000)
            alice.screenshot(path=PICTURES / "part-desktop.png")
            alice.get_by_role("button", name="Confirm for").click()
            alice.wait_for_load_state()
            board.get_by_role("button", name="All good").first.click()
            board.wait_for_load_state()
            french = page("alice", PHONE, "fr")
            french.goto(alice.url)
            french.wait_for_selector("progress", timeout=60_000)
            french.wait_for_timeout(2500)
            french.screenshot(path=PICTURES / "order-phone-fr.png")
            board.screenshot(path=PICTURES / "board-desktop.png")
            phone = page("bob", PHONE, "en")
            phone.goto("/board/")
            phone.wait_for_timeout(800)
            phone.screenshot(path=PICTURES / "board-phone.png")


if __name__ == "__main__":
    main()
