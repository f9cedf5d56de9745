"""What axe finds wrong with a page: axe-core 4.14.1 (MPL-2.0, as it was published), for the tests only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from playwright.sync_api import Page

PROGRAM = Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js"
OF_THE_SIZE = ("color-contrast", "scrollable-region-focusable", "target-size", "link-in-text-block", "list", "region")
"""Rules that may say something else when the window has another size."""


@cache
def _program() -> str:
    return PROGRAM.read_text()


def problems(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """Return what shuts people out of a page as it is shown now, each with the rule and where it is."""
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(_program())
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = page.evaluate(f"axe.run(document, {json.dumps(options)})")
    return [f"{each['id']}: {node['html'][:200]}" for each in found["violations"] for node in each["nodes"]]
