"""Ask a worker, tell the browsers: both only after the commit, and both only hints.

A message may be lost, doubled or late (Redis may be restarted at any time). So a message carries a task's name and ids,
never a decision: the state is in the database, and the ticker asks again for whatever is due.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Protocol

import redis
from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy.orm import Session

from fablab import db
from fablab.settings import settings

log = logging.getLogger(__name__)

TOPICS = "fablab:topics"
AWAY_S = 3.0


class Transport(Protocol):
    """What carries messages out of the process."""

    def ask(self, task: str, ids: tuple[int, ...]) -> None:
        """Wake a worker for `task`."""

    def tell(self, topic: str) -> None:
        """Let every open page that shows `topic` fetch it again."""


class RedisTransport:
    """Celery and publish/subscribe over one Redis. A Redis that is down costs seconds, never an error page."""

    def __init__(self) -> None:
        self._away_until = 0.0

    def ask(self, task: str, ids: tuple[int, ...]) -> None:
        self._send(task, lambda: celery().send_task(task, args=ids, retry=False, ignore_result=True))

    def tell(self, topic: str) -> None:
        self._send(topic, lambda: connection().publish(TOPICS, topic))

    def _send(self, what: str, send: Callable[[], object]) -> None:
        """Send, or drop a message that Redis does not take and leave it alone for a moment: the ticker asks again."""
        if time.monotonic() < self._away_until:
            return
        try:
            send()
        except (OperationalError, redis.RedisError) as error:
            self._away_until = time.monotonic() + AWAY_S
            log.warning("the broker did not take %s: %s; the ticker asks again", what, error)


class SilentTransport:
    """Drops every message, for work that is done before anybody listens."""

    def ask(self, task: str, ids: tuple[int, ...]) -> None:
        log.debug("not asked: %s%s", task, ids)

    def tell(self, topic: str) -> None:
        log.debug("not told: %s", topic)


_transports: list[Transport] = [RedisTransport()]


def transport() -> Transport:
    """Return the transport of this process."""
    return _transports[-1]


@contextmanager
def using(other: Transport) -> Iterator[None]:
    """Carry messages by another transport for the block."""
    _transports.append(other)
    try:
        yield
    finally:
        _transports.pop()


@cache
def connection() -> redis.Redis:
    """Return this process's connection pool to Redis."""
    return redis.Redis.from_url(settings().redis(), socket_connect_timeout=2, socket_timeout=5, decode_responses=True)


@cache
def celery() -> Celery:
    """Return the Celery application; `workers.tasks` puts the tasks on it."""
    app = Celery("fablab", broker=settings().broker())
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_default_queue="printing",
        task_routes={"slice": {"queue": "slicing"}, "preview": {"queue": "slicing"}, "send_mail": {"queue": "slicing"}},
        task_soft_time_limit=560,
        task_time_limit=600,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_soft_shutdown_timeout=4,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": 900,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": 2,
            "socket_timeout": 10,
            "max_retries": 1,
            "interval_start": 0,
            "interval_max": 0.1,
        },
    )
    return app


def ask(session: Session, task: str, *ids: int) -> None:
    """Ask a worker for `task` once this transaction is committed."""
    db.after_commit(session, partial(transport().ask, task, ids))


def tell(session: Session, *topics: str) -> None:
    """Tell the browsers, once this transaction is committed, that these topics changed."""
    for topic in topics:
        db.after_commit(session, partial(transport().tell, topic))
