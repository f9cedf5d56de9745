"""The line to a printer's server, which can be cut, slowed and lied on: an HTTP proxy in front of a real OctoPrint."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

import requests

from fablab.printers.simulated import Fault

FILES = "/api/files/local"
SILENT_ANSWERS = {"upload": (201, b'{"done": true}'), "look": (200, b"{}"), "history": (200, b"{}")}
HELD_S = 30.0


class Line:
    """Forwards to one server; `fail_next` lets the next command of a kind fail on its way.

    `then` is done after an answer was cut off; `on_its_way` counts the requests that are not through.
    """

    def __init__(self, target: str, late_s: float) -> None:
        self.target, self.late_s = target, late_s
        self.faults: defaultdict[str, list[Fault]] = defaultdict(list)
        self.then: Callable[[], None] = lambda: None
        self.on_its_way = 0
        self._port = 0
        self._server: http.server.ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        """Where the server is reached through this line."""
        return f"http://127.0.0.1:{self._port}"

    def open(self) -> None:
        """Serve, again at the same port after it was closed."""
        self._server = _Server(("127.0.0.1", self._port), type("Forward", (_Forward,), {"line": self}))
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Be away: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def fail_next(self, command: str, fault: Fault) -> None:
        """Let the next such command fail."""
        self.faults[command].append(fault)


class _Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Forward(http.server.BaseHTTPRequestHandler):
    """One request: forwarded, or what its fault makes of it. Connections are not kept, as each may be cut."""

    line: Line

    def handle_any(self) -> None:
        self.line.on_its_way += 1
        try:
            self._handle()
        finally:
            self.line.on_its_way -= 1

    do_GET = do_POST = do_DELETE = handle_any  # noqa: N815

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        command = command_of(self.command, self.path, body)
        waiting = self.line.faults[command]
        fault = waiting.pop(0) if waiting else None
        if fault == Fault.REFUSED:
            self._answer(409, b'{"error": "No."}')
        elif fault == Fault.SILENT:
            self._answer(*SILENT_ANSWERS.get(command, (204, b"")))
        elif fault == Fault.CUT_BEFORE:
            self._cut()
        elif fault == Fault.LATE:
            self._cut()
            time.sleep(self.line.late_s)
            self._forward(body)
        elif fault == Fault.CUT_AFTER:
            self._forward(body)
            self.line.then()
            self._cut()
        else:
            status, content = self._forward(body)
            if fault == Fault.SLOW:
                time.sleep(self.line.late_s)
            self._answer(status, content)

    def _forward(self, body: bytes) -> tuple[int, bytes]:
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        answer = requests.request(
            self.command, self.line.target + self.path, data=body, headers=headers, timeout=HELD_S
        )
        return answer.status_code, answer.content

    def _answer(self, status: int, content: bytes) -> None:
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def _cut(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def command_of(method: str, path: str, body: bytes) -> str:
    """Return the command of our contract that a request to OctoPrint is."""
    if method == "GET":
        return {"/api/job": "look"}.get(path, "history" if path.startswith(FILES) else "")
    if method == "DELETE":
        return "delete"
    if path == FILES:
        return "upload"
    said = json.loads(body or b"{}")
    if path.startswith(FILES):
        return "start" if said.get("print") else "select"
    if path == "/api/job":
        return {"cancel": "cancel", "pause": str(said.get("action"))}.get(said["command"], "")
    return "connect" if path == "/api/connection" else ""


@contextlib.contextmanager
def line_to(target: str, late_s: float) -> Iterator[Line]:
    """Give a line to a server for the block."""
    line = Line(target, late_s)
    line.open()
    try:
        yield line
    finally:
        line.close()
