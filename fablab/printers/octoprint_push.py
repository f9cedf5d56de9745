"""Following an OctoPrint over its push socket: it says what changes, and nobody has to ask.

The raw endpoint speaks JSON in plain frames. One login with the key gives a session, one subscription leaves out what
is not needed (terminal lines, plugins). Messages are not replayed after a cut, so what comes is only a reason to look.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from fablab.printers.addresses import Target, check_address
from fablab.printers.asking import post
from fablab.printers.contract import Denied, Failure, NobodyKnows, Notice, NotSent, Reach, Reading, Sign
from fablab.printers.octoprint import reading_of
from fablab.words import say

FRAME_EVERY_HALF_S = 2
"""One frame a second: half the processor of two, and the events that matter do not wait for it."""
EVENTS = ("PrinterStateChanged", "PrintFailed")
ANSWER_WITHIN_S = 10.0
PING_EVERY_S, PONG_WITHIN_S = 5.0, 5.0
LONGEST_SILENCE_S = 300.0  # an OctoPrint whose machine is off says nothing for hours; a session may also have lapsed
LARGEST_FRAME = 1_000_000  # the history of temperatures, once for each connection, is the largest: 60 kB to 93 kB

quiet = logging.getLogger("fablab.printers.frames")
quiet.setLevel(logging.WARNING)  # frames hold the session, and the log is no place for it


class Connect(connect):
    """A connection to the one server that was checked: redirects are refused, proxies are not asked."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def follow(reach: Reach, notice: Notice) -> None:
    """Follow an OctoPrint until its socket ends; a session that has lapsed is an end without a problem."""
    target = await asyncio.to_thread(check_address, reach.address, reach.networks)
    try:
        session = await _log_in(target, reach.key)
        async with _socket(target) as socket:
            await _subscribe(socket, session)
            while await _heard(socket, notice):
                pass
    except WebSocketException as error:
        raise NobodyKnows(say("The connection to the printer broke before it answered.")) from error
    except OSError as error:
        raise NotSent(say("The printer does not answer at its address.")) from error


async def _log_in(target: Target, key: str | None) -> str:
    denied = not key or not key.isprintable()
    if not denied:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            status, who = await post(target, "/api/login", {"X-Api-Key": str(key)}, {"passive": True})
    if denied or status in (400, 401, 403):
        raise Denied(say("OctoPrint does not accept the key, or the key may not do this."))
    if status != 200:
        raise NobodyKnows(say("The printer's server answered with an error ({status}).", status=status))
    if not isinstance(who, dict) or not who.get("session"):
        raise NobodyKnows(say("The printer's answer was not one of OctoPrint."))
    return f"{who.get('name')}:{who['session']}"


def _socket(target: Target) -> Connect:
    """Return the socket of the very number that was checked, asked for by the name of the address."""
    parts = urlsplit(target.base_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return Connect(
        f"{scheme}://{target.host_header}{target.prefix}/sockjs/websocket",
        host=parts.hostname,
        port=parts.port,
        proxy=None,
        compression=None,
        max_size=LARGEST_FRAME,
        open_timeout=ANSWER_WITHIN_S,
        ping_interval=PING_EVERY_S,
        ping_timeout=PONG_WITHIN_S,
        close_timeout=1,
        user_agent_header=None,
        logger=quiet,
    )


async def _subscribe(socket: ClientConnection, session: str) -> None:
    state = {"logs": False, "messages": False}
    for message in (
        {"subscribe": {"state": state, "plugins": False, "events": list(EVENTS)}},
        {"throttle": FRAME_EVERY_HALF_S},
        {"auth": session},
    ):
        await socket.send(json.dumps(message))


async def _heard(socket: ClientConnection, notice: Notice) -> bool:
    """Wait for one frame and pass on what it means; False when OctoPrint wants a new login."""
    async with asyncio.timeout(LONGEST_SILENCE_S):
        frame = await socket.recv()
    try:
        message = json.loads(frame)
        sign = sign_of(message)
        lapsed = "reauthRequired" in message
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise NobodyKnows(say("The printer's answer was not one of OctoPrint.")) from error
    if sign is not None:
        notice(sign)
    return not lapsed


def sign_of(message: dict[str, Any]) -> Sign | None:
    """Return what a message of the socket is a sign of; most kinds of messages are of none."""
    current = message.get("current") or message.get("history")
    if current is not None:
        return Sign(_reading(current))
    event = message.get("event")
    if event is None or event["type"] not in EVENTS:
        return None
    payload = event.get("payload") or {}
    if event["type"] == "PrintFailed" and payload.get("error"):
        return Sign(failure=Failure(str(payload.get("path")), str(payload["error"])[:300]))
    return Sign()


def _reading(current: dict[str, Any]) -> Reading:
    state = current["state"]
    return reading_of({**current, "state": state["text"], "error": state.get("error")})
