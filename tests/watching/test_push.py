"""What only the follower of OctoPrints meets: addresses, redirects, keys in logs."""

import asyncio
import logging

import pytest

from fablab.printers import DRIVERS, Denied, NobodyKnows, NotSent, PrinterState
from fablab.printers.addresses import BadAddress
from fablab.printers.contract import Failure, Reach, Sign
from fablab.printers.following import FOLLOWERS
from fablab.printers.octoprint_push import follow, sign_of
from tests.printers.test_octoprint import server, words
from tests.waiting import wait_until
from tests.watching.conftest import run
from tests.watching.lookalike import KEY

NETWORKS = ("127.0.0.0/8",)


def followed(address, key=KEY, networks=NETWORKS):
    """Follow until it ends; return the signs."""
    signs = []
    run(follow(Reach(address, key, networks), signs.append))
    return signs


def test_every_driver_is_followed():
    assert set(FOLLOWERS) == set(DRIVERS)


def test_nothing_is_sent_to_an_address_where_no_printer_may_live():
    with server(lambda *_: words({})) as (address, seen):
        with pytest.raises(BadAddress):
            followed(address, networks=("10.0.0.0/8",))
        assert seen == []


@pytest.mark.parametrize("key", [None, "", "two\r\nlines"])
def test_without_a_usable_key_nothing_is_sent(key):
    with server(lambda *_: words({})) as (address, seen):
        with pytest.raises(Denied):
            followed(address, key)
        assert seen == []


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), NobodyKnows),
        ((500, {}, b"oops"), NobodyKnows),
        ((403, {}, b"{}"), Denied),
        ((200, {}, b"<html>"), NobodyKnows),
        ((200, {}, b'{"session": null}'), NobodyKnows),
        ((200, {}, b"[" * 150_000), NobodyKnows),
        ((200, {}, b"x" * 300_000), NobodyKnows),
        ((None, {}, b""), NobodyKnows),
    ],
)
def test_a_login_that_goes_wrong_ends_in_a_problem_with_words(answer, problem):
    with server(lambda *_: answer) as (address, seen):
        with pytest.raises(problem):
            followed(address)
        assert [path for _, path, _ in seen] == ["/api/login"]


def test_a_redirect_of_the_socket_is_not_followed():
    def answer(path, _headers):
        if path == "/api/login":
            return words({"name": "fablab", "session": "s"})
        return 302, {"Location": path + "/elsewhere"}, b""

    with server(answer) as (address, seen):
        with pytest.raises(NobodyKnows):
            followed(address)
        assert [path for _, path, _ in seen] == ["/api/login", "/sockjs/websocket"]


def test_a_server_that_is_not_there_is_not_sent_to():
    with pytest.raises(NotSent):
        followed("http://127.0.0.1:1")


def test_neither_key_nor_session_is_logged(fleet, caplog):
    caplog.set_level(logging.DEBUG)
    pretend, _ = fleet.add("Ada")
    signs = []

    async def for_a_moment():
        task = asyncio.create_task(follow(Reach(f"http://127.0.0.1:{pretend.port}", KEY, NETWORKS), signs.append))
        await asyncio.to_thread(wait_until, lambda: len(signs) >= 2, 30)
        task.cancel()

    run(for_a_moment())
    assert KEY not in caplog.text
    assert "s" * 32 not in caplog.text
    assert KEY not in repr(Reach("http://127.0.0.1", KEY, NETWORKS))


def test_messages_become_signs():
    job = {"file": {"path": "a.gcode"}, "user": "fablab"}
    current = {"state": {"text": "Printing", "error": ""}, "job": job, "progress": {"completion": 12.7}}
    reading = sign_of({"current": current}).reading
    assert (reading.state, reading.file_name, reading.progress) == (PrinterState.PRINTING, "a.gcode", 0.127)
    assert sign_of({"history": current}).reading == reading
    assert sign_of({"event": {"type": "PrinterStateChanged", "payload": {}}}) == Sign()
    failed = {"type": "PrintFailed", "payload": {"path": "a.gcode", "reason": "error", "error": "Thermal runaway"}}
    assert sign_of({"event": failed}) == Sign(failure=Failure("a.gcode", "Thermal runaway"))
    assert sign_of({"event": {"type": "FileAdded", "payload": {}}}) is None
    assert sign_of({"plugin": {}}) is None
