"""A real PostgreSQL server in a folder of its own, on a Unix socket, gone at the end."""

from __future__ import annotations

import ctypes
import glob
import os
import pwd
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest


@dataclass(frozen=True)
class PostgresServer:
    """A running server: its socket folder and its owner."""

    socket_dir: str
    user: str

    def url(self, database: str, user: str | None = None) -> str:
        return f"postgresql+psycopg://{user or self.user}@/{database}?host={self.socket_dir}"

    def create(self, database: str, template: str = "template0") -> None:
        self._run(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')

    def drop(self, database: str) -> None:
        self._run(f'DROP DATABASE "{database}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        where = f"host={self.socket_dir} user={self.user} dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement)


def _programs() -> Path:
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
    if not found:
        pytest.skip("PostgreSQL is not installed: the package postgresql")
    return Path(found[-1]).parent


def _owner() -> pwd.struct_passwd:
    """Return who may run the server: it refuses to be root."""
    return pwd.getpwnam("postgres") if os.getuid() == 0 else pwd.getpwuid(os.getuid())


@contextmanager
def postgres_server(_folder: Path, *, fsync: bool = False) -> Iterator[PostgresServer]:
    """Start a server for the block; without fsync it is quick, and its data does not outlive a power cut."""
    programs, owner = _programs(), _owner()
    with tempfile.TemporaryDirectory(prefix="fablab-pg-") as name:
        os.chmod(name, 0o755)
        data, socket_dir = f"{name}/data", f"{name}/s"
        os.mkdir(socket_dir)
        for path in (name, socket_dir):
            os.chown(path, owner.pw_uid, owner.pw_gid)

        def become_owner() -> None:
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(owner.pw_gid)
                os.setuid(owner.pw_uid)
                ctypes.CDLL(None).prctl(1, signal.SIGKILL)

        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "fablab", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
            check=True,
            capture_output=True,
            preexec_fn=become_owner,
            cwd="/",
        )
        server = subprocess.Popen(
            [
                programs / "postgres",
                "-D",
                data,
                "-k",
                socket_dir,
                "-c",
                "listen_addresses=",
                "-c",
                f"fsync={'on' if fsync else 'off'}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=become_owner,
            start_new_session=True,
            cwd="/",
        )
        try:
            _wait(socket_dir)
            yield PostgresServer(socket_dir, "fablab")
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(20)


def _wait(socket_dir: str) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(f"host={socket_dir} user=fablab dbname=postgres").close()
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
