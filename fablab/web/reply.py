"""What a request wants back: a page, a fragment of one, or JSON."""

from __future__ import annotations

from flask import request


def wants_json() -> bool:
    """Tell whether a program (or our own upload) asks, and not a person's browser."""
    return request.accept_mimetypes.best_match(("text/html", "application/json")) == "application/json"


def wants_fragment() -> bool:
    """Tell whether a live page asks for one of its parts."""
    return request.headers.get("X-Fragment") == "1"


def wants_page() -> bool:
    """Tell whether a whole page is wanted."""
    return not wants_json() and not wants_fragment()
