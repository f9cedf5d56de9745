"""Eight processes issue at once and are killed again and again: no number is missing, none is there twice."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from fablab import db
from fablab.invoicing import verifying
from fablab.invoicing.models import Document
from fablab.settings import settings
from tests.books import business
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
ISSUERS, KILLS, BETWEEN = 8, 24, 6


def start(name: str) -> subprocess.Popen:
    environment = {
        **os.environ,
        "FABLAB_DATA_DIR": str(settings().data_dir),
        "FABLAB_DATABASE_URL": settings().database_url,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.invoicing.issuer", name, "--notes"], cwd=ROOT, env=environment
    )


def issued() -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count(Document.id))) or 0


def findings() -> list[str]:
    with db.snapshot() as session:
        return [str(each) for each in verifying.findings(session)]


def wait_for_more(count: int) -> None:
    goal = issued() + count
    wait_until(lambda: issued() >= goal, 60)


@pytest.mark.xdist_group("processes")
@pytest.mark.timeout(300)
def test_numbers_have_no_gap_and_no_duplicate_under_kills(any_place):
    with db.transaction() as session:
        business(session)
    dice = random.Random(7)
    running = {place: start(f"issuer-{place}") for place in range(ISSUERS)}
    try:
        wait_until(lambda: issued() > 0, 60)
        for turn in range(KILLS):
            wait_for_more(BETWEEN)
            if turn % 8 == 0:
                assert findings() == [], "also while the others go on issuing"
            victim = dice.randrange(ISSUERS)
            running[victim].send_signal(signal.SIGKILL)
            running[victim].wait(10)
            running[victim] = start(f"issuer-{victim}-{turn}")
    finally:
        for process in running.values():
            process.kill()
            process.wait(10)
    assert issued() >= KILLS * BETWEEN
    assert findings() == []
