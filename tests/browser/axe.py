"""What axe finds wrong with a page: axe-core 4.14.1 (MPL-2.0, as it was published), for the tests only."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

PROGRAM = Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js"


@cache
def _program() -> str:
    return PROGRAM.read_text()


def problems(page: Page) -> list[str]:
    """Return what shuts people out of a page as it is shown now, each with the rule and where it is."""
    page.evaluate(_program())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{each['id']}: {node['html'][:200]}" for each in found["violations"] for node in each["nodes"]]
