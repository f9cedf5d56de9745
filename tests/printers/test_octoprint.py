"""What only OctoPrint's driver meets: keys, rights, redirects, broken servers, and the words for its states."""

import contextlib
import http.server
import json
import threading

import pytest

from fablab.printers import Denied, NobodyKnows, NotSent, PrinterState, Refused, octorest_client, open_printer
from fablab.printers.octoprint import PERMISSIONS, reading_of


@contextlib.contextmanager
def server(answer):
    """Serve `answer(path, headers) -> (status, headers, body)` on a local port; requests are kept."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_any(self):
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            seen.append((self.command, self.path, dict(self.headers)))
            status, headers, body = answer(self.path, self.headers)
            if status is None:
                self.connection.close()
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        do_GET = do_POST = do_DELETE = handle_any  # noqa: N815

        def log_message(self, *_):
            pass

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_port}", seen
    finally:
        made.shutdown()
        made.server_close()


def words(body, status=200):
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


@pytest.mark.xdist_group("octoprint")
def test_a_wrong_key_is_denied_and_said(octoprint, tmp_path):
    printer = open_printer("octoprint", octoprint.address, "wrong")
    with pytest.raises(Denied):
        printer.look()
    with pytest.raises(Denied):
        printer.start("x.gcode")
    assert "does not accept this key" in str(printer.check()[-1].sentence)


def test_a_key_that_lacks_a_right_is_told_which():
    def answer(path, _headers):
        if path.startswith("/api/version"):
            return words({"server": "1.11.8", "api": "0.1"})
        return words({"name": "fablab", "permissions": [each for each in PERMISSIONS if each != "PRINT"]})

    with server(answer) as (address, _):
        findings = open_printer("octoprint", address, "key").check()
    assert "PRINT" in str(next(finding.sentence for finding in findings if not finding.ok))


def test_something_else_at_the_address_is_said():
    with server(lambda *_: words({"hello": "world"})) as (address, _):
        findings = open_printer("octoprint", address, "key").check()
    assert "not OctoPrint" in str(findings[-1].sentence)


def test_a_redirect_is_not_followed_and_the_key_stays_here():
    with server(lambda *_: words({"state": "Operational"})) as (elsewhere, stolen):
        redirect = 302, {"Location": f"{elsewhere}/api/job"}, b""
        with server(lambda *_: redirect) as (address, _), pytest.raises(NobodyKnows):
            open_printer("octoprint", address, "secret").look()
    assert stolen == []


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"Content-Type": "text/html"}, b"<html>router</html>"),
        (200, {"Content-Type": "application/json"}, b"[1, 2]"),
        (200, {"Content-Type": "application/json"}, b"{not json"),
        (200, {"Content-Type": "application/json"}, b" " * 2_000_000),
        (500, {}, b"oops"),
        (429, {}, b""),
        (None, {}, b""),
    ],
)
def test_a_broken_answer_means_nobody_knows(answer):
    with server(lambda *_: answer) as (address, _), pytest.raises(NobodyKnows):
        open_printer("octoprint", address, "key").look()


def test_a_slow_answer_means_nobody_knows(monkeypatch):
    monkeypatch.setattr(octorest_client, "READ_S", 0.2)
    late = threading.Event()

    def answer(*_):
        late.wait(3)
        return words({"state": "Operational"})

    with server(answer) as (address, _):
        with pytest.raises(NobodyKnows):
            open_printer("octoprint", address, "key").look()
        late.set()


def test_a_changing_request_is_sent_once():
    with server(lambda *_: (503, {}, b"")) as (address, seen), pytest.raises(NobodyKnows):
        open_printer("octoprint", address, "key").start("a.gcode")
    assert len(seen) == 1


def test_a_path_before_the_api_is_kept_and_names_are_quoted():
    with server(lambda *_: words({"error": "no"}, 409)) as (address, seen), pytest.raises(Refused):
        open_printer("octoprint", f"{address}/octo/", "key").start("a b.gcode")
    assert seen[0][1].startswith("/octo/api/files/local/a")


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/", "http://127.0.0.1:9"])
def test_a_closed_port_means_that_nothing_was_sent(address):
    with pytest.raises(NotSent):
        open_printer("octoprint", address, "key").start("a.gcode")


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Operational", PrinterState.READY),
        ("Starting", PrinterState.STARTING),
        ("Printing", PrinterState.PRINTING),
        ("Pausing", PrinterState.PAUSING),
        ("Paused", PrinterState.PAUSED),
        ("Resuming", PrinterState.RESUMING),
        ("Cancelling", PrinterState.CANCELLING),
        ("Finishing", PrinterState.FINISHING),
        ("Offline", PrinterState.OFFLINE),
        ("Offline after error", PrinterState.ERROR),
        ("Closed", PrinterState.OFFLINE),
        ("Detecting serial connection", PrinterState.OFFLINE),
        ("Something new", PrinterState.OFFLINE),
    ],
)
def test_every_state_of_octoprint_has_a_meaning(text, state):
    assert reading_of({"state": text, "job": {"file": {"path": None}}, "progress": {}}).state == state


def test_an_unnamed_state_with_an_error_is_an_error():
    assert reading_of({"state": "Odd", "error": "Thermal runaway"}).state == PrinterState.ERROR


@pytest.mark.parametrize(
    ("completion", "progress"), [(-100, 0.0), (25.26, 0.2526), (100.0, 1.0), (101.0, 1.0), (None, None)]
)
def test_progress_is_a_share_of_the_file(completion, progress):
    assert reading_of({"state": "Printing", "progress": {"completion": completion}}).progress == progress
