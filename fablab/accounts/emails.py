"""E-mail addresses as people type them."""

from __future__ import annotations

from email.errors import MessageError
from email.headerregistry import Address

from fablab.accounts.services import EMAIL
from fablab.errors import Invalid
from fablab.words import say

LONGEST_EMAIL = 254


def read_email(typed: str, field: str) -> str:
    """Return an address that mail can be written to, in small letters. Raises `Invalid` naming the field."""
    email = typed.strip().lower()
    if EMAIL.fullmatch(email) and len(email) <= LONGEST_EMAIL and _can_stand_in_a_header(email):
        return email
    raise Invalid(say("“{email}” is not an e-mail address.", email=email[:80]), field=field)


def _can_stand_in_a_header(email: str) -> bool:
    try:
        Address(addr_spec=email.encode("ascii").decode())
    except (ValueError, MessageError, IndexError):
        return False
    return True
