"""The broker that is started: the system's, else the one that came with us."""

import subprocess

import pytest

from fablab import embedded
from fablab.errors import Problem


def test_without_a_system_server_the_one_in_our_wheel_runs(monkeypatch):
    monkeypatch.setattr(embedded, "SYSTEM_SERVERS", ())
    found = embedded.find_redis_server()
    assert found.endswith("valkey-server")
    assert "Valkey" in subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout


def test_without_any_server_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(embedded, "SYSTEM_SERVERS", ())
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(Problem, match="install the package redis-server"):
        embedded.find_redis_server()
