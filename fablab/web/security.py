"""Requests from other sites are refused, and every answer carries the headers that keep a page to itself.

The check needs no token that can expire (docs/decisions/0003): browsers say where a request comes from.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from fablab.errors import Forbidden
from fablab.words import say

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


def install(app: Flask) -> None:
    """Check every request and complete every answer of `app`."""
    app.before_request(refuse_other_sites)
    app.after_request(add_headers)


def refuse_other_sites() -> None:
    """Refuse a changing request that a browser sends on behalf of another site.

    Browsers say so in `Sec-Fetch-Site`, over plain HTTP and in older ones by `Origin`; programs send neither.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        allowed = site in ("same-origin", "none")
    else:
        origin = request.headers.get("Origin")
        allowed = origin is None or urlsplit(origin).netloc == request.host
    if not allowed:
        raise Forbidden(say("This request came from another website and was refused."))


def add_headers(response: Response) -> Response:
    """Add the security headers; private pages are never kept by a cache."""
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
