"""Stripe Checkout over plain HTTP: the few calls there are, and its messages about them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

import requests

from fablab.payments import signing
from fablab.payments.port import Checkout, Event, NotReached, NotSigned, Outcome, Refused, Seen
from fablab.words import say

log = logging.getLogger(__name__)

API_VERSION = "2024-06-20"  # of the messages and answers that are read here; newer ones are asked for on purpose only
CONNECT_S, ANSWER_S = 5, 15
SESSIONS = "/v1/checkout/sessions"
FAILED = "checkout.session.async_payment_failed"
KINDS = frozenset(
    {"checkout.session.completed", "checkout.session.async_payment_succeeded", FAILED, "checkout.session.expired"}
)


@dataclass(frozen=True)
class Stripe:
    """The account payments go to."""

    key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    address: str
    name: str = "Stripe"

    def open(self, wanted: Checkout) -> Seen:
        """Open a checkout session of one line."""
        fields = {
            "mode": "payment",
            "payment_method_types[0]": "card",
            "client_reference_id": wanted.reference,
            "success_url": wanted.return_url,
            "cancel_url": wanted.return_url,
            "locale": wanted.language,
            "expires_at": str(int(wanted.until.timestamp())),
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": "eur",
            "line_items[0][price_data][unit_amount]": str(wanted.amount_cents),
            "line_items[0][price_data][product_data][name]": wanted.what,
        }
        if wanted.email:
            fields["customer_email"] = wanted.email
        return _seen(self._call("POST", SESSIONS, fields, idempotency_key=f"open-{wanted.reference}"))

    def look(self, checkout_id: str) -> Seen:
        """Look at a checkout session."""
        return _seen(self._call("GET", _of(checkout_id)))

    def end(self, checkout_id: str) -> Seen:
        """Expire a checkout session. Stripe refuses for one that is complete or expired: it is looked at instead."""
        try:
            return _seen(self._call("POST", f"{_of(checkout_id)}/expire"))
        except Refused:
            return self.look(checkout_id)

    def check(self) -> None:
        """Ask for the newest session, to see whether the key is taken."""
        self._call("GET", f"{SESSIONS}?limit=1")

    def _call(
        self, method: str, path: str, fields: dict[str, str] | None = None, idempotency_key: str = ""
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.key}", "Stripe-Version": API_VERSION}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        try:
            answer = requests.request(
                method,
                self.address + path,
                data=fields,
                headers=headers,
                timeout=(CONNECT_S, ANSWER_S),
                allow_redirects=False,
            )
            told = answer.json()
        except (requests.RequestException, ValueError) as error:
            log.warning("Stripe did not answer %s %s: %s", method, path, error)
            raise _silent() from error
        if answer.status_code >= requests.codes.server_error:
            log.warning("Stripe answered %s %s with %d", method, path, answer.status_code)
            raise _silent()
        if answer.status_code != requests.codes.ok or not isinstance(told, dict):
            reason = _reason(told) or str(answer.status_code)
            log.warning("Stripe refused %s %s with %d: %s", method, path, answer.status_code, reason)
            raise Refused(say("The payment service refused: {reason}", reason=reason))
        return told

    def read(self, body: bytes, signature: str, now: datetime) -> Event | None:
        """Check the signature of a webhook and return what it says about a checkout session."""
        signing.check(body, signature, self.webhook_secret, now)
        try:
            told = json.loads(body)
            kind = str(told["type"])
            if kind not in KINDS:
                return None
            seen = _seen(told["data"]["object"])
            if kind == FAILED and seen.outcome == Outcome.WAITING:
                seen = replace(seen, outcome=Outcome.ENDED)
            return Event(str(told["id"]), kind, seen)
        except (ValueError, KeyError, TypeError, NotReached) as error:
            raise NotSigned(say("This message cannot be read.")) from error


def _of(checkout_id: str) -> str:
    return f"{SESSIONS}/{quote(checkout_id, safe='')}"


def _silent() -> NotReached:
    return NotReached(say("The payment service cannot be reached just now."))


def _reason(told: Any) -> str:
    """Return what an error says, in Stripe's words."""
    error = told.get("error") if isinstance(told, dict) else None
    return str(error.get("message") or error.get("type") or "")[:200] if isinstance(error, dict) else ""


def _seen(session: Mapping[str, Any]) -> Seen:
    """Return a checkout session as it is read here. Raises `NotReached` when it lacks what every session has."""
    try:
        return Seen(
            id=str(session["id"]),
            reference=str(session.get("client_reference_id") or ""),
            outcome=next(_outcomes(session)),
            amount_cents=int(session["amount_total"]),
            currency=str(session["currency"]).lower(),
            url=str(session.get("url") or ""),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        log.warning("this is no checkout session of Stripe: %.200r", session)
        raise _silent() from error


def _outcomes(session: Mapping[str, Any]) -> Iterator[Outcome]:
    if session["payment_status"] == "paid":
        yield Outcome.PAID
    if session["status"] == "expired":
        yield Outcome.ENDED
    yield Outcome.WAITING
