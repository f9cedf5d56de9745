"""The scaled-out mode as far as it can be checked without a container engine: the file, and every command in it.

The commands run as processes against a real PostgreSQL and a real Redis, with the environment of the file.
"""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from fablab import bus, db
from fablab.embedded import find_redis_server
from fablab.jobs import queries as jobs
from fablab.jobs.models import Job
from tests.conftest import environment
from tests.people import order_cube, small_place
from tests.running import FABLAB, System, free_port
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if service.get("image") == "fablab"}


def test_every_service_has_what_compose_needs():
    assert {"web", "printing", "slicing", "ticker", "watcher", "migrate", "database", "broker"} == set(
        COMPOSE["services"]
    )
    for name, service in COMPOSE["services"].items():
        assert service.get("image"), name
        for other in service.get("depends_on", {}):
            assert other in COMPOSE["services"]
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in COMPOSE["volumes"]


def test_every_variable_is_a_setting():
    from fablab.settings import Settings

    for service in OURS.values():
        for name in service["environment"]:
            assert name.removeprefix("FABLAB_").lower() in Settings.model_fields


def test_the_image_gets_every_file_it_copies_and_every_program_it_runs():
    text = (ROOT / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?:--\S+ )?(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    for script in re.findall(r"sh (scripts/\S+)", text):
        assert (ROOT / script).exists()
    assert "prusa-slicer" in text


@pytest.fixture
def servers(postgres, tmp_path):
    """PostgreSQL and Redis as the file wants them, and the environment of our services."""
    postgres.create("compose")
    port = free_port()
    redis = subprocess.Popen(
        [find_redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    values = {
        "data_dir": str(tmp_path / "data"),
        "database_url": postgres.url("compose", "compose_app"),
        "redis_url": f"redis://127.0.0.1:{port}/0",
        "secret_key": "a secret for this test only",
    }
    (tmp_path / "data").mkdir()
    try:
        yield values
    finally:
        redis.terminate()
        redis.wait(10)
        postgres.drop("compose")


@pytest.mark.xdist_group("processes")
@pytest.mark.timeout(240)
def test_every_command_of_the_file_runs_and_together_they_slice_an_order(servers, postgres, tmp_path):
    port = free_port()
    child = {**os.environ, **{f"FABLAB_{name.upper()}": value for name, value in servers.items()}}
    started = []

    def command(name):
        line = list(OURS[name]["command"])
        assert line[0] == "fablab"
        line = [str(FABLAB), *line[1:]]
        return [str(port) if part == "8000" else part for part in line]

    assert shutil.which(str(FABLAB))
    owner = {"FABLAB_OWNER_DATABASE_URL": postgres.url("compose")}
    subprocess.run(command("migrate"), env=child | owner, check=True, timeout=60, capture_output=True)
    try:
        for name in ("web", "printing", "slicing", "ticker", "watcher"):
            log = (tmp_path / f"{name}.log").open("w")
            started.append(
                subprocess.Popen(command(name), env=child, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
            )
        wait_until(System(started[0], f"http://127.0.0.1:{port}", Path(servers["data_dir"])).ready, 60)
        with environment(**servers):
            with bus.using(bus.SilentTransport()), db.transaction() as session:
                cast = small_place(session)
            with db.transaction() as session:
                order = order_cube(session, cast.alice)
                job = jobs.of_order(session, order.id)[0]

            def is_sliced():
                with db.reading() as session:
                    return session.get(Job, job.id).slice_id

            wait_until(is_sliced, 60)
        assert all(process.poll() is None for process in started)
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGTERM)
        for process in started:
            process.wait(30)
