"""A small server that answers like Stripe's interface does for Checkout, with its page to pay on, and its troubles."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from fablab.payments import signing

KEY = "sk_test_tGN0bIwXnHdwOa85VABjPdSn8nWY7G7I"
SECRET = "whsec_wRNftLajMZNeslQOP6vEPm4iVx5NlZ6z"
CREATED = 1_764_115_200


def error(kind: str, message: str, **more) -> dict:
    """An error as Stripe writes it."""
    return {
        "error": {
            "message": message,
            "request_log_url": "https://dashboard.stripe.com/test/logs/req_Wq3",
            "type": kind,
            **more,
        }
    }


def checkout(number: int, fields: dict[str, str], address: str) -> dict:
    """A checkout session as Stripe shows it."""
    line = "line_items[0]"
    amount = int(fields[f"{line}[price_data][unit_amount]"]) * int(fields[f"{line}[quantity]"])
    name = f"cs_test_a1{number:054d}"
    return {
        "id": name,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "allow_promotion_codes": None,
        "amount_subtotal": amount,
        "amount_total": amount,
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": fields["cancel_url"],
        "client_reference_id": fields.get("client_reference_id"),
        "created": CREATED,
        "currency": fields[f"{line}[price_data][currency]"],
        "custom_fields": [],
        "customer": None,
        "customer_creation": "if_required",
        "customer_details": {"address": None, "email": fields.get("customer_email"), "name": None},
        "customer_email": fields.get("customer_email"),
        "expires_at": int(fields["expires_at"]),
        "invoice": None,
        "livemode": False,
        "locale": fields.get("locale"),
        "metadata": {},
        "mode": fields["mode"],
        "payment_intent": None,
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "recovered_from": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": fields["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted",
        "url": f"{address}/c/pay/{name}",
    }


def event(number: int, kind: str, session: dict) -> dict:
    """A message as Stripe sends it."""
    return {
        "id": f"evt_1SXh{number:020d}",
        "object": "event",
        "api_version": "2024-06-20",
        "created": CREATED + 60,
        "data": {"object": session},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


@dataclass
class StandIn:
    """The server's state. `trouble` is how it answers instead: a status, "hang" or "garbage"."""

    address: str = ""
    trouble: int | str | None = None
    webhook: str = ""
    sessions: dict[str, dict] = field(default_factory=dict)
    by_key: dict[str, tuple[dict, str]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    events: int = 0

    def pay(self, name: str) -> dict:
        """Let somebody pay a session, and return the message about it."""
        session = self.sessions[name]
        session.update(status="complete", payment_status="paid", payment_intent="pi_3SXh0000", url=None)
        return self.message("checkout.session.completed", session)

    def expire(self, name: str) -> dict:
        """Let a session end, and return the message about it."""
        self.sessions[name].update(status="expired", url=None)
        return self.message("checkout.session.expired", self.sessions[name])

    def message(self, kind: str, session: dict) -> dict:
        self.events += 1
        return json.loads(json.dumps(event(self.events, kind, session)))

    def send(self, message: dict) -> None:
        """Send a message to the place's webhook, signed."""
        body = json.dumps(message).encode()
        request = urllib.request.Request(self.webhook, body, method="POST")
        request.add_header("Content-Type", "application/json; charset=utf-8")
        request.add_header("Stripe-Signature", signing.signed(body, SECRET, int(time.time())))
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200


ERRORS = {
    400: error(
        "invalid_request_error",
        "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
        param="expires_at",
    ),
    401: error("invalid_request_error", "Invalid API Key provided: sk_test_****7G7I"),
    402: error("card_error", "Your account cannot currently make live charges.", code="account_invalid"),
    409: error("idempotency_error", "There is currently another in-progress request using this Stripe-Idempotent-Key."),
    429: error("invalid_request_error", "Request rate limit exceeded.", code="rate_limit"),
    500: error("api_error", "An unknown error occurred."),
    503: error("api_error", "Stripe is temporarily unavailable."),
}


class Handler(BaseHTTPRequestHandler):
    """Answers as the interface does, and shows the page to pay on."""

    state: StandIn

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = urlsplit(self.path).path
        if path.startswith("/c/pay/"):
            return self._page(path.rsplit("/", 1)[1])
        return self._interface("GET", {})

    def do_POST(self):
        fields = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path = urlsplit(self.path).path
        if path.startswith("/c/pay/"):
            return self._paid(path.rsplit("/", 1)[1])
        return self._interface("POST", {name: values[0] for name, values in parse_qs(fields).items()})

    def _interface(self, method, fields):
        path = urlsplit(self.path).path
        self.state.asked.append((method, path))
        if self.state.trouble == "hang":
            self.state.go_on.wait(30)
            return None
        if self.state.trouble == "garbage":
            return self._answer(200, b"<html><body>502 Bad Gateway</body></html>", "text/html")
        if self.state.trouble == "other":
            return self._json(200, {"object": "list", "data": []})
        if isinstance(self.state.trouble, int):
            return self._json(self.state.trouble, ERRORS[self.state.trouble])
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return self._json(401, ERRORS[401])
        return self._json(*self._checkout(method, path, fields))

    def _checkout(self, method, path, fields):
        parts = path.strip("/").split("/")
        if parts[:3] != ["v1", "checkout", "sessions"]:
            return 404, error("invalid_request_error", f"Unrecognized request URL ({method}: {path}).")
        if len(parts) == 3:
            return (
                self._create(fields)
                if method == "POST"
                else (200, {"object": "list", "data": [], "has_more": False, "url": path})
            )
        session = self.state.sessions.get(parts[3])
        if session is None:
            return 404, error("invalid_request_error", f"No such checkout.session: {parts[3]}", code="resource_missing")
        if parts[4:] == ["expire"]:
            if session["status"] != "open":
                return 400, error(
                    "invalid_request_error",
                    f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of {session["status"]}.',
                )
            self.state.expire(parts[3])
        return 200, session

    def _create(self, fields):
        key, said = self.headers.get("Idempotency-Key", ""), json.dumps(fields, sort_keys=True)
        if key in self.state.by_key:
            session, before = self.state.by_key[key]
            if before != said:
                return 400, error(
                    "idempotency_error",
                    "Keys for idempotent requests can only be used with the same parameters they were first used with.",
                )
            return 200, session
        session = checkout(len(self.state.sessions) + 1, fields, self.state.address)
        self.state.sessions[session["id"]] = session
        self.state.by_key[key] = (session, said)
        return 200, session

    def _page(self, name):
        session = self.state.sessions[name]
        page = f"""<!doctype html><html lang="fr"><title>Paiement</title><h1>{session["amount_total"]}</h1>
<form method="post"><button>Payer</button></form><a href="{session["cancel_url"]}">Retour</a></html>"""
        self._answer(200, page.encode(), "text/html; charset=utf-8")

    def _paid(self, name):
        message = self.state.pay(name)
        if self.state.webhook:
            self.state.send(message)
        self.send_response(303)
        self.send_header("Location", self.state.sessions[name]["success_url"])
        self.end_headers()

    def _json(self, status, told):
        self._answer(status, json.dumps(told).encode(), "application/json")

    def _answer(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def stripe() -> Iterator[StandIn]:
    """Run the server for the block."""
    state = StandIn()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answering", (Handler,), {"state": state}))
    state.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
