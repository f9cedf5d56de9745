"""`fablab doctor`: one sentence about each part of the system, and whether it is well."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import redis
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from fablab import bus, db, migrating, press, roles
from fablab.billing import clash, law_moved, seller
from fablab.bookkeeping import outside
from fablab.db import utcnow
from fablab.errors import Problem
from fablab.machines import queries, services
from fablab.machines.models import Machine, Service
from fablab.payments import providers
from fablab.payments.port import NotReached
from fablab.press import PressMissing
from fablab.printers import open_printer
from fablab.settings import settings
from fablab.slicing import sandbox
from fablab.slicing.slicer import SlicerMissing, require_slicer
from fablab.words import Day, Sentence, say

LEAST_FREE_BYTES = 2_000_000_000
CLOCK_BEGINS = 2025


@dataclass(frozen=True)
class Finding:
    """Whether a part is well, in a sentence."""

    ok: bool
    sentence: Sentence


def run() -> list[Finding]:
    """Return what was found, part by part."""
    database = _database()
    return [
        database,
        _broker(),
        _slicer(),
        *_sandbox(),
        _press(),
        *_card_payments(),
        *(_printers() if database.ok else ()),
        *(_digests() if database.ok else ()),
        *(_vat() if database.ok else ()),
        *(_role() if database.ok else ()),
        _disk(),
        _clock(),
    ]


def _database() -> Finding:
    try:
        if not migrating.is_up_to_date():
            return Finding(ok=False, sentence=migrating.NOT_UP_TO_DATE)
        with db.reading() as session:
            people = session.scalar(sa.text("select count(*) from person"))
    except SQLAlchemyError as error:
        words = str(error).splitlines()[0]
        return Finding(
            ok=False,
            sentence=say("The database does not answer; if it is new, run “fablab migrate”: {error}", error=words),
        )
    return Finding(ok=True, sentence=say("The database answers; {count} people have an account.", count=people or 0))


def _role() -> Iterator[Finding]:
    with db.reading() as session:
        owns = roles.owns_tables(session.connection())
    if owns:
        sentence = say(
            "The program owns the tables of PostgreSQL and could switch off what protects issued documents: give"
            " “fablab migrate” an owner of its own (FABLAB_OWNER_DATABASE_URL)."
        )
        yield Finding(ok=False, sentence=sentence)


def _press() -> Finding:
    try:
        press.check()
    except PressMissing as problem:
        return Finding(ok=False, sentence=problem.sentence)
    return Finding(ok=True, sentence=say("PDFs can be made."))


def _card_payments() -> Iterator[Finding]:
    """Say something only where keys are set, and also when only one of them is."""
    if providers.is_half_set():
        names = ", ".join(providers.missing_keys())
        yield Finding(ok=False, sentence=say("Payments by card online are off: {names} is missing.", names=names))
    taken_by = providers.provider()
    if taken_by is None:
        return
    try:
        taken_by.check()
    except NotReached as problem:
        yield Finding(ok=False, sentence=say("{name}: {words}", name=taken_by.name, words=problem.sentence))
        return
    yield Finding(ok=True, sentence=say("{name} takes payments by card online.", name=taken_by.name))


def _vat() -> Iterator[Finding]:
    with db.reading() as session:
        today = seller.today(utcnow())
        found = (clash.warning(session, today), law_moved.warning(session, today))
    yield from (Finding(ok=False, sentence=sentence) for sentence in found if sentence is not None)


def _broker() -> Finding:
    try:
        version = bus.connection().info("server")["redis_version"]
    except redis.RedisError as error:
        return Finding(
            ok=False, sentence=say("The broker does not answer (is “fablab up” running?): {error}", error=str(error))
        )
    return Finding(ok=True, sentence=say("The broker answers (version {version}).", version=version))


def _slicer() -> Finding:
    try:
        slicer = require_slicer()
    except SlicerMissing as missing:
        return Finding(ok=False, sentence=missing.sentence)
    program = str(slicer.program)
    return Finding(
        ok=True, sentence=say("The slicer is {version} ({program}).", version=slicer.version, program=program)
    )


def _sandbox() -> Iterator[Finding]:
    for finding in sandbox.probe():
        yield Finding(finding.works, finding.sentence)


def _printers() -> Iterator[Finding]:
    with db.reading() as session:
        machines = [machine for machine in queries.all_in_use(session) if machine.service == Service.IN_SERVICE]
    for machine in machines:
        yield _printer(machine)


def _printer(machine: Machine) -> Finding:
    try:
        key = services.key_of(machine)
        printer = open_printer(machine.driver, machine.address, key, allowed_networks=settings().networks())
        wrong = [each for each in printer.check() if not each.ok]
    except Problem as problem:
        return Finding(ok=False, sentence=say("{machine}: {words}", machine=machine.name, words=problem.sentence))
    if wrong:
        return Finding(ok=False, sentence=say("{machine}: {words}", machine=machine.name, words=wrong[0].sentence))
    return Finding(ok=True, sentence=say("{machine} answers.", machine=machine.name))


def _digests() -> Iterator[Finding]:
    """Say something only where books are closed."""
    with db.reading() as session:
        late, newest = outside.late(session, utcnow()), outside.newest_left(session)
    if late is not None:
        yield Finding(ok=False, sentence=late)
    elif newest is not None and newest.mail.sent_at is not None:
        number, day = newest.last_position, Day(seller.today(newest.mail.sent_at))
        yield Finding(ok=True, sentence=say("The digest of closing {number} left on {day}.", number=number, day=day))


def _disk() -> Finding:
    settings().data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings().data_dir).free
    return Finding(
        free >= LEAST_FREE_BYTES, say("{gigabytes} GB are free for the data.", gigabytes=round(free / 1e9, 1))
    )


def _clock() -> Finding:
    now = utcnow()
    return Finding(now.year >= CLOCK_BEGINS, say("The clock says {now} (UTC).", now=f"{now:%Y-%m-%d %H:%M}"))
