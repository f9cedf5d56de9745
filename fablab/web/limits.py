"""How often somebody may try: sign-ins and uploads are counted in Redis, measurements at one time in each process."""

from __future__ import annotations

import threading

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from fablab.settings import settings
from fablab.web.auth import whoever

MEASURED_AT_ONCE = 2  # a measurement may take 2 GB in its child process
measuring = threading.BoundedSemaphore(MEASURED_AT_ONCE)

limiter = Limiter(key_func=get_remote_address, headers_enabled=True, in_memory_fallback_enabled=True)


def install(app: Flask) -> None:
    """Count the requests of `app` in Redis; while Redis is away each process counts for itself."""
    address = settings().redis()
    app.config["RATELIMIT_STORAGE_URI"] = address.replace("unix://", "redis+unix://", 1)
    app.config["RATELIMIT_STORAGE_OPTIONS"] = {"socket_connect_timeout": 2, "socket_timeout": 2}
    limiter.init_app(app)


def by_person() -> str:
    """Return what uploads are counted by: the person."""
    person = whoever()
    return f"person-{person.id}" if person else get_remote_address()


def sign_in_limit() -> str:
    """Return how many sign-ins one address may try."""
    return settings().sign_in_limit


def sign_up_limit() -> str:
    """Return how many accounts one address may ask for."""
    return settings().sign_up_limit


def upload_limit() -> str:
    """Return how many files one person may upload."""
    return settings().upload_limit
