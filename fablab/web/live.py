"""Live pages: one Redis subscription per web process, one bounded queue per open page, names of topics and no data."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from flask import Flask, Response, abort, request, stream_with_context

from fablab import bus
from fablab.accounts.permissions import Permission
from fablab.settings import settings
from fablab.web.auth import needs

log = logging.getLogger(__name__)

HEARTBEAT_S = 15
LONGEST_STREAM_S = 3600
MOST_WAITING = 100


class Exchange:
    """Hands the topics that come from Redis to the open pages that asked for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: dict[queue.Queue[str], frozenset[str]] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def open_page(self, topics: frozenset[str]) -> Iterator[queue.Queue[str] | None]:
        """Give a queue of topics for as long as a page is open, or None when too many are."""
        waiting: queue.Queue[str] = queue.Queue(MOST_WAITING)
        with self._lock:
            if len(self._pages) >= settings().event_streams:
                yield None
                return
            self._pages[waiting] = topics
            self._start()
        try:
            yield waiting
        finally:
            with self._lock:
                self._pages.pop(waiting, None)

    def has_room(self) -> bool:
        """Tell whether one more page may listen."""
        with self._lock:
            return len(self._pages) < settings().event_streams

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._listen, name="topics", daemon=True)
            self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                with bus.connection().pubsub(ignore_subscribe_messages=True) as subscription:  # type: ignore[no-untyped-call]
                    subscription.subscribe(bus.TOPICS)
                    self._hand_out("*")  # whatever was missed meanwhile
                    while True:
                        message = subscription.get_message(timeout=HEARTBEAT_S)
                        if message is not None:
                            self._hand_out(message["data"])
            except redis.RedisError as error:
                log.warning("no live pages for a moment: %s", error)
                time.sleep(1)

    def _hand_out(self, topic: str) -> None:
        with self._lock:
            pages = list(self._pages.items())
        for waiting, topics in pages:
            if topic == "*" or topic in topics:
                try:
                    waiting.put_nowait(topic)
                except queue.Full:
                    log.debug("a slow page misses %s", topic)


exchange = Exchange()


def install(app: Flask) -> None:
    """Give `app` its stream of topics."""
    app.add_url_rule("/events", "events", events)


@needs(Permission.ORDER)
def events() -> Response:
    """Stream the names of the topics that change; the page then fetches what it may see by itself."""
    topics = frozenset(request.args.get("topics", "").split(",")[:20])
    if not exchange.has_room():
        abort(503)
    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    return Response(stream_with_context(_stream(topics)), mimetype="text/event-stream", headers=headers)


def _stream(topics: frozenset[str]) -> Iterator[str]:
    end = time.monotonic() + LONGEST_STREAM_S
    with exchange.open_page(topics) as waiting:
        yield "retry: 2000\nevent: hello\ndata: hello\n\n"
        while waiting is not None and time.monotonic() < end:
            try:
                topic = waiting.get(timeout=HEARTBEAT_S)
            except queue.Empty:
                yield ": still here\n\n"
                continue
            for name in topics if topic == "*" else (topic,):
                yield f"event: topic\ndata: {name}\n\n"
