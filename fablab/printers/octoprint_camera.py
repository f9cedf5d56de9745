"""Where OctoPrint's camera is for us: its settings name it as OctoPrint's own machine or a browser would reach it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from fablab.errors import Problem
from fablab.printers.cameras import check_camera

LONGEST = 500


def picture_of(settings: Mapping[str, Any], octoprint: str, allowed_networks: Sequence[str]) -> str:
    """Return the address of a single picture by what `/api/settings` of an OctoPrint says, or nothing.

    Nothing, too, when the picture is where no printer may be: nobody is pointed elsewhere by a printer's server.
    """
    webcam = settings.get("webcam")
    if not isinstance(webcam, dict) or webcam.get("webcamEnabled") is False:
        return ""
    said = webcam.get("snapshotUrl")
    if not isinstance(said, str) or not said.strip():
        return ""
    try:
        parts = urlsplit(urljoin(octoprint.strip().rstrip("/") + "/", said.strip()))
        address = urlunsplit(_from_here(parts, urlsplit(octoprint.strip())))
        check_camera(address, allowed_networks)
    except (Problem, ValueError):
        return ""
    return address if len(address) <= LONGEST else ""


def _from_here(parts: SplitResult, octoprint: SplitResult) -> SplitResult:
    """Take OctoPrint's machine for what OctoPrint calls its own."""
    if not _is_own(parts.hostname or "") or not octoprint.hostname:
        return parts
    host = f"[{octoprint.hostname}]" if ":" in octoprint.hostname else octoprint.hostname
    return parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host)


def _is_own(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
