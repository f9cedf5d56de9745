"""A picture of a printer's camera: fetched from where printers may live only, never for long and never a large one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import requests

from fablab.printers.addresses import Target, check_address
from fablab.printers.contract import NobodyKnows, NotSent
from fablab.words import say

CONNECT_S, READ_S, LONGEST_S = 2.0, 3.0, 6.0
LARGEST_BYTES = 1_500_000
KINDS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


@dataclass(frozen=True)
class Picture:
    """What a camera shows now."""

    content: bytes
    mime_type: str


def check_camera(address: str, allowed_networks: Sequence[str]) -> tuple[Target, str]:
    """Return where a camera's picture is and its query, such as `action=snapshot`; raises like `check_address`."""
    parts = urlsplit(address.strip())
    return check_address(urlunsplit(parts._replace(query="")), allowed_networks), parts.query


def fetch(address: str, allowed_networks: Sequence[str]) -> Picture:
    """Return the picture at an address. Raises `Problem`, whatever goes wrong."""
    target, query = check_camera(address, allowed_networks)
    path = urlsplit(address.strip()).path or "/"
    url = f"{target.base_url}{path}" + (f"?{query}" if query else "")
    try:
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Host": target.host_header, "Accept": "image/jpeg, image/png"}
            options = {"timeout": (CONNECT_S, READ_S), "allow_redirects": False, "stream": True}
            with session.get(url, headers=headers, **options) as response:  # type: ignore[arg-type]
                return _picture(response)
    except requests.RequestException as error:
        raise NotSent(say("The camera does not answer.")) from error


def _picture(response: requests.Response) -> Picture:
    if response.status_code != requests.codes.ok:
        raise NobodyKnows(say("What the camera answered is no picture."))
    content, ends = b"", time.monotonic() + LONGEST_S
    for chunk in response.iter_content(65_536):
        content += chunk
        if len(content) > LARGEST_BYTES or time.monotonic() > ends:
            raise NobodyKnows(say("The camera's picture is too large or too slow."))
    for beginning, mime_type in KINDS.items():
        if content.startswith(beginning):
            return Picture(content, mime_type)
    raise NobodyKnows(say("What the camera answered is no picture."))


def drawn(progress: float | None) -> Picture:
    """Return what the camera of a simulated printer shows: its part, as high as the print is far."""
    done = min(1.0, max(0.0, progress or 0.0))
    height = round(92 * done, 1)
    top = 146 - height
    content = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 180">'
        '<rect width="320" height="180" fill="#23272f"/>'
        '<path d="M60 20h200v136H60z" fill="none" stroke="#4a5160" stroke-width="8"/>'
        '<path d="M70 146h180l16 16H54z" fill="#3a404c"/>'
        f'<path d="M118 146h84v-{height}h-84z" fill="#f2711c"/>'
        f'<path d="M60 {top - 22}h200" stroke="#6b7383" stroke-width="6"/>'
        f'<path d="M146 {top - 30}h28v18l-10 10h-8l-10-10z" fill="#aeb6c4"/></svg>'
    )
    return Picture(content.encode(), "image/svg+xml")
