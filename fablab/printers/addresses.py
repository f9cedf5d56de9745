"""Where a printer may live: an address is checked before anything is sent to it, so nobody points us elsewhere."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from fablab.errors import Problem
from fablab.printers.contract import NotSent
from fablab.words import say

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Target:
    """A checked address: what to connect to, and the name to ask for there."""

    base_url: str
    prefix: str
    host_header: str


class BadAddress(Problem):
    """An address no printer has."""


def check_address(address: str, allowed_networks: Sequence[str]) -> Target:
    """Return the target of a printer's address, connected by the very number that was checked.

    Raises `BadAddress` in words for other schemes, passwords, queries and networks, `NotSent` for unknown names.
    """
    parts = urlsplit(address.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadAddress(say("An address starts with http:// or https://, like http://192.168.1.20."))
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BadAddress(say("An address has no password and no question mark in it."))
    port = _port(parts.port if _has_good_port(address) else None, parts.scheme)
    number = _resolve(parts.hostname, port, allowed_networks)
    host = f"[{number}]" if number.version == 6 else str(number)
    # A certificate is made out to a name, so only plain HTTP can be pinned to the number.
    reach = host if parts.scheme == "http" else parts.hostname
    return Target(f"{parts.scheme}://{reach}:{port}", parts.path.rstrip("/"), parts.netloc)


def _has_good_port(address: str) -> bool:
    try:
        urlsplit(address.strip()).port  # noqa: B018 - reading it is the check
    except ValueError:
        raise BadAddress(say("The port of this address is not a number up to 65535.")) from None
    return True


def _port(port: int | None, scheme: str) -> int:
    return port or (443 if scheme == "https" else 80)


def _resolve(host: str, port: int, allowed_networks: Sequence[str]) -> Address:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise NotSent(say("There is no machine called “{host}” on this network.", host=host)) from None
    numbers = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    networks = [ipaddress.ip_network(network) for network in allowed_networks]
    for number in numbers:
        if not _may_be_printer(number, networks):
            raise BadAddress(
                say(
                    "{number} is not in a network where printers may live (FABLAB_PRINTER_NETWORKS).",
                    number=str(number),
                )
            )
    return numbers[0]


def _may_be_printer(number: Address, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    mapped = getattr(number, "ipv4_mapped", None)
    if mapped is not None or number.is_link_local or number.is_multicast or number.is_unspecified:
        return False
    return any(number in network for network in networks if network.version == number.version)
