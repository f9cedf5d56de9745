"""Following an OctoPrint over its push socket: it says what changes, and nobody has to ask.

The raw endpoint speaks JSON in plain frames. One login with the key gives a session, one subscription leaves out what
is not needed (terminal lines, plugins). Messages are not replayed after a cut, so what comes is only a reason to look.
"""

from __future__ import annotations

import asyncio
import json
import logging
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

from fablab.printers.addresses import Target, check_address
from fablab.printers.asking import post
from fablab.printers.contract import Denied, Failure, NobodyKnows, Notice, NotSent, Reach, Reading, Sign
from fablab.printers.octoprint import reading_of
from fablab.printers.pacing import OFTEN_HALF_S, Pace
from fablab.words import say

EVENTS = ("PrinterStateChanged", "PrintFailed")
ANSWER_WITHIN_S = 10.0
PING_AFTER_S, PONG_WITHIN_S = 10.0, 5.0
LONGEST_SILENCE_S = 300.0  # an OctoPrint whose machine is off says nothing for hours; a session may also have lapsed
LARGEST_FRAME = 1_000_000  # the history of temperatures, once for each connection, is the largest: 60 kB to 93 kB

CONTROL = frozenset({Opcode.CLOSE, Opcode.PING, Opcode.PONG})

quiet = logging.getLogger("fablab.printers.frames")
quiet.setLevel(logging.WARNING)  # frames hold the session, and the log is no place for it


class Connect(connect):
    """A connection to the one server that was checked: redirects are refused, proxies are not asked."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Listener(ClientConnection):
    """A connection whose frames are read where they arrive: half the processor of a queue and a task for each."""

    def __init__(self, *arguments: Any, notice: Notice, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._notice = notice
        self._pace, self._half_s = Pace(), OFTEN_HALF_S
        self.heard = self.lapsed = self.is_nonsense = False

    def process_event(self, event: Event) -> None:
        if not isinstance(event, Frame) or event.opcode in CONTROL:
            super().process_event(event)
            return
        self.heard = True
        try:
            message = json.loads(str(event.data, "utf-8"))
            sign = sign_of(message)
            self.lapsed = "reauthRequired" in message
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            self.is_nonsense, sign = True, None
        if sign is not None:
            self._notice(sign)
        if sign is not None and sign.reading is not None:
            self._keep_pace(sign.reading)
        if self.is_nonsense or self.lapsed:
            self.transport.abort()

    def _keep_pace(self, reading: Reading) -> None:
        """Ask for frames as often as they matter; events come at once, whatever was asked for."""
        wanted = self._pace.half_seconds(reading, self.loop.time())
        if wanted != self._half_s:
            self._half_s = wanted
            self.protocol.send_text(json.dumps({"throttle": wanted}).encode())
            self.send_data()


async def follow(reach: Reach, notice: Notice) -> None:
    """Follow an OctoPrint until its socket ends; a session that has lapsed is an end without a problem."""
    target = await asyncio.to_thread(check_address, reach.address, reach.networks)
    try:
        session = await _log_in(target, reach.key)
        async with _socket(target, notice) as socket:
            assert isinstance(socket, Listener)
            await _subscribe(socket, session)
            await _until_it_ends(socket)
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


def _socket(target: Target, notice: Notice) -> Connect:
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
        ping_interval=None,
        close_timeout=1,
        user_agent_header=None,
        logger=quiet,
        create_connection=partial(Listener, notice=notice),  # type: ignore[arg-type]  # all that is done is calling it
    )


async def _subscribe(socket: ClientConnection, session: str) -> None:
    state = {"logs": False, "messages": False}
    for message in (
        {"subscribe": {"state": state, "plugins": False, "events": list(EVENTS)}},
        {"throttle": OFTEN_HALF_S},
        {"auth": session},
    ):
        await socket.send(json.dumps(message))


async def _until_it_ends(socket: Listener) -> None:
    """Wait for the end. A socket that says nothing, as when its machine is off, is asked whether it is still there."""
    silent_s = 0.0
    while silent_s < LONGEST_SILENCE_S and not await _closed_within(socket, PING_AFTER_S):
        silent_s = 0.0 if socket.heard else silent_s + PING_AFTER_S
        if not socket.heard:
            async with asyncio.timeout(PONG_WITHIN_S):
                await (await socket.ping())
        socket.heard = False
    if socket.is_nonsense:
        raise NobodyKnows(say("The printer's answer was not one of OctoPrint."))
    if silent_s < LONGEST_SILENCE_S and not socket.lapsed:
        raise NobodyKnows(say("The connection to the printer broke before it answered."))


async def _closed_within(socket: Listener, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await socket.wait_closed()
    except TimeoutError:
        return False
    return True


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
