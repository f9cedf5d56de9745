"""Secrets at rest: printer keys are encrypted with a key that lives beside the database, never in it."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fablab.errors import Problem
from fablab.settings import settings
from fablab.words import say


@cache
def secret() -> str:
    """Return the installation's secret; the first use makes one and keeps it in a file only its owner reads."""
    if settings().secret_key:
        return settings().secret_key
    path = settings().data_dir / "secret.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii").strip()


def derived(purpose: str) -> bytes:
    """Return 32 bytes for one purpose, so that no key is used for two."""
    return hashlib.sha256(f"{purpose}\0{secret()}".encode()).digest()


def seal(text: str, owner: str) -> str:
    """Encrypt `text` for `owner` ("printer:3"): moved to another row it cannot be read."""
    nonce = os.urandom(12)
    sealed = AESGCM(derived("vault")).encrypt(nonce, text.encode(), owner.encode())
    return base64.b64encode(nonce + sealed).decode()


def unseal(sealed: str, owner: str) -> str:
    """Decrypt what `seal` wrote.

    Raises `Problem` when the installation's secret was changed or the text belongs to another row.
    """
    raw = base64.b64decode(sealed)
    try:
        return AESGCM(derived("vault")).decrypt(raw[:12], raw[12:], owner.encode()).decode()
    except InvalidTag as error:
        raise Problem(say("A stored key cannot be read any more: enter it again.")) from error
