"""OctoPrint look-alikes: many in one process, with real HTTP and a real push socket, sizes and rhythm of the real one.

They print by the clock, so that what was true when is known exactly, and they can freeze, die, and talk nonsense.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import random
import re
import time
from dataclasses import dataclass, field
from urllib.parse import unquote

from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

quiet = logging.getLogger("look-alike")
quiet.setLevel(logging.WARNING)

KEY = "a" * 32
CONNECTED = {"connected": {"version": "1.11.8", "permissions": ["x" * 70] * 95}}
HEADERS = (
    "Content-Type: application/json\r\nCache-Control: max-age=0\r\nX-Clacks-Overhead: GNU Terry Pratchett\r\n"
    "Server-Timing: app;dur=0\r\nX-Robots-Tag: noindex, nofollow, noimageindex\r\n"
    "X-Content-Type-Options: nosniff\r\nX-Frame-Options: sameorigin\r\n"
)
TEMPERATURES = [{"time": 1_790_000_000 + n, "tool0": {"actual": 210.1, "target": 210.0}} for n in range(1000)]
ROOM = ["Recv: ok T:210.0 /210.0 B:60.0 /60.0 @:64"] * 55


@dataclass
class Print:
    """A print on its way: from `progress` (0..1) at `since`, so many seconds a whole one takes."""

    name: str
    since: float
    progress: float
    duration_s: float

    def progress_at(self, now: float) -> float:
        return min(1.0, self.progress + (now - self.since) / self.duration_s)


@dataclass
class LookAlike:
    """One OctoPrint that is none. `first_progress` and `duration_s` say how the prints go that are started."""

    duration_s: float = 1800.0
    first_progress: float = 0.0
    state: str = "Operational"
    selected: str | None = None
    printing: Print | None = None
    files: dict[str, dict] = field(default_factory=dict)
    refuses_key: bool = False
    nonsense: str | None = None
    """What is sent on the socket instead of frames; empty: it is closed at once."""
    requests: list[str] = field(default_factory=list)
    sockets: int = 0
    frames: int = 0
    log: list[tuple[float, str, object]] = field(default_factory=list)
    port: int = 0

    async def open(self, port: int = 0) -> None:
        """Listen; on the same port again after `die`."""
        self._connections: set[asyncio.StreamWriter] = set()
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._event = asyncio.Event()
        self._failed: dict | None = None
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    # What happens to it ----------------------------------------------------------------------------------------------

    def freeze(self) -> None:
        """Go on accepting connections, and never answer."""
        self.log.append((time.time(), "frozen", None))
        self._thawed.clear()

    def die(self) -> None:
        """Close everything: connections are refused from now on."""
        self.log.append((time.time(), "dead", None))
        self._server.close()
        for writer in list(self._connections):
            writer.transport.abort()

    def start(self, name: str) -> None:
        """Print a file, as a command or somebody at the machine does."""
        now = time.time()
        self.selected = name
        self.printing = Print(name, now, self.first_progress, self.duration_s)
        self.log.append((now, "start", [name, self.first_progress, self.duration_s]))
        self._turn("Printing")
        left_s = (1 - self.first_progress) * self.duration_s
        asyncio.get_running_loop().call_later(left_s, self._finish, self.printing)

    def pause(self) -> None:
        """Pause, as somebody does in OctoPrint itself."""
        if self.printing is not None:
            now = time.time()
            self.printing = Print(self.printing.name, now, self.printing.progress_at(now), 1e12)
            self._turn("Paused")

    def cancel(self, error: str | None = None) -> None:
        """Stop the print."""
        if self.printing is not None:
            self.files[self.printing.name]["prints"]["failure"] += 1
            self._failed = {"path": self.printing.name, "reason": "error" if error else "cancelled", "error": error}
            self.printing = None
            self._turn("Operational")

    def _finish(self, which: Print) -> None:
        if self.printing is which:
            self.files.setdefault(which.name, new_file(b""))["prints"]["success"] += 1
            self.printing = None
            self._turn("Operational")

    def _turn(self, state: str) -> None:
        self.state = state
        self.log.append((time.time(), "state", state))
        self._event.set()
        self._event = asyncio.Event()

    def connected(self) -> bool:
        """Tell whether anybody holds a connection."""
        return bool(self._connections)

    # What it answers -------------------------------------------------------------------------------------------------

    def job(self) -> dict:
        now, name = time.time(), self.selected
        progress = None if self.printing is None else 100 * self.printing.progress_at(now)
        left = None if self.printing is None else (1 - self.printing.progress_at(now)) * self.printing.duration_s
        file = {
            "name": name,
            "path": name,
            "display": name,
            "origin": "local",
            "size": 1_000_000,
            "date": 1_795_408_963,
        }
        return {
            "job": {
                "file": file if name else dict.fromkeys(file),
                "averagePrintTime": None,
                "estimatedPrintTime": 1800.33,
                "filament": {"tool0": {"length": 9950.5, "volume": 0.0}},
                "lastPrintTime": None,
                "user": "fablab",
            },
            "progress": {"completion": progress, "filepos": 1828, "printTime": 5, "printTimeLeft": left},
            "state": self.state,
        }

    def current(self) -> dict:
        job = self.job()
        flags = dict.fromkeys(("operational", "printing", "paused", "pausing", "error", "ready", "finishing"), False)
        state = {"text": job.pop("state"), "flags": flags, "error": ""}
        return {**job, "state": state, "temps": TEMPERATURES[:1], "offsets": {}, "resends": {"count": 0}, "logs": ROOM}

    def answer(self, method: str, path: str, kind: str, body: bytes) -> tuple[int, object]:
        name = unquote(path.removeprefix("/api/files/local/"))
        if self.refuses_key:
            return 403, {"error": "You don't have the permission to access the requested resource."}
        if path == "/api/version":
            return 200, {"api": "0.1", "server": "1.11.8", "text": "OctoPrint 1.11.8"}
        if path == "/api/login":
            return 200, {"name": "fablab", "session": "s" * 32, "_is_external_client": False}
        if (method, path) == ("GET", "/api/job"):
            return 200, self.job()
        if path == "/api/printer":
            return 200, {"state": self.current()["state"], "temperature": {"tool0": {"actual": 210.0, "target": 210.0}}}
        if (method, path) == ("POST", "/api/files/local"):
            found = re.search(rb'filename="([^"]+)".*?\r\n\r\n(.*)\r\n--', body, re.DOTALL)
            self.files[found[1].decode()] = new_file(found[2])
            return 201, {"done": True, "effectivePrint": False, "effectiveSelect": False}
        if path.startswith("/api/files/local/"):
            return self._answer_about(method, name, body)
        return 404, {"error": "not found"}

    def _answer_about(self, method: str, name: str, body: bytes) -> tuple[int, object]:
        if name not in self.files:
            return 404, {"error": "not found"}
        if method == "GET":
            return 200, {"name": name, "path": name, "origin": "local", **self.files[name]}
        if method == "DELETE":
            if self.printing is not None and self.printing.name == name:
                return 409, {"error": "in use"}
            del self.files[name]
            self.selected = None if self.selected == name else self.selected
            return 204, None
        if self.printing is not None:
            return 409, {"error": "already printing"}
        self.selected = name
        if json.loads(body).get("print"):
            self.start(name)
        return 204, None

    # How it talks ----------------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; tell whether the connection stays."""
        head = await reader.readuntil(b"\r\n\r\n")
        await self._thawed.wait()
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method, target, version = first.split()
        path = target.partition("?")[0]
        self.requests.append(f"{method} {path}")
        if headers.get("upgrade") == "websocket":
            await self._talk(head, reader, writer)
            return False
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        status, content = self.answer(method, path, headers.get("content-type", ""), body)
        text = b"" if content is None else json.dumps(content, indent=2).encode()
        writer.write(f"HTTP/1.1 {status} OK\r\n{HEADERS}Content-Length: {len(text)}\r\n\r\n".encode() + text)
        return version == "HTTP/1.1"

    async def _talk(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sockets += 1
        protocol = ServerProtocol(logger=quiet)
        protocol.receive_data(head)
        protocol.send_response(protocol.accept(protocol.events_received()[0]))
        writer.write(b"".join(protocol.data_to_send()))
        pushing: list[asyncio.Task] = []
        pace = {"throttle": 1, "changed": asyncio.Event()}
        try:
            while data := await reader.read(65_536):
                await self._thawed.wait()
                protocol.receive_data(data)
                for frame in protocol.events_received():
                    if isinstance(frame, Frame) and frame.opcode is Opcode.TEXT:
                        message = json.loads(frame.data)
                        if "throttle" in message:
                            pace["throttle"] = message["throttle"]
                            pace["changed"].set()
                        if "auth" in message:
                            pushing.append(asyncio.create_task(self._push(protocol, writer, pace)))
                writer.write(b"".join(protocol.data_to_send()))
        finally:
            for task in pushing:
                task.cancel()

    async def _push(self, protocol: ServerProtocol, writer: asyncio.StreamWriter, pace: dict) -> None:
        def send(message: object) -> None:
            text = message if isinstance(message, str) else json.dumps(message)
            protocol.send_text(text.encode())
            writer.write(b"".join(protocol.data_to_send()))

        if self.nonsense is not None:
            if self.nonsense:
                send(self.nonsense)
            else:
                writer.transport.abort()
            return
        send(CONNECTED)
        send({"history": {**self.current(), "temps": TEMPERATURES}})
        seen = self.state
        sent = time.monotonic() - random.uniform(0, 0.5 * pace["throttle"])
        while True:
            waiting = [asyncio.ensure_future(event.wait()) for event in (self._event, pace["changed"])]
            left = max(0.0, sent + 0.5 * pace["throttle"] - time.monotonic())
            await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for each in waiting:
                each.cancel()
            pace["changed"].clear()
            await self._thawed.wait()
            if seen != self.state:
                seen = self.state
                send({"event": {"type": "PrinterStateChanged", "payload": {"state_string": self.state}}})
            if self._failed is not None:
                send({"event": {"type": "PrintFailed", "payload": self._failed}})
                self._failed = None
            if time.monotonic() >= sent + 0.5 * pace["throttle"]:
                send({"current": self.current()})
                self.frames += 1
                sent = time.monotonic()


def new_file(content: bytes) -> dict:
    """Return what OctoPrint knows of a file that was never printed."""
    digest = hashlib.sha1(content).hexdigest()
    return {"hash": digest, "size": len(content), "prints": {"success": 0, "failure": 0}}
