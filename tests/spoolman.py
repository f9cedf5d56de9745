"""A small server that answers like Spoolman 0.22 does at /api/v1/spool, and like others that are no Spoolman."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def spool(number: int, **changed) -> dict:
    """A spool as Spoolman writes it."""
    return {
        "id": number,
        "registered": "2026-05-27T10:00:00Z",
        "first_used": "2026-06-01T08:12:44Z",
        "last_used": "2026-11-02T16:40:01Z",
        "filament": {
            "id": 3,
            "registered": "2026-05-27T09:58:12Z",
            "name": "PolyTerra™ Charcoal Black",
            "vendor": {
                "id": 1,
                "registered": "2026-05-27T09:57:40Z",
                "name": "Polymaker",
                "comment": "",
                "empty_spool_weight": 140.0,
                "external_id": "polymaker",
                "extra": {},
            },
            "material": "PLA",
            "price": 20.0,
            "density": 1.31,
            "diameter": 1.75,
            "weight": 1000.0,
            "article_number": "PM70820",
            "comment": "",
            "settings_extruder_temp": 210,
            "settings_bed_temp": 60,
            "color_hex": "1A1A1D",
            "external_id": "polymaker_pla_polyterracharcoalblack_1000_175",
            "extra": {},
        },
        "price": 18.5,
        "remaining_weight": 499.7,
        "initial_weight": 1000.0,
        "spool_weight": 140.0,
        "used_weight": 500.3,
        "remaining_length": 158_600.2,
        "used_length": 158_790.7,
        "location": "Shelf A",
        "lot_nr": "52342",
        "comment": "a little brittle",
        "archived": False,
        "extra": {},
        **changed,
    }


class _Answers(BaseHTTPRequestHandler):
    content: bytes = b"[]"
    status: int = 200

    def do_GET(self):
        self.server.paths.append(self.path)
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        if self.status == 302:
            self.send_header("Location", "http://169.254.169.254/latest/meta-data")
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_arguments):
        pass


@contextmanager
def answering(content: object, status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """Give the address of a server that answers this, and the paths it was asked for."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    handler = type("Answers", (_Answers,), {"content": data, "status": status})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.paths = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.paths
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
