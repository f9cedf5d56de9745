"""The signature on a provider's messages, as Stripe writes it: `t=<seconds>,v1=<hex of HMAC-SHA256>`."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from fablab.payments.port import NotSigned
from fablab.words import say

TOLERANCE = timedelta(minutes=5)
LONGEST_TIME = 12


def signed(body: bytes, secret: str, at_s: int) -> str:
    """Return the signature of a message at a time in seconds since 1970."""
    return f"t={at_s},v1={_digest(body, secret, str(at_s))}"


def check(body: bytes, signature: str, secret: str, now: datetime) -> None:
    """Raise `NotSigned` unless the holder of the secret signed this very message within five minutes of `now`."""
    parts = [part.strip().partition("=") for part in signature.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    digests = [value for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit()) or len(times[0]) > LONGEST_TIME:
        raise NotSigned(say("This message is not signed."))
    expected = _digest(body, secret, times[0]).encode()
    if not any(hmac.compare_digest(expected, each.encode()) for each in digests):
        raise NotSigned(say("The signature of this message is wrong."))
    if abs(now.timestamp() - int(times[0])) > TOLERANCE.total_seconds():
        raise NotSigned(say("This message was signed too long ago."))


def _digest(body: bytes, secret: str, at_s: str) -> str:
    return hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
